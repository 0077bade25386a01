// Messages, extensions and enums of a .proto file to descriptors: the part of the grammar that nests.
import { create } from "@bufbuild/protobuf";
import {
  type DescriptorProto,
  DescriptorProtoSchema,
  type EnumDescriptorProto,
  type FieldDescriptorProto,
  FieldDescriptorProto_Label as Label,
  MessageOptionsSchema,
  OneofDescriptorProtoSchema,
} from "@bufbuild/protobuf/wkt";
import { schemaError, type Token } from "./lexer.ts";
import { type Option, readOption } from "./options.ts";
import { parseEnum } from "./parse_enum.ts";
import { FieldParser } from "./parse_field.ts";
import type { ParsedFile } from "./parsed_file.ts";
import { standardOptions } from "./standard_options.ts";
import type { TokenReader } from "./token_reader.ts";

/** Where definitions go: a file or a message. */
export interface Parent {
  /** The full name that names within are behind. */
  readonly scope: string;
  readonly nested: DescriptorProto[];
  readonly enums: EnumDescriptorProto[];
  readonly extensions: FieldDescriptorProto[];
  readonly depth: number;
}

/** protoc's own limit. */
const MAX_DEPTH = 32;

export class FileParser {
  readonly #file: ParsedFile;
  readonly #reader: TokenReader;
  readonly #fields: FieldParser;

  constructor(file: ParsedFile, reader: TokenReader) {
    this.#file = file;
    this.#reader = reader;
    this.#fields = new FieldParser(file, reader);
  }

  /** Reads a message, an enum or an extension; false where something else stands. */
  readTypeStatement(parent: Parent): boolean {
    const reader = this.#reader;
    if (reader.second.kind !== "name" && !reader.is("extend")) return false;
    if ((reader.is("export") || reader.is("local")) && isTypeWord(reader.second.text)) {
      reader.take(); // edition 2024
    }
    if (reader.takeIf("message")) this.#readMessage(parent);
    else if (reader.takeIf("enum")) this.#readEnum(parent);
    else if (reader.takeIf("extend")) this.#readExtend(parent);
    else return false;
    return true;
  }

  #define(name: Token, scope: string, kind: "message" | "enum"): string {
    const fullName = scope === "" ? name.text : `${scope}.${name.text}`;
    if (this.#file.definitions.has(fullName)) {
      throw schemaError(name, `"${fullName}" is defined twice`);
    }
    this.#file.definitions.set(fullName, { kind, place: name });
    return fullName;
  }

  #readEnum(parent: Parent): void {
    const name = this.#reader.name("the name of an enum");
    this.#define(name, parent.scope, "enum");
    const proto = parseEnum(name, this.#reader);
    parent.enums.push(proto);
    if (this.#file.proto.syntax === "proto3" && proto.value[0]!.number !== 0) {
      throw schemaError(name, `the first value of enum "${name.text}" must be 0 in proto3`);
    }
  }

  #readMessage(parent: Parent): void {
    const name = this.#reader.name("the name of a message");
    if (parent.depth >= MAX_DEPTH) throw schemaError(name, "messages nested too deep");
    const scope = this.#define(name, parent.scope, "message");
    const proto = create(DescriptorProtoSchema, { name: name.text });
    parent.nested.push(proto);
    const inner: Parent = {
      scope,
      nested: proto.nestedType,
      enums: proto.enumType,
      extensions: proto.extension,
      depth: parent.depth + 1,
    };
    const options: Option[] = [];
    this.#reader.expect("{");
    while (!this.#reader.takeIf("}")) this.#readMember(proto, inner, options);
    const standard = standardOptions(MessageOptionsSchema, options);
    if (standard !== undefined) proto.options = standard;
    addSyntheticOneofs(proto);
  }

  #readMember(proto: DescriptorProto, inner: Parent, options: Option[]): void {
    const reader = this.#reader;
    if (reader.takeIf(";") || this.readTypeStatement(inner)) return;
    if (reader.is("option") && isOptionStart(reader.second)) {
      reader.take();
      options.push(readOption(reader));
      reader.expect(";");
    } else if (isRangeStart(reader)) reader.skipStatement();
    else if (reader.is("oneof") && reader.second.kind === "name") {
      this.#readOneof(proto, inner.scope);
    } else this.#fields.readField(proto, inner.scope, undefined);
  }

  #readOneof(proto: DescriptorProto, scope: string): void {
    const reader = this.#reader;
    reader.take();
    const { text: name } = reader.name("the name of a oneof");
    const index = proto.oneofDecl.push(create(OneofDescriptorProtoSchema, { name })) - 1;
    reader.expect("{");
    while (!reader.takeIf("}")) {
      if (reader.takeIf(";")) continue;
      if (reader.is("option") && isOptionStart(reader.second)) {
        reader.take();
        readOption(reader);
        reader.expect(";");
      } else this.#fields.readField(proto, scope, index);
    }
  }

  #readExtend(parent: Parent): void {
    const reader = this.#reader;
    const { text: extendee, place } = reader.path("the name of a message");
    reader.expect("{");
    while (!reader.takeIf("}")) {
      if (reader.takeIf(";")) continue;
      const field = this.#fields.readExtension(parent.scope);
      parent.extensions.push(field);
      this.#file.references.push({
        kind: "extendee",
        field,
        name: extendee,
        scope: parent.scope,
        place,
      });
    }
  }
}

function isTypeWord(text: string): boolean {
  return text === "message" || text === "enum";
}

function isOptionStart({ kind, text }: Token): boolean {
  return kind === "name" || text === "(";
}

/** `extensions 100 to 199;` and `reserved 2, "foo";` restrict authors, not messages. */
function isRangeStart(reader: TokenReader): boolean {
  return reader.is("extensions") || reader.is("reserved");
}

/** proto3's `optional` is a oneof of its own, behind those that are written (protobuf's docs/implementing_proto3_presence.md). */
function addSyntheticOneofs(proto: DescriptorProto): void {
  for (const field of proto.field) {
    if (!field.proto3Optional || field.label !== Label.OPTIONAL) continue;
    const oneof = create(OneofDescriptorProtoSchema, { name: `_${field.name}` });
    field.oneofIndex = proto.oneofDecl.push(oneof) - 1;
  }
}
