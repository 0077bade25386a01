// Field paths such as `book.author.name`: what of a message a path segment or a query parameter stands for.
import type { DescField, DescMessage } from "@bufbuild/protobuf";

/** From the message inward; never empty. */
export type FieldPath = readonly DescField[];

/** Messages whose JSON is one string or scalar, so that a segment or a parameter can be one. */
const TEXT_MESSAGES: ReadonlySet<string> = new Set([
  "google.protobuf.Timestamp",
  "google.protobuf.Duration",
  "google.protobuf.FieldMask",
]);

const WRAPPERS: ReadonlySet<string> = new Set(
  ["Bool", "Bytes", "Double", "Float", "Int32", "Int64", "String", "UInt32", "UInt64"]
    .map((name) => `google.protobuf.${name}Value`),
);

/** The scalar field inside a wrapper such as StringValue; undefined for any other message. */
export function wrappedField(message: DescMessage): DescField | undefined {
  return WRAPPERS.has(message.typeName) ? message.fields[0] : undefined;
}

/** The fields that a dotted path names, by their names in the schema or in JSON; a string that says why there are none. */
export function resolveFieldPath(message: DescMessage, path: string): FieldPath | string {
  const fields: DescField[] = [];
  let inner: DescMessage | undefined = message;
  for (const name of path.split(".")) {
    if (inner === undefined) return `"${fields.at(-1)!.name}" is no message`;
    const field = findField(inner, name);
    if (field === undefined) return `${inner.typeName} has no field "${name}"`;
    fields.push(field);
    inner = field.fieldKind === "message" ? field.message : undefined;
  }
  return fields;
}

export function findField(message: DescMessage, name: string): DescField | undefined {
  return message.fields.find((field) => field.name === name) ??
    message.fields.find((field) => field.jsonName === name);
}

/** Whether a text can be the value: scalars, enums and the messages that are written as one. */
export function isTextField(field: DescField): boolean {
  if (field.fieldKind === "scalar" || field.fieldKind === "enum") return true;
  return field.fieldKind === "message" && isTextMessage(field.message);
}

/** A list of such values, which a query can repeat. */
export function isTextList(field: DescField): boolean {
  if (field.fieldKind !== "list") return false;
  return field.listKind !== "message" || isTextMessage(field.message);
}

function isTextMessage(message: DescMessage): boolean {
  return TEXT_MESSAGES.has(message.typeName) || wrappedField(message) !== undefined;
}
