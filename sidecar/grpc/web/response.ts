// A gRPC response as gRPC-Web (grpc's PROTOCOL-WEB.md): trailers become a last frame of the body, since browsers show none.
// A response that is its trailers ("trailers-only") says so in that frame too, so that it can be read whatever CORS exposes.
// For clients that look at the head first, CORS should expose grpc-status, grpc-message and grpc-status-details-bin.
import { Buffer } from "node:buffer";
import { type Body, EMPTY_BODY } from "../../http/body.ts";
import { FieldList, type Fields } from "../../http/fields.ts";
import type { Request, Response } from "../../http/message.ts";
import { latin1Bytes } from "../../lib/bytes.ts";
import { encodeMessage, TRAILERS } from "../framing.ts";
import { MappedBody, rethrow, type Stage } from "../mapped_body.ts";
import { isGrpc, isGrpcWebText, mediaTypeOf } from "../media_type.ts";
import { codeOfBareResponse, encodeGrpcMessage, GRPC, type GrpcCode } from "../status.ts";
import { formatOf } from "./request.ts";

const STATUS_FIELDS = ["grpc-status", "grpc-message", "grpc-status-details-bin"] as const;

/** `request` is the gRPC-Web request. The answer is 200 whatever came: a status that only HTTP tells becomes gRPC's. */
export function toWebResponse(request: Request, response: Response): Response {
  const isText = wantsText(request.headers);
  const end = endOfHead(response);
  const headers = webFields(response.headers, isText);
  let body: Body = response.body;
  if (end !== undefined) {
    body.cancel();
    body = EMPTY_BODY;
  }
  return { status: 200, headers, body: new MappedBody(body, new WebStage(isText, end)) };
}

/** The client says in `accept` how it wants to read, and where it does not, reads as it writes. */
function wantsText(headers: Fields): boolean {
  const accept = headers.get("accept");
  const isOpen = accept === undefined || mediaTypeOf(accept) === "*/*";
  return isGrpcWebText(isOpen ? headers.get("content-type") : accept);
}

/** The trailers that the head makes needless to wait for; undefined when messages follow. */
function endOfHead({ status, headers }: Response): Fields | undefined {
  if (headers.has("grpc-status")) {
    const trailers = new FieldList();
    for (const name of STATUS_FIELDS) {
      const value = headers.get(name);
      if (value !== undefined) trailers.append(name, value);
    }
    return trailers;
  }
  if (status === 200 && isGrpc(headers.get("content-type"))) return undefined;
  return statusFields(
    codeOfBareResponse(status),
    `the upstream answered with HTTP status ${status}`,
  );
}

function webFields(from: Fields, isText: boolean): FieldList {
  const headers = new FieldList();
  for (const [name, value] of from) {
    const lower = name.toLowerCase();
    const isDropped = lower === "content-type" || lower === "content-length" ||
      lower === "trailer" || STATUS_FIELDS.some((status) => status === lower);
    if (!isDropped) headers.append(lower, value);
  }
  const contentType = from.get("content-type");
  const format = isGrpc(contentType) ? formatOf(contentType) : "";
  const type = isText ? "application/grpc-web-text" : "application/grpc-web";
  headers.append("content-type", type + (format || "+proto"));
  return headers;
}

function statusFields(code: GrpcCode, message: string): FieldList {
  return FieldList.of({
    "grpc-status": String(code),
    "grpc-message": encodeGrpcMessage(message),
  });
}

class WebStage implements Stage {
  readonly trailers = undefined;
  readonly #isText: boolean;
  /** What to end with, where the head told it. */
  readonly #end: Fields | undefined;
  #chunk: Uint8Array | undefined;

  constructor(isText: boolean, end: Fields | undefined) {
    this.#isText = isText;
    this.#end = end;
  }

  feed(chunk: Uint8Array): void {
    this.#chunk = chunk;
  }

  next(): Uint8Array | undefined {
    const chunk = this.#chunk;
    this.#chunk = undefined;
    return chunk === undefined || !this.#isText ? chunk : base64(chunk);
  }

  end(trailers: Fields | undefined): Uint8Array {
    const end = this.#end ?? trailers;
    const frame = trailersFrame(
      end?.has("grpc-status")
        ? end
        : statusFields(GRPC.INTERNAL, "the response ended without a status"),
    );
    return this.#isText ? base64(frame) : frame;
  }

  fail(error: unknown): never {
    rethrow(error);
  }
}

/** `name:value` lines as in HTTP/1.1, names in lower case, without the empty line behind them. */
function trailersFrame(trailers: Fields): Uint8Array {
  let block = "";
  for (const [name, value] of trailers) block += `${name.toLowerCase()}:${value}\r\n`;
  return encodeMessage(latin1Bytes(block), TRAILERS);
}

/** Padded by itself: what left in one piece can be read in one piece. */
function base64(bytes: Uint8Array): Uint8Array {
  const { buffer, byteOffset, length } = bytes;
  return latin1Bytes(Buffer.from(buffer, byteOffset, length).toString("base64"));
}
