// Options as they are written: a dotted name and a value, which may be a message in the text format.
// What a name means is not known here; google.api.http and the standard options are made sense of elsewhere.
import type { DescField, DescMessage, JsonObject, JsonValue } from "@bufbuild/protobuf";
import { type Place, schemaError } from "./lexer.ts";
import type { TokenReader } from "./token_reader.ts";

/** A message's fields keep their order and repetitions. */
export type OptionValue =
  | { readonly kind: "scalar"; readonly json: JsonValue; readonly text: string }
  | { readonly kind: "list"; readonly items: readonly OptionValue[] }
  | { readonly kind: "message"; readonly fields: OptionFields };

export type OptionFields = readonly (readonly [name: string, value: OptionValue])[];

export interface Option {
  /** `deprecated`, `features.field_presence`, `(google.api.http).get` as its parts; an extension keeps its parentheses. */
  readonly name: readonly string[];
  readonly value: OptionValue;
  readonly place: Place;
}

/** No schema nests so deep; whoever does wants the stack. */
const MAX_DEPTH = 32;

/** `NAME = VALUE`, behind `option` or within brackets. */
export function readOption(reader: TokenReader): Option {
  const place = reader.peek;
  const name: string[] = [];
  do {
    if (reader.takeIf("(")) {
      name.push(`(${reader.path("the name of an option").text.replace(/^\./, "")})`);
      reader.expect(")");
    } else name.push(reader.name("the name of an option").text);
  } while (reader.takeIf("."));
  reader.expect("=");
  return { name, value: readValue(reader, 0), place };
}

/** `[NAME = VALUE, ...]`, where it is there. */
export function readInlineOptions(reader: TokenReader): Option[] {
  const options: Option[] = [];
  if (!reader.takeIf("[")) return options;
  do options.push(readOption(reader)); while (reader.takeIf(","));
  reader.expect("]");
  return options;
}

function readValue(reader: TokenReader, depth: number): OptionValue {
  if (depth > MAX_DEPTH) throw schemaError(reader.peek, "options nested too deep");
  if (reader.is("{") || reader.is("<")) return readMessage(reader, depth);
  if (reader.takeIf("[")) return readList(reader, depth);
  if (reader.peek.kind === "string") {
    const text = reader.string("a string");
    return { kind: "scalar", json: text, text };
  }
  return readScalar(reader);
}

function readList(reader: TokenReader, depth: number): OptionValue {
  const items: OptionValue[] = [];
  if (reader.takeIf("]")) return { kind: "list", items };
  do items.push(readValue(reader, depth + 1)); while (reader.takeIf(","));
  reader.expect("]");
  return { kind: "list", items };
}

function readScalar(reader: TokenReader): OptionValue {
  const sign = reader.takeIf("-") ? "-" : (reader.takeIf("+"), "");
  const { kind, text } = reader.peek;
  if (kind !== "name" && kind !== "number") throw reader.unexpected("a value");
  reader.take();
  const signed = sign + text;
  if (kind === "name") {
    const json = text === "true" ? true : text === "false" ? false : signed;
    return { kind: "scalar", json, text: signed };
  }
  const number = /^0[0-7]+$/.test(text) ? parseInt(text, 8) : Number(text);
  return { kind: "scalar", json: sign === "-" ? -number : number, text: signed };
}

/** Text format: `{ name: value  name { ... } [extension.name]: value }`, separated by nothing, commas or semicolons. */
function readMessage(reader: TokenReader, depth: number): OptionValue {
  const close = reader.take().text === "{" ? "}" : ">";
  const fields: [string, OptionValue][] = [];
  while (!reader.takeIf(close)) {
    const name = readFieldName(reader);
    if (!reader.takeIf(":") && !reader.is("{") && !reader.is("<")) throw reader.unexpected('":"');
    fields.push([name, readValue(reader, depth + 1)]);
    if (!reader.takeIf(",")) reader.takeIf(";");
  }
  return { kind: "message", fields };
}

function readFieldName(reader: TokenReader): string {
  if (!reader.takeIf("[")) return reader.name("the name of a field").text;
  let name = reader.path("the name of an extension").text;
  if (reader.takeIf("/")) name += `/${reader.path("the name of a type").text}`;
  reader.expect("]");
  return `[${name}]`;
}

/** The options as one message: `features.x = 1` is `features { x: 1 }`. Extensions are left out. */
export function standardFields(options: readonly Option[]): OptionFields {
  return options.filter(({ name }) => !name.some((part) => part.startsWith("(")))
    .map(({ name, value }) => nestOption(name, value));
}

/** A dotted name as fields within fields. */
export function nestOption(name: readonly string[], value: OptionValue): OptionFields[number] {
  const [first = "", ...rest] = name;
  if (rest.length === 0) return [first, value];
  return [first, { kind: "message", fields: [nestOption(rest, value)] }];
}

/** The fields as the JSON of `schema`: what is repeated there is a list, and a message written in parts is one. */
export function fieldsJson(schema: DescMessage | undefined, fields: OptionFields): JsonObject {
  const json: JsonObject = Object.create(null);
  for (const [name, value] of fields) {
    const field = schema?.fields.find((field) => field.name === name);
    json[name] = joined(field, json[name], valueJson(field?.message, value));
  }
  return json;
}

function joined(field: DescField | undefined, found: JsonValue | undefined, next: JsonValue) {
  if (field?.fieldKind === "list") return [found ?? [], next].flat();
  if (found === undefined) return next;
  return field?.fieldKind === "message"
    ? Object.assign(found as JsonObject, next)
    : [found, next].flat(); // of no field that is known, or an error for whoever reads it
}

function valueJson(schema: DescMessage | undefined, value: OptionValue): JsonValue {
  if (value.kind === "scalar") return value.json;
  if (value.kind === "list") return value.items.map((item) => valueJson(schema, item));
  return fieldsJson(schema, value.fields);
}
