// A text from a path or a query as the JSON that its field takes.
import { type DescField, type JsonValue, ScalarType } from "@bufbuild/protobuf";
import { wrappedField } from "./field_path.ts";

/** A number of JSON (RFC 8259 6), or one of the words proto3 has for what JSON cannot say. */
const NUMBER = /^-?(?:0|[1-9][0-9]{0,99})(?:\.[0-9]{1,99})?(?:[eE][+-]?[0-9]{1,4})?$/;
const NO_NUMBERS: ReadonlySet<string> = new Set(["NaN", "Infinity", "-Infinity"]);
const INTEGER = /^-?[0-9]{1,20}$/;
const DURATION = /^-?[0-9]{1,12}(?:\.[0-9]{1,9})?s$/;

/** Throws Error that says what was expected. Whether a number fits, and a name is known, is seen when the JSON is read. */
export function jsonOfText(field: DescField, text: string): JsonValue {
  if (field.enum !== undefined) return INTEGER.test(text) ? Number(text) : text;
  if (field.message !== undefined) return jsonOfTextMessage(field, text);
  return jsonOfScalar(field.scalar!, text);
}

function jsonOfTextMessage({ message }: DescField, text: string): JsonValue {
  const wrapped = wrappedField(message!);
  if (wrapped?.scalar !== undefined) return jsonOfScalar(wrapped.scalar, text);
  if (message!.typeName === "google.protobuf.Duration" && !DURATION.test(text)) {
    throw new Error('expected seconds such as "1.5s"');
  }
  return text;
}

function jsonOfScalar(scalar: ScalarType, text: string): JsonValue {
  switch (scalar) {
    case ScalarType.STRING:
    case ScalarType.BYTES:
      return text;
    case ScalarType.BOOL:
      if (text !== "true" && text !== "false") throw new Error('expected "true" or "false"');
      return text === "true";
    case ScalarType.DOUBLE:
    case ScalarType.FLOAT:
      if (!NUMBER.test(text) && !NO_NUMBERS.has(text)) throw new Error("expected a number");
      return text;
    default:
      if (!INTEGER.test(text)) throw new Error("expected a whole number");
      return text;
  }
}
