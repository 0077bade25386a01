// A gRPC-Web request as the gRPC request it stands for (grpc's PROTOCOL-WEB.md). The messages are framed alike.
// A browser asks for leave first: the edge's CORS must allow content-type, x-grpc-web, x-user-agent, grpc-timeout and what
// the calls use (authorization ...).
import { FieldList } from "../../http/fields.ts";
import type { Request } from "../../http/message.ts";
import { MappedBody, rethrow, type Stage } from "../mapped_body.ts";
import { isGrpcWebText, mediaTypeOf } from "../media_type.ts";
import { Base64Decoder } from "./base64_decoder.ts";

/** What speaks of gRPC-Web, or of the body's old length. */
const DROPPED: ReadonlySet<string> = new Set([
  "content-type",
  "content-length",
  "accept",
  "x-grpc-web",
  "te",
]);

/** The caller made sure by the content-type that it is one. The body throws ProxyError where it is no base64. */
export function fromWebRequest(request: Request): Request {
  const contentType = request.headers.get("content-type");
  const headers = new FieldList();
  for (const [name, value] of request.headers) {
    const lower = name.toLowerCase();
    if (!DROPPED.has(lower)) headers.append(lower, value);
  }
  headers.append("content-type", `application/grpc${formatOf(contentType)}`);
  const body = isGrpcWebText(contentType)
    ? new MappedBody(request.body, new DecodingStage())
    : request.body;
  return { ...request, headers, body, acceptsTrailers: true };
}

/** `+proto`, `+json` ...; empty where none is named. */
export function formatOf(contentType: string | undefined): string {
  const type = mediaTypeOf(contentType);
  const plus = type.indexOf("+");
  return plus < 0 ? "" : type.slice(plus);
}

class DecodingStage implements Stage {
  readonly trailers = undefined;
  readonly #decoder = new Base64Decoder();
  #chunk: Uint8Array | undefined;

  feed(chunk: Uint8Array): void {
    this.#chunk = chunk;
  }

  next(): Uint8Array | undefined {
    const chunk = this.#chunk;
    this.#chunk = undefined;
    return chunk === undefined ? undefined : this.#decoder.decode(chunk);
  }

  end(): Uint8Array {
    this.#decoder.end();
    return new Uint8Array();
  }

  fail(error: unknown): never {
    rethrow(error);
  }
}
