// The lines of the fields that we add to a head. Most say the same from message to message, and copying bytes costs a
// third of encoding a string (measured): the line made last under each known name is kept.
import { PREFIXES } from "../http/field_names.ts";
import { checkField, FIELD_VALUE } from "../http/syntax.ts";
import type { ByteWriter } from "../lib/byte_writer.ts";
import { copyBytes, writeLatin1 } from "../lib/bytes.ts";

/** Longer lines are not kept. */
const MAX_LINE = 128;

/** By id of the name: the line, its length and its value. */
const LINES = new Uint8Array(PREFIXES.length * MAX_LINE);
const LENGTHS = new Uint8Array(PREFIXES.length);
const VALUES: (string | undefined)[] = PREFIXES.map(() => undefined);

PREFIXES.forEach((prefix, id) => {
  if (prefix !== undefined) copyBytes(LINES, id * MAX_LINE, prefix, 0, prefix.length);
});

/** Checks a field as `checkField` does, and makes its line in the same pass: it is about to be written. */
export function prepareFieldLine(id: number, name: string, value: string): void {
  if (id !== 0 && VALUES[id] === value) return;
  const prefix = PREFIXES[id];
  const { length } = value;
  if (prefix === undefined || prefix.length + length + 2 > MAX_LINE) {
    return checkField(name, value, id);
  }
  VALUES[id] = undefined;
  let at = id * MAX_LINE + prefix.length;
  for (let i = 0; i < length; i++) {
    const code = value.charCodeAt(i);
    if (code > 255 || FIELD_VALUE[code] === 0) return checkField(name, value, id);
    LINES[at++] = code;
  }
  LINES[at++] = 13;
  LINES[at++] = 10;
  LENGTHS[id] = at - id * MAX_LINE;
  VALUES[id] = value;
}

/** Writes `name: value` and CRLF; `id` is that of the name, 0 when it is not a known one. */
export function writeFieldLine(out: ByteWriter, id: number, name: string, value: string): void {
  if (id !== 0 && VALUES[id] === value) {
    return out.copy(LINES, id * MAX_LINE, id * MAX_LINE + LENGTHS[id]!);
  }
  out.reserve(name.length + value.length + 4);
  const { bytes } = out;
  let at = writeLatin1(bytes, out.length, name);
  bytes[at++] = 58;
  bytes[at++] = 32;
  at = writeLatin1(bytes, at, value);
  bytes[at++] = 13;
  bytes[at++] = 10;
  out.length = at;
}
