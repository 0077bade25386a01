// Messages to bytes (RFC 9112 3, 4, 6, 7.1). What came as HTTP/1.1 goes on as the bytes it came in.
import type { ByteWriter } from "../lib/byte_writer.ts";
import { latin1Bytes } from "../lib/bytes.ts";
import type { Body } from "../http/body.ts";
import { fieldId, isHopByHop } from "../http/field_names.ts";
import type { Fields } from "../http/fields.ts";
import type { Request, Response, Version } from "../http/message.ts";
import { hasResponseBody } from "../http/message.ts";
import { FORBIDDEN_TRAILERS } from "../http/trailers.ts";
import { writeFieldLine } from "./field_lines.ts";
import { RawFields } from "./raw_fields.ts";

/** How the writer delimits a body: as its Content-Length says, by chunks, by closing, or not at all. */
export type BodyCoding = "none" | "length" | "chunked" | "close";

const CHUNKED = latin1Bytes("transfer-encoding: chunked\r\n");
const CLOSE = latin1Bytes("connection: close\r\n");
const KEEP_ALIVE = latin1Bytes("connection: keep-alive\r\n");
const TRAILERS = latin1Bytes("te: trailers\r\nconnection: te\r\n");
const LAST_CHUNK = latin1Bytes("0\r\n");

const REASONS: Readonly<Record<number, string>> = {
  100: "Continue",
  101: "Switching Protocols",
  102: "Processing",
  103: "Early Hints",
  200: "OK",
  201: "Created",
  202: "Accepted",
  203: "Non-Authoritative Information",
  204: "No Content",
  205: "Reset Content",
  206: "Partial Content",
  300: "Multiple Choices",
  301: "Moved Permanently",
  302: "Found",
  303: "See Other",
  304: "Not Modified",
  307: "Temporary Redirect",
  308: "Permanent Redirect",
  400: "Bad Request",
  401: "Unauthorized",
  402: "Payment Required",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  406: "Not Acceptable",
  408: "Request Timeout",
  409: "Conflict",
  410: "Gone",
  411: "Length Required",
  412: "Precondition Failed",
  413: "Content Too Large",
  414: "URI Too Long",
  415: "Unsupported Media Type",
  416: "Range Not Satisfiable",
  417: "Expectation Failed",
  421: "Misdirected Request",
  422: "Unprocessable Content",
  425: "Too Early",
  426: "Upgrade Required",
  428: "Precondition Required",
  429: "Too Many Requests",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  501: "Not Implemented",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
  505: "HTTP Version Not Supported",
  508: "Loop Detected",
};

const STATUS_LINES: (Uint8Array | undefined)[] = [];

function statusLine(status: number): Uint8Array {
  return STATUS_LINES[status] ??= latin1Bytes(`HTTP/1.1 ${status} ${REASONS[status] ?? ""}\r\n`);
}

/** Writes a request head and says how its body must follow. */
export function writeRequestHead(out: ByteWriter, request: Request): BodyCoding {
  out.text(`${request.method} ${request.target} HTTP/1.1\r\n`);
  const { headers, body, upgrade } = request;
  const coding = upgrade === undefined ? requestCoding(body, headers) : "close";
  // HTTP/2 says in `:authority` what Host says here (RFC 9113 8.3.1).
  if (!(headers instanceof RawFields) && !headers.has("host")) {
    out.text(`host: ${request.authority}\r\n`);
  }
  writeFields(out, headers);
  if (upgrade !== undefined) writeUpgrade(out, upgrade);
  if (coding === "chunked") out.copy(CHUNKED);
  if (request.acceptsTrailers) out.copy(TRAILERS);
  out.crlf();
  return coding;
}

/** Both halves of asking for another protocol, and of granting it (RFC 9110 7.8). */
function writeUpgrade(out: ByteWriter, protocol: string): void {
  out.text(`connection: upgrade\r\nupgrade: ${protocol}\r\n`);
}

/** Writes the head that grants a switch to `protocol`; what follows are its bytes. */
export function writeSwitch(out: ByteWriter, headers: Fields, protocol: string): void {
  out.copy(statusLine(101));
  headers.delete("content-length");
  writeFields(out, headers);
  writeUpgrade(out, protocol);
  out.crlf();
}

function requestCoding(body: Body, headers: Fields): BodyCoding {
  if (body.length === undefined) {
    headers.delete("content-length");
    return "chunked";
  }
  // Of a body that a filter took away no length may stay behind; where there was none, none is needed.
  if (body.length > 0 || headers.has("content-length")) setContentLength(headers, body.length);
  return body.length === 0 ? "none" : "length";
}

/** The field says what the body will be: a filter may have put another body in, and two lengths are two messages. */
function setContentLength(headers: Fields, length: number): void {
  if (headers instanceof RawFields && headers.saysLength(length)) return;
  const text = String(length);
  if (headers.get("content-length") !== text) headers.set("content-length", text);
}

export interface ResponseContext {
  readonly method: string;
  readonly version: Version;
  /** The connection goes on behind this response. */
  readonly keepAlive: boolean;
}

/** Writes a response head and says how its body must follow. `close` coding means the connection cannot go on. */
export function writeResponseHead(
  out: ByteWriter,
  response: Response,
  context: ResponseContext,
): BodyCoding {
  const { headers, status } = response;
  const coding = responseCoding(response, context);
  out.copy(statusLine(status));
  writeFields(out, headers);
  if (coding === "chunked") out.copy(CHUNKED);
  if (!context.keepAlive || coding === "close") out.copy(CLOSE);
  else if (context.version === "1.0") out.copy(KEEP_ALIVE);
  out.crlf();
  return coding;
}

function responseCoding(response: Response, context: ResponseContext): BodyCoding {
  const { headers, body, status } = response;
  if (!hasResponseBody(context.method, status)) {
    if (status === 204) headers.delete("content-length");
    return "none";
  }
  if (body.length !== undefined) {
    setContentLength(headers, body.length);
    return "length";
  }
  headers.delete("content-length");
  return context.version === "1.0" ? "close" : "chunked";
}

/** Writes an informational response. */
export function writeInterim(out: ByteWriter, status: number, headers: Fields): void {
  out.copy(statusLine(status));
  writeFields(out, headers);
  out.crlf();
}

/** Writes `size` in hexadecimal and CRLF: what stands before chunk data. */
export function writeChunkSize(out: ByteWriter, size: number): void {
  out.text(size.toString(16));
  out.crlf();
}

/** Writes the last chunk and the trailers that may follow a body. */
export function writeLastChunk(out: ByteWriter, trailers: Fields | undefined): void {
  out.copy(LAST_CHUNK);
  if (trailers !== undefined) {
    trailers.deleteAll(FORBIDDEN_TRAILERS);
    writeFields(out, trailers);
  }
  out.crlf();
}

function writeFields(out: ByteWriter, fields: Fields): void {
  if (fields instanceof RawFields) return fields.writeTo(out);
  for (const [name, value] of fields) {
    const id = fieldId(name);
    if (!isHopByHop(id)) writeFieldLine(out, id, name, value);
  }
}
