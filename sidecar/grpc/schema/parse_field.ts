// A field of a message, of a oneof or of an extension to its descriptor; a map with the entry type it stands for.
import { create } from "@bufbuild/protobuf";
import {
  type DescriptorProto,
  DescriptorProtoSchema,
  type FieldDescriptorProto,
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
  FieldDescriptorProtoSchema,
  FieldOptionsSchema,
} from "@bufbuild/protobuf/wkt";
import { type Place, schemaError } from "./lexer.ts";
import { type Option, readInlineOptions } from "./options.ts";
import type { ParsedFile } from "./parsed_file.ts";
import { standardOptions } from "./standard_options.ts";
import type { TokenReader } from "./token_reader.ts";

const SCALARS: ReadonlyMap<string, Type> = new Map([
  ["double", Type.DOUBLE],
  ["float", Type.FLOAT],
  ["int64", Type.INT64],
  ["uint64", Type.UINT64],
  ["int32", Type.INT32],
  ["fixed64", Type.FIXED64],
  ["fixed32", Type.FIXED32],
  ["bool", Type.BOOL],
  ["string", Type.STRING],
  ["bytes", Type.BYTES],
  ["uint32", Type.UINT32],
  ["sfixed32", Type.SFIXED32],
  ["sfixed64", Type.SFIXED64],
  ["sint32", Type.SINT32],
  ["sint64", Type.SINT64],
]);

const LABELS: ReadonlyMap<string, Label> = new Map([
  ["optional", Label.OPTIONAL],
  ["required", Label.REQUIRED],
  ["repeated", Label.REPEATED],
]);

const NO_MAP_KEYS: readonly Type[] = [Type.DOUBLE, Type.FLOAT, Type.BYTES];

const MAX_NUMBER = 536_870_911; // 2^29 - 1
const RESERVED_FROM = 19_000, RESERVED_TO = 19_999; // of the implementation itself

export class FieldParser {
  readonly #file: ParsedFile;
  readonly #reader: TokenReader;

  constructor(file: ParsedFile, reader: TokenReader) {
    this.#file = file;
    this.#reader = reader;
  }

  /** A field of `message`, which belongs to the oneof of that index, or to none. */
  readField(message: DescriptorProto, scope: string, oneofIndex: number | undefined): void {
    const place = this.#reader.peek;
    const isMap = this.#reader.is("map") && this.#reader.second.text === "<";
    if (isMap && oneofIndex !== undefined) throw schemaError(place, "a map cannot be in a oneof");
    const field = isMap ? this.#readMap(message, scope) : this.#readPlain(scope, oneofIndex);
    if (oneofIndex !== undefined) field.oneofIndex = oneofIndex;
    this.#checkUnique(message, field, place);
    message.field.push(field);
  }

  readExtension(scope: string): FieldDescriptorProto {
    return this.#readPlain(scope, undefined);
  }

  #checkUnique(message: DescriptorProto, field: FieldDescriptorProto, place: Place): void {
    for (const other of message.field) {
      if (other.name === field.name) throw schemaError(place, `"${field.name}" is defined twice`);
      if (other.number !== field.number) continue;
      throw schemaError(
        place,
        `"${field.name}" has the number ${field.number}, which "${other.name}" has already`,
      );
    }
  }

  #readPlain(scope: string, oneofIndex: number | undefined): FieldDescriptorProto {
    const field = create(FieldDescriptorProtoSchema, { label: Label.OPTIONAL });
    this.#readLabel(field, oneofIndex);
    this.#readType(field, scope);
    this.#readRest(field);
    return field;
  }

  #readLabel(field: FieldDescriptorProto, oneofIndex: number | undefined): void {
    const reader = this.#reader;
    const { syntax } = this.#file.proto;
    const label = reader.second.kind === "symbol" && reader.second.text !== "."
      ? undefined // a type of that name, and its field's name is missing
      : LABELS.get(reader.peek.text);
    const isOneof = oneofIndex !== undefined;
    if (label === undefined) {
      if (syntax === "proto2" && !isOneof) {
        throw reader.unexpected("optional, required or repeated");
      }
      return;
    }
    const isKnown = syntax === "proto2" || label === Label.REPEATED ||
      syntax === "proto3" && label === Label.OPTIONAL;
    if (isOneof || !isKnown) {
      throw schemaError(reader.peek, `"${reader.peek.text}" cannot stand here`);
    }
    field.label = label;
    if (syntax === "proto3" && label === Label.OPTIONAL) field.proto3Optional = true;
    reader.take();
  }

  #readType(field: FieldDescriptorProto, scope: string): void {
    const reader = this.#reader;
    if (reader.is("group") && reader.second.kind === "name") {
      throw schemaError(reader.peek, "groups are not supported");
    }
    const { text: name, place } = reader.path("a type");
    const scalar = SCALARS.get(name);
    if (scalar !== undefined) field.type = scalar;
    else this.#file.references.push({ kind: "field", field, name, scope, place });
  }

  /** `NAME = NUMBER [OPTIONS];` */
  #readRest(field: FieldDescriptorProto): void {
    const reader = this.#reader;
    field.name = reader.name("the name of a field").text;
    reader.expect("=");
    const place = reader.peek;
    field.number = reader.integer("the number of the field");
    const isTaken = field.number >= RESERVED_FROM && field.number <= RESERVED_TO;
    if (field.number < 1 || field.number > MAX_NUMBER || isTaken) {
      throw schemaError(place, `${field.number} is no number for a field`);
    }
    applyFieldOptions(field, readInlineOptions(reader));
    reader.expect(";");
  }

  #readMap(message: DescriptorProto, scope: string): FieldDescriptorProto {
    const reader = this.#reader;
    const place = reader.take();
    reader.expect("<");
    const entry = create(DescriptorProtoSchema, { options: { mapEntry: true } });
    const key = create(FieldDescriptorProtoSchema, {
      name: "key",
      number: 1,
      label: Label.OPTIONAL,
    });
    const keyPlace = reader.peek;
    key.type = SCALARS.get(reader.name("the type of the key").text) ?? Type.DOUBLE;
    if (NO_MAP_KEYS.includes(key.type)) throw schemaError(keyPlace, "no type for the key of a map");
    reader.expect(",");
    const value = create(FieldDescriptorProtoSchema, {
      name: "value",
      number: 2,
      label: Label.OPTIONAL,
    });
    this.#readType(value, scope);
    reader.expect(">");
    entry.field.push(key, value);
    const field = create(FieldDescriptorProtoSchema, { label: Label.REPEATED, type: Type.MESSAGE });
    this.#readRest(field);
    entry.name = entryName(field.name);
    field.typeName = `.${scope}.${entry.name}`;
    this.#file.definitions.set(`${scope}.${entry.name}`, { kind: "message", place });
    message.nestedType.push(entry);
    return field;
  }
}

/** `user_names` > `UserNamesEntry`, as protoc has it. */
function entryName(field: string): string {
  return field.split("_").map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join("") +
    "Entry";
}

/** `default` and `json_name` are written like options and are none. */
function applyFieldOptions(field: FieldDescriptorProto, options: readonly Option[]): void {
  const rest: Option[] = [];
  for (const option of options) {
    const { name: [first, ...more], value } = option;
    const isPseudo = more.length === 0 && (first === "default" || first === "json_name");
    if (!isPseudo) rest.push(option);
    else if (value.kind !== "scalar") throw schemaError(option.place, `${first} must be a scalar`);
    else if (first === "default") field.defaultValue = value.text;
    else field.jsonName = value.text;
  }
  const standard = standardOptions(FieldOptionsSchema, rest);
  if (standard !== undefined) field.options = standard;
}
