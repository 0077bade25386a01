// Writes the field lines that we add to a head. Most say the same from message to message, and copying what was written
// last costs a third of encoding the string again (measured).
import { PREFIXES } from "../http/field_names.ts";
import type { ByteWriter } from "../lib/byte_writer.ts";

/** Longer lines are not kept. */
const MAX_LINE = 128;

/** By id of the name: the line written last, its length and its value. */
const LINES = new Uint8Array(PREFIXES.length * MAX_LINE);
const LENGTHS = new Uint8Array(PREFIXES.length);
const VALUES: (string | undefined)[] = PREFIXES.map(() => undefined);

/** Writes `name: value` and CRLF; `id` is that of the name, 0 when it is not a known one. */
export function writeFieldLine(out: ByteWriter, id: number, name: string, value: string): void {
  if (id === 0) {
    out.text(name);
    out.text(": ");
    out.text(value);
    out.crlf();
  } else if (VALUES[id] === value) out.copy(LINES, id * MAX_LINE, id * MAX_LINE + LENGTHS[id]!);
  else writeKnown(out, id, value);
}

function writeKnown(out: ByteWriter, id: number, value: string): void {
  const start = out.length;
  out.copy(PREFIXES[id]!);
  out.text(value);
  out.crlf();
  const length = out.length - start;
  if (length > MAX_LINE) return;
  for (let i = 0, at = id * MAX_LINE; i < length; i++) LINES[at + i] = out.bytes[start + i]!;
  LENGTHS[id] = length;
  VALUES[id] = value;
}
