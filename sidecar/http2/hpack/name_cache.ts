// Field names that were spelled out before, by their bytes: peers spell some names out in every block, and finding one
// here costs a quarter of making a string and looking up its number. Shared by all decoders; bounded, overwritten freely.
import { Field } from "../../http/field.ts";
import { latin1 } from "../../lib/bytes.ts";

const SLOTS = 256;
const MAX_NAME = 40;

const names: (Field | undefined)[] = new Array<Field | undefined>(SLOTS).fill(undefined);

/** A field without a value whose name is `bytes[start, end)`. */
export function namedAt(bytes: Uint8Array, start: number, end: number): Field {
  if (start === end || end - start > MAX_NAME) return new Field(latin1(bytes, start, end), "");
  const slot = slotOf(bytes, start, end);
  const seen = names[slot];
  if (seen !== undefined && isText(bytes, start, end, seen.name)) return seen;
  return names[slot] = new Field(latin1(bytes, start, end), "");
}

function slotOf(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start;
  const hash = length * 7 + bytes[start]! * 31 + bytes[end - 1]! * 17 +
    bytes[start + (length >> 1)]! * 5;
  return hash & (SLOTS - 1);
}

function isText(bytes: Uint8Array, start: number, end: number, text: string): boolean {
  if (text.length !== end - start) return false;
  for (let i = 0; i < text.length; i++) if (bytes[start + i] !== text.charCodeAt(i)) return false;
  return true;
}
