// Why a stream or a connection ends (RFC 9113 7), and the two errors that the codec's parts throw: one ends a stream,
// the other the connection. Each is caught in one place, in connection.ts.

export const REASON = {
  NO_ERROR: 0x0,
  PROTOCOL_ERROR: 0x1,
  INTERNAL_ERROR: 0x2,
  FLOW_CONTROL_ERROR: 0x3,
  SETTINGS_TIMEOUT: 0x4,
  STREAM_CLOSED: 0x5,
  FRAME_SIZE_ERROR: 0x6,
  REFUSED_STREAM: 0x7,
  CANCEL: 0x8,
  COMPRESSION_ERROR: 0x9,
  CONNECT_ERROR: 0xa,
  ENHANCE_YOUR_CALM: 0xb,
  INADEQUATE_SECURITY: 0xc,
  HTTP_1_1_REQUIRED: 0xd,
} as const;

const NAMES = new Map<number, string>(Object.entries(REASON).map(([name, code]) => [code, name]));

/** The name of a reason; a code that nobody defined is written as its number. */
export function reasonName(reason: number): string {
  return NAMES.get(reason) ?? `0x${reason.toString(16)}`;
}

/** The peer broke the connection: nothing on it can be trusted any more (5.4.1). Sent as GOAWAY. */
export class ConnectionError extends Error {
  override readonly name = "ConnectionError";
  readonly reason: number;

  constructor(reason: number, message: string) {
    super(message);
    this.reason = reason;
  }
}

/** The peer broke one stream; the others go on (5.4.2). Sent as RST_STREAM. */
export class StreamError extends Error {
  override readonly name = "StreamError";
  readonly stream: number;
  readonly reason: number;

  constructor(stream: number, reason: number, message: string) {
    super(message);
    this.stream = stream;
    this.reason = reason;
  }
}

/** Throws a connection error PROTOCOL_ERROR. */
export function protocolError(message: string): never {
  throw new ConnectionError(REASON.PROTOCOL_ERROR, message);
}
