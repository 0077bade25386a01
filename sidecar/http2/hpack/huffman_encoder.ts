// Strings to Huffman code (RFC 7541 5.2).
import { CODE, CODE_BITS } from "./huffman_code.ts";

/** How many bytes `text` (code units 0 to 255) takes in Huffman code. */
export function huffmanLength(text: string): number {
  let bits = 0;
  for (let i = 0; i < text.length; i++) bits += CODE_BITS[text.charCodeAt(i)]!;
  return (bits + 7) >>> 3;
}

/** What `huffmanEncode` may write behind the end of the string, on top of its `huffmanLength`. */
export const SPILL = 2;

/**
 * Writes `text` in Huffman code at `offset` and returns the offset behind it; the caller made room, SPILL included.
 * Three bytes are stored a symbol, whole ones or not: a branch for each whole byte is guessed wrong half of the time, and
 * that costs twice as much (measured).
 */
export function huffmanEncode(target: Uint8Array, offset: number, text: string): number {
  // Up to 7 bits wait in `pending`, below what went out already; 15 more make 22, so longer codes go in two parts.
  let pending = 0, bits = 0;
  for (let i = 0; i < text.length; i++) {
    const symbol = text.charCodeAt(i);
    const code = CODE[symbol]!;
    let length = CODE_BITS[symbol]!;
    if (length > 15) {
      length -= 15;
      pending = pending << length | code >>> 15;
      bits = store(target, offset, pending, bits + length);
      offset += bits >>> 3;
      bits &= 7;
      length = 15;
    }
    pending = pending << length | code & 0x7fff;
    bits = store(target, offset, pending, bits + length);
    offset += bits >>> 3;
    bits &= 7;
  }
  if (bits > 0) target[offset++] = pending << (8 - bits) | 0xff >>> bits;
  return offset;
}

function store(target: Uint8Array, offset: number, pending: number, bits: number): number {
  const aligned = pending << (32 - bits);
  target[offset] = aligned >>> 24;
  target[offset + 1] = aligned >>> 16;
  target[offset + 2] = aligned >>> 8;
  return bits;
}
