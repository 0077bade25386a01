// HTTP/2 frames as bytes (RFC 9113 4.1 and 6), written without any check: what no honest peer would send can be said too.
// Shares nothing with the codec under test.
import { latin1Bytes } from "../../../sidecar/lib/bytes.ts";

export const TYPE = {
  data: 0,
  headers: 1,
  priority: 2,
  rstStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
  /** Nobody knows it (RFC 9113 5.5). */
  unknown: 0xbe,
} as const;

export const FLAG = { endStream: 1, ack: 1, endHeaders: 4, padded: 8, priority: 0x20 } as const;

/** HEADERS that are a whole request. */
export const WHOLE = FLAG.endStream | FLAG.endHeaders;
/** HEADERS with a body to come. */
export const OPEN = FLAG.endHeaders;

export const SETTING = {
  headerTableSize: 1,
  enablePush: 2,
  maxConcurrentStreams: 3,
  initialWindowSize: 4,
  maxFrameSize: 5,
  maxHeaderListSize: 6,
  enableConnectProtocol: 8,
} as const;

export const MAX_WINDOW = 0x7fffffff;
export const DEFAULT_WINDOW = 65_535;

/** Error codes by number (RFC 9113 7). */
export const REASONS = [
  "NO_ERROR",
  "PROTOCOL_ERROR",
  "INTERNAL_ERROR",
  "FLOW_CONTROL_ERROR",
  "SETTINGS_TIMEOUT",
  "STREAM_CLOSED",
  "FRAME_SIZE_ERROR",
  "REFUSED_STREAM",
  "CANCEL",
  "COMPRESSION_ERROR",
  "CONNECT_ERROR",
  "ENHANCE_YOUR_CALM",
  "INADEQUATE_SECURITY",
  "HTTP_1_1_REQUIRED",
] as const;

export type Reason = (typeof REASONS)[number];
export type Setting = readonly [id: number, value: number];

export const MAGIC = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/** What a PING carries when nothing else is said. */
const OPAQUE = "opaque!!";

/** A byte, text of one byte a character, or bytes as they are. */
export type Piece = number | string | Uint8Array;

export function bytes(...pieces: readonly Piece[]): Uint8Array<ArrayBuffer> {
  const parts = pieces.map(toBytes);
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function toBytes(piece: Piece): Uint8Array {
  if (typeof piece === "number") return Uint8Array.of(piece);
  return typeof piece === "string" ? latin1Bytes(piece) : piece;
}

export function u16(value: number): Uint8Array {
  return Uint8Array.of(value >>> 8, value);
}

export function u32(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
}

/** Any frame; `length` may lie, and bit 31 of `stream` is the reserved one. */
export function frame(
  type: number,
  flags: number,
  stream: number,
  payload: Piece = "",
  length = toBytes(payload).length,
): Uint8Array<ArrayBuffer> {
  return bytes(length >>> 16, u16(length), type, flags, u32(stream), payload);
}

export function headers(stream: number, block: Piece, flags: number = WHOLE): Uint8Array {
  return frame(TYPE.headers, flags, stream, block);
}

export function continuation(stream: number, block: Piece, flags: number = OPEN): Uint8Array {
  return frame(TYPE.continuation, flags, stream, block);
}

export function data(stream: number, payload: Piece, flags: number = 0): Uint8Array {
  return frame(TYPE.data, flags, stream, payload);
}

/** The last DATA. */
export function end(stream: number, payload: Piece = ""): Uint8Array {
  return data(stream, payload, FLAG.endStream);
}

/** Behind a pad length that may lie. */
export function padded(padLength: number, payload: Piece, padding: Piece = ""): Uint8Array {
  return bytes(padLength, payload, padding);
}

export function settings(...values: readonly Setting[]): Uint8Array {
  return frame(TYPE.settings, 0, 0, bytes(...values.flatMap(([id, n]) => [u16(id), u32(n)])));
}

export const SETTINGS_ACK: Uint8Array = frame(TYPE.settings, FLAG.ack, 0);

export function ping(opaque: Piece = OPAQUE, flags = 0): Uint8Array {
  return frame(TYPE.ping, flags, 0, opaque);
}

export function rstStream(stream: number, reason: Reason = "CANCEL"): Uint8Array {
  return frame(TYPE.rstStream, 0, stream, u32(REASONS.indexOf(reason)));
}

export function goaway(lastStream: number, reason: Reason = "NO_ERROR", debug = ""): Uint8Array {
  return frame(TYPE.goaway, 0, 0, bytes(u32(lastStream), u32(REASONS.indexOf(reason)), debug));
}

export function windowUpdate(stream: number, increment: number): Uint8Array {
  return frame(TYPE.windowUpdate, 0, stream, u32(increment));
}

/** Exclusive bit, dependency and weight, of which nothing matters any more (RFC 9113 5.3.2). */
export function priorityFields(dependency: number, weight = 15): Uint8Array {
  return bytes(u32(dependency), weight);
}

export function priority(stream: number, dependency = 0): Uint8Array {
  return frame(TYPE.priority, 0, stream, priorityFields(dependency));
}

export function pushPromise(stream: number, promised: number, block: Piece): Uint8Array {
  return frame(TYPE.pushPromise, FLAG.endHeaders, stream, bytes(u32(promised), block));
}
