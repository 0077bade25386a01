// What the head of a response says (RFC 9112 4 and 6), read as strictly as a request: an upstream that can be
// understood in two ways could slip one client's response to another.
import { ProxyError } from "../errors.ts";
import { hasResponseBody } from "../http/message.ts";
import { equals, latin1Bytes } from "../lib/bytes.ts";
import { contentLengthAt, type Framing } from "./framing.ts";
import type { HeadParser } from "./head_parser.ts";
import { stripHopByHop } from "./hop_by_hop.ts";
import { readContentLength, readTransferEncoding } from "./length_fields.ts";
import type { RawFields } from "./raw_fields.ts";

const HTTP_1_1 = latin1Bytes("HTTP/1.1");
const HTTP_1_0 = latin1Bytes("HTTP/1.0");

export interface ResponseHead {
  readonly status: number;
  readonly framing: Framing;
  /** The upstream will take another request on this connection. */
  readonly keepAlive: boolean;
  /** What it switches to, or would. */
  readonly upgrade: string | undefined;
}

/** Reads the head that `parser` has whole and takes its hop-by-hop fields out. Throws ProxyError `upstream-protocol`. */
export function readResponseHead(parser: HeadParser, method: string): ResponseHead {
  const { fields } = parser;
  const { bytes, base } = fields;
  const isNew = equals(bytes, base, base + parser.firstSpace, HTTP_1_1);
  if (!isNew && !equals(bytes, base, base + parser.firstSpace, HTTP_1_0)) {
    refuse("the status line does not begin with HTTP/1.1");
  }
  const statusEnd = parser.secondSpace === 0 ? parser.lineEnd : parser.secondSpace;
  const status = readStatus(bytes, base + parser.firstSpace + 1, base + statusEnd);
  const framing = readFraming(fields, method, status, !isNew);
  const hop = stripHopByHop(fields);
  const keepAlive = framing.kind !== "close" && !hop.close &&
    (isNew || hop.keepAlive);
  return { status, framing, keepAlive, upgrade: hop.upgrade };
}

function readStatus(bytes: Uint8Array, start: number, end: number): number {
  const status = contentLengthAt(bytes, start, end);
  if (status === undefined || end - start !== 3 || status < 100) {
    refuse("the status is not three digits");
  }
  return status;
}

function readFraming(fields: RawFields, method: string, status: number, isOld: boolean): Framing {
  const bytes = readContentLength(fields, refuse);
  const coding = readTransferEncoding(fields, refuse);
  if (coding !== undefined) {
    if (bytes !== undefined) refuse("Content-Length together with Transfer-Encoding");
    if (isOld) refuse("Transfer-Encoding in HTTP/1.0");
    if (coding.toLowerCase() !== "chunked") refuse("Transfer-Encoding is not chunked");
  }
  if (!hasResponseBody(method, status)) return { kind: "none" };
  if (coding !== undefined) return { kind: "chunked" };
  return bytes === undefined ? { kind: "close" } : { kind: "length", bytes };
}

function refuse(message: string): never {
  throw new ProxyError("upstream-protocol", message, { side: "upstream" });
}
