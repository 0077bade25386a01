// Bytes and the strings of HTTP, which are Latin-1: one byte, one code unit, so nothing is lost on the way through.
// TextDecoder("latin1") is windows-1252 and ten times slower; Buffer's own slice is 0.07 us (measured).
import { Buffer } from "node:buffer";

interface Latin1 {
  latin1Slice(this: Uint8Array, start: number, end: number): string;
}

const { latin1Slice } = Buffer.prototype as unknown as Latin1;

/** Below this many bytes a loop beats the call into native code (measured). */
const SHORT = 64;
const LONG_TEXT = 64;

/** The bytes `start` to `end` (exclusive) as a string of code units 0 to 255. */
export function latin1(bytes: Uint8Array, start: number, end: number): string {
  return latin1Slice.call(bytes, start, end);
}

const encoder = new TextEncoder();

/**
 * Writes `text` at `offset`, one byte a code unit, and returns the offset behind it. The caller made room.
 * A long text goes by the UTF-8 encoder, which is right for ASCII and tells when it was not (190 bytes: 0.2 us, this loop
 * 0.4, Buffer's latin1Write 1.9).
 */
export function writeLatin1(bytes: Uint8Array, offset: number, text: string): number {
  const length = text.length;
  if (length >= LONG_TEXT) {
    const { read, written } = encoder.encodeInto(text, bytes.subarray(offset, offset + length));
    if (read === length && written === length) return offset + length;
  }
  for (let i = 0; i < length; i++) bytes[offset + i] = text.charCodeAt(i);
  return offset + length;
}

/** Copies `source[start, end)` to `target[offset...]` and returns the offset behind it. */
export function copyBytes(
  target: Uint8Array,
  offset: number,
  source: Uint8Array,
  start: number,
  end: number,
): number {
  const length = end - start;
  if (length >= SHORT) {
    target.set(length === source.length ? source : source.subarray(start, end), offset);
    return offset + length;
  }
  for (let i = start; i < end; i++) target[offset++] = source[i]!;
  return offset;
}

/** Whether `bytes[start, end)` are exactly those of `wanted`. */
export function equals(bytes: Uint8Array, start: number, end: number, wanted: Uint8Array): boolean {
  if (end - start !== wanted.length) return false;
  for (let i = 0; i < wanted.length; i++) if (bytes[start + i] !== wanted[i]) return false;
  return true;
}

/** `text` as bytes, one byte a code unit. */
export function latin1Bytes(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length);
  writeLatin1(bytes, 0, text);
  return bytes;
}

/** `text` as UTF-8. */
export function utf8Bytes(text: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(text);
}
