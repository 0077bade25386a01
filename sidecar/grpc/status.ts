// The seventeen statuses of gRPC, their kinship with HTTP's, and how a status is written into fields.
// Knows nothing of which failure of ours gets which status: that is proxy/rescue's.
import { utf8Bytes } from "../lib/bytes.ts";

/** google.rpc.Code by name; the numbers are what `grpc-status` carries. */
export const GRPC = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const;

export type GrpcName = keyof typeof GRPC;
export type GrpcCode = (typeof GRPC)[GrpcName];

/** How a call ended. */
export interface GrpcStatus {
  readonly code: GrpcCode;
  readonly message: string;
}

const NAMES = Object.keys(GRPC) as GrpcName[];

/** By code: google/rpc/code.proto, "HTTP Mapping". */
const HTTP: readonly number[] = [
  ...[200, 499, 500, 400, 504, 404, 409, 403, 429],
  ...[400, 409, 400, 501, 500, 503, 500, 401],
];

export function grpcName(code: GrpcCode): GrpcName {
  return NAMES[code]!;
}

/** The value of `grpc-status`; what is no known code is UNKNOWN (doc/statuscodes.md). */
export function parseGrpcCode(text: string): GrpcCode {
  const code = isDecimal(text) ? Number(text) : -1;
  return code >= 0 && code <= GRPC.UNAUTHENTICATED ? code as GrpcCode : GRPC.UNKNOWN;
}

function isDecimal(text: string): boolean {
  if (text.length === 0 || text.length > 2) return false;
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) < 48 || text.charCodeAt(i) > 57) return false;
  }
  return true;
}

/** The HTTP status of a REST answer for a call that ended with `code`. */
export function httpStatusOf(code: GrpcCode): number {
  return HTTP[code]!;
}

/** The code a REST answer of that HTTP status stands for (google/rpc/code.proto read backwards). */
export function codeOfHttpStatus(status: number): GrpcCode {
  switch (status) {
    case 400:
      return GRPC.INVALID_ARGUMENT;
    case 401:
      return GRPC.UNAUTHENTICATED;
    case 403:
      return GRPC.PERMISSION_DENIED;
    case 404:
      return GRPC.NOT_FOUND;
    case 409:
      return GRPC.ABORTED;
    case 416:
      return GRPC.OUT_OF_RANGE;
    case 429:
      return GRPC.RESOURCE_EXHAUSTED;
    case 499:
      return GRPC.CANCELLED;
    case 501:
      return GRPC.UNIMPLEMENTED;
    case 503:
      return GRPC.UNAVAILABLE;
    case 504:
      return GRPC.DEADLINE_EXCEEDED;
  }
  if (status >= 200 && status < 300) return GRPC.OK;
  if (status >= 400 && status < 500) return GRPC.FAILED_PRECONDITION;
  return status >= 500 && status < 600 ? GRPC.INTERNAL : GRPC.UNKNOWN;
}

/** The code of a gRPC response that came without `grpc-status` (grpc's doc/http-grpc-status-mapping.md). */
export function codeOfBareResponse(status: number): GrpcCode {
  switch (status) {
    case 400:
      return GRPC.INTERNAL;
    case 401:
      return GRPC.UNAUTHENTICATED;
    case 403:
      return GRPC.PERMISSION_DENIED;
    case 404:
      return GRPC.UNIMPLEMENTED;
    case 429:
    case 502:
    case 503:
    case 504:
      return GRPC.UNAVAILABLE;
    default:
      return GRPC.UNKNOWN;
  }
}

const PERCENT = 37;
const HEX = "0123456789ABCDEF";

/** `grpc-message`: UTF-8, percent-encoded but for printable ASCII without `%` (grpc's PROTOCOL-HTTP2.md). */
export function encodeGrpcMessage(message: string): string {
  let text = "";
  for (const byte of utf8Bytes(message)) {
    const isPlain = byte >= 0x20 && byte <= 0x7e && byte !== PERCENT;
    text += isPlain ? String.fromCharCode(byte) : `%${HEX[byte >> 4]}${HEX[byte & 15]}`;
  }
  return text;
}

const decoder = new TextDecoder();

/** Never fails, as the protocol asks: what is not encoded right stays as it is. */
export function decodeGrpcMessage(text: string): string {
  if (!text.includes("%")) return text;
  const bytes = new Uint8Array(text.length);
  let length = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    const byte = code === PERCENT ? hexPair(text, i + 1) : -1;
    if (byte >= 0) i += 2;
    bytes[length++] = byte >= 0 ? byte : code;
  }
  return decoder.decode(bytes.subarray(0, length));
}

/** The byte that two hexadecimal digits at `at` make; -1 where there are none. */
function hexPair(text: string, at: number): number {
  const high = hexDigit(text.charCodeAt(at));
  const low = hexDigit(text.charCodeAt(at + 1));
  return high < 0 || low < 0 ? -1 : high << 4 | low;
}

/** NaN, which is what lies behind the end of a string, is no digit either. */
function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  const letter = code | 32;
  return letter >= 97 && letter <= 102 ? letter - 87 : -1;
}
