// Request ids: version 4 UUIDs (RFC 9562 5.4) from random bytes fetched many at a time.
// crypto.randomUUID gives slices that keep a longer string alive, and a string put together from pieces is flattened
// when it is first written, which costs as much again.
import { latin1 } from "./bytes.ts";

/** Ids made of one fetch; getRandomValues gives at most 64 KiB. */
const IDS = 256;
const ID_BYTES = 16;

const DIGITS = Uint8Array.from("0123456789abcdef", (digit) => digit.charCodeAt(0));
/** Where each byte's two digits stand in the text. */
const PLACES = Uint8Array.of(0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34);

const pool = new Uint8Array(IDS * ID_BYTES);
let next = pool.length;

const text = new Uint8Array(36).fill("-".charCodeAt(0));

/** A new random id. */
export function newRequestId(): string {
  if (next === pool.length) {
    crypto.getRandomValues(pool);
    next = 0;
  }
  pool[next + 6] = pool[next + 6]! & 0x0f | 0x40;
  pool[next + 8] = pool[next + 8]! & 0x3f | 0x80;
  for (let i = 0; i < ID_BYTES; i++) {
    const byte = pool[next + i]!;
    const at = PLACES[i]!;
    text[at] = DIGITS[byte >> 4]!;
    text[at + 1] = DIGITS[byte & 15]!;
  }
  next += ID_BYTES;
  return latin1(text, 0, text.length);
}
