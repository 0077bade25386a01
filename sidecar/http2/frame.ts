// Frames as bytes (RFC 9113 4.1 and 6): their types and flags, and writing them. Reading is in frame_reader.ts.
import type { ByteWriter } from "../lib/byte_writer.ts";

export const FRAME = {
  DATA: 0x0,
  HEADERS: 0x1,
  PRIORITY: 0x2,
  RST_STREAM: 0x3,
  SETTINGS: 0x4,
  PUSH_PROMISE: 0x5,
  PING: 0x6,
  GOAWAY: 0x7,
  WINDOW_UPDATE: 0x8,
  CONTINUATION: 0x9,
} as const;

export const FLAG = { ACK: 0x1, END_STREAM: 0x1, END_HEADERS: 0x4, PADDED: 0x8, PRIORITY: 0x20 };

export const FRAME_HEADER_BYTES = 9;

/** SETTINGS_MAX_FRAME_SIZE as it begins, which we never raise for ourselves: the largest payload sent to us. */
export const MAX_FRAME_BYTES = 16384;

/** The largest stream id, window and increment. */
export const MAX_31_BIT = 0x7fffffff;

/** Where the flags stand in a frame header. */
const FLAGS_AT = 4;

/** Writes `value` in four bytes at `at`. */
export function putUint32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}

export function uint32At(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>>
    0;
}

/** Writes a frame header over the nine bytes at `at`, which are there. */
export function putFrameHeader(
  bytes: Uint8Array,
  at: number,
  length: number,
  type: number,
  flags: number,
  stream: number,
): void {
  bytes[at] = length >>> 16;
  bytes[at + 1] = length >>> 8;
  bytes[at + 2] = length;
  bytes[at + 3] = type;
  bytes[at + FLAGS_AT] = flags;
  putUint32(bytes, at + 5, stream);
}

/** Appends a frame header; the caller appends `length` bytes behind it. */
function frameHeader(
  out: ByteWriter,
  length: number,
  type: number,
  flags: number,
  stream: number,
): void {
  out.reserve(FRAME_HEADER_BYTES + length);
  putFrameHeader(out.bytes, out.length, length, type, flags, stream);
  out.length += FRAME_HEADER_BYTES;
}

function appendUint32(out: ByteWriter, value: number): void {
  putUint32(out.bytes, out.length, value);
  out.length += 4;
}

/** Appends DATA with `source[start, end)`. Returns where the frame begins in `out`. */
export function writeData(
  out: ByteWriter,
  stream: number,
  source: Uint8Array,
  start: number,
  end: number,
): number {
  const at = out.length;
  frameHeader(out, end - start, FRAME.DATA, 0, stream);
  out.copy(source, start, end);
  return at;
}

/** Appends DATA of no bytes that ends the stream. */
export function writeEndOfStream(out: ByteWriter, stream: number): void {
  frameHeader(out, 0, FRAME.DATA, FLAG.END_STREAM, stream);
}

/** Lets the frame that begins at `at` and has not left yet end its stream. */
export function markEndOfStream(out: ByteWriter, at: number): void {
  out.bytes[at + FLAGS_AT]! |= FLAG.END_STREAM;
}

export function writeReset(out: ByteWriter, stream: number, reason: number): void {
  frameHeader(out, 4, FRAME.RST_STREAM, 0, stream);
  appendUint32(out, reason);
}

export function writeWindowUpdate(out: ByteWriter, stream: number, increment: number): void {
  frameHeader(out, 4, FRAME.WINDOW_UPDATE, 0, stream);
  appendUint32(out, increment);
}

/** Appends SETTINGS with pairs of identifier and value. */
export function writeSettings(
  out: ByteWriter,
  settings: readonly (readonly [id: number, value: number])[],
): void {
  frameHeader(out, settings.length * 6, FRAME.SETTINGS, 0, 0);
  for (const [id, value] of settings) {
    out.bytes[out.length++] = id >>> 8;
    out.bytes[out.length++] = id;
    appendUint32(out, value);
  }
}

export function writeSettingsAck(out: ByteWriter): void {
  frameHeader(out, 0, FRAME.SETTINGS, FLAG.ACK, 0);
}

/** Appends PING with the eight bytes at `source[start]`. */
export function writePing(
  out: ByteWriter,
  source: Uint8Array,
  start: number,
  isAck: boolean,
): void {
  frameHeader(out, 8, FRAME.PING, isAck ? FLAG.ACK : 0, 0);
  out.copy(source, start, start + 8);
}

/** Appends GOAWAY; `text` is for whoever debugs the peer. */
export function writeGoaway(out: ByteWriter, lastStream: number, reason: number, text = ""): void {
  frameHeader(out, 8 + text.length, FRAME.GOAWAY, 0, 0);
  appendUint32(out, lastStream);
  appendUint32(out, reason);
  out.text(text);
}
