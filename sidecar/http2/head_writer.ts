// Heads and trailers to HEADERS and CONTINUATION (RFC 9113 6.2, 8.2, 8.3). What came by HTTP/2 goes on as the very Field
// objects that came, which the encoder knows by identity.
import type { Body } from "../http/body.ts";
import { Field } from "../http/field.ts";
import { FieldList, type Fields } from "../http/fields.ts";
import { fieldId, isHopByHop, knownId } from "../http/field_names.ts";
import type { Request } from "../http/message.ts";
import { isForbiddenTrailer } from "../http/trailers.ts";
import type { ByteWriter } from "../lib/byte_writer.ts";
import { FLAG, FRAME, FRAME_HEADER_BYTES, putFrameHeader } from "./frame.ts";
import type { HpackEncoder } from "./hpack/encoder.ts";
import type { Output } from "./output.ts";
import type { PeerSettings } from "./settings.ts";

const HOST = knownId("host");

const METHODS: ReadonlyMap<string, Field> = new Map(
  ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "CONNECT"]
    .map((method) => [method, new Field(":method", method)]),
);
const HTTP = new Field(":scheme", "http");
const HTTPS = new Field(":scheme", "https");
const TE_TRAILERS = new Field("te", "trailers");

const STATUSES: (Field | undefined)[] = [];

function statusField(status: number): Field {
  return STATUSES[status] ??= new Field(":status", String(status));
}

/** Writes the heads of one connection; encoding has an order, so each is written whole at once (4.3). */
export class HeadWriter {
  readonly #output: Output;
  readonly #encoder: HpackEncoder;
  readonly #peer: PeerSettings;
  /** Connections to one endpoint repeat it. */
  #authority: Field | undefined;
  /** The methods of a gRPC service are few. */
  #path: Field | undefined;

  constructor(output: Output, encoder: HpackEncoder, peer: PeerSettings) {
    this.#output = output;
    this.#encoder = encoder;
    this.#peer = peer;
  }

  /** A request with `upgrade` goes as extended CONNECT (RFC 8441 4). */
  request(stream: number, request: Request, isEnd: boolean): void {
    const { headers, body, upgrade } = request;
    settleLength(headers, body);
    const out = this.#output.open();
    const at = this.#begin(out);
    const encoder = this.#encoder;
    const method = upgrade === undefined ? request.method : "CONNECT";
    encoder.encode(out, METHODS.get(method) ?? new Field(":method", method));
    if (upgrade !== undefined) encoder.encode(out, new Field(":protocol", upgrade));
    const authority = headers.get("host") ?? request.authority;
    if (request.form !== "authority") {
      encoder.encode(out, request.scheme === "https" ? HTTPS : HTTP);
      encoder.encode(out, this.#pathField(request.target));
    }
    if (authority !== "") encoder.encode(out, this.#authorityField(authority));
    this.#fields(out, headers, isHeader);
    if (request.acceptsTrailers) encoder.encode(out, TE_TRAILERS);
    this.#end(out, at, stream, isEnd);
  }

  /** A final response, or an informational one. The caller made its length right. */
  response(stream: number, status: number, headers: Fields, isEnd: boolean): void {
    const out = this.#output.open();
    const at = this.#begin(out);
    this.#encoder.encode(out, statusField(status));
    this.#fields(out, headers, isHeader);
    this.#end(out, at, stream, isEnd);
  }

  /** They end the stream. */
  trailers(stream: number, fields: Fields): void {
    const out = this.#output.open();
    const at = this.#begin(out);
    this.#fields(out, fields, isTrailer);
    this.#end(out, at, stream, true);
  }

  #authorityField(value: string): Field {
    if (this.#authority?.value !== value) this.#authority = new Field(":authority", value);
    return this.#authority!;
  }

  #pathField(value: string): Field {
    if (this.#path?.value !== value) this.#path = new Field(":path", value, false, 0);
    return this.#path!;
  }

  #begin(out: ByteWriter): number {
    const at = out.length;
    out.reserve(FRAME_HEADER_BYTES);
    out.length += FRAME_HEADER_BYTES;
    this.#encoder.begin(out);
    return at;
  }

  /** Those that `isWanted` says by the id of their name, and by the name. */
  #fields(
    out: ByteWriter,
    fields: Fields,
    isWanted: (id: number, name: string) => boolean,
  ): void {
    const encoder = this.#encoder;
    if (fields instanceof FieldList) {
      for (const field of fields.items) {
        if (isWanted(field.id, field.name)) encoder.encode(out, field);
      }
      return;
    }
    for (const [name, value] of fields) {
      const lower = name.toLowerCase();
      const id = fieldId(lower);
      if (isWanted(id, lower)) encoder.encode(out, new Field(lower, value, false, id));
    }
  }

  #end(out: ByteWriter, at: number, stream: number, isEnd: boolean): void {
    const length = out.length - at - FRAME_HEADER_BYTES;
    const flags = isEnd ? FLAG.END_STREAM : 0;
    if (length > this.#peer.frameBytes) return this.#split(out, at, stream, flags);
    putFrameHeader(out.bytes, at, length, FRAME.HEADERS, flags | FLAG.END_HEADERS, stream);
  }

  /** A block larger than a frame goes on in CONTINUATION. */
  #split(out: ByteWriter, at: number, stream: number, flags: number): void {
    const block = out.bytes.slice(at + FRAME_HEADER_BYTES, out.length);
    const { frameBytes } = this.#peer;
    out.length = at;
    for (let start = 0; start < block.length; start += frameBytes) {
      const end = Math.min(start + frameBytes, block.length);
      const type = start === 0 ? FRAME.HEADERS : FRAME.CONTINUATION;
      const last = end === block.length ? FLAG.END_HEADERS : 0;
      out.reserve(FRAME_HEADER_BYTES);
      const frameFlags = start === 0 ? flags | last : last;
      putFrameHeader(out.bytes, out.length, end - start, type, frameFlags, stream);
      out.length += FRAME_HEADER_BYTES;
      out.copy(block, start, end);
    }
  }
}

/** :authority says what Host says. */
function isHeader(id: number): boolean {
  return id !== HOST && !isHopByHop(id);
}

function isTrailer(id: number, name: string): boolean {
  return !isHopByHop(id) && !isForbiddenTrailer(id, name);
}

/** The field says what the body will be: a filter may have put another body in, and a wrong length is malformed (8.1.1). */
export function settleLength(headers: Fields, body: Body): void {
  const declared = headers.get("content-length");
  if (declared === undefined) return;
  if (body.length === undefined) headers.delete("content-length");
  else if (Number(declared) !== body.length) headers.set("content-length", String(body.length));
}
