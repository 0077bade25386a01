// A REST request as the gRPC request it stands for.
import { ProxyError } from "../../errors.ts";
import { type Body, BytesBody, readBody } from "../../http/body.ts";
import { FieldList, type Fields } from "../../http/fields.ts";
import type { Request } from "../../http/message.ts";
import { pathOfMethod } from "../descriptors.ts";
import { encodeMessage } from "../framing.ts";
import { MappedBody, rethrow, type Stage } from "../mapped_body.ts";
import { mediaTypeOf } from "../media_type.ts";
import type { HttpBinding } from "./http_binding.ts";
import { JsonSplitter } from "./json_splitter.ts";
import type { MessageBuilder } from "./message_builder.ts";

/** What describes the JSON and not the call, or would let the server answer in a way that is not read here. */
const DROPPED: ReadonlySet<string> = new Set([
  "content-type",
  "content-length",
  "content-encoding",
  "accept",
  "accept-encoding",
  "grpc-encoding",
  "grpc-accept-encoding",
  "expect",
  "te",
  "trailer",
]);

const NDJSON: ReadonlySet<string> = new Set(["application/x-ndjson", "application/jsonl"]);

/** Throws ProxyError where the body cannot become the message of the method. */
export async function toGrpcRequest(
  binding: HttpBinding,
  builder: MessageBuilder,
  request: Request,
  maxMessageBytes: number,
): Promise<Request> {
  const encoding = request.headers.get("content-encoding")?.toLowerCase() ?? "identity";
  if (encoding !== "identity") {
    request.body.cancel();
    throw new ProxyError("bad-request", `content-encoding "${encoding}" is not supported`, {
      side: "downstream",
    });
  }
  return {
    ...request,
    method: "POST",
    form: "origin",
    target: pathOfMethod(binding.method),
    headers: grpcFields(request.headers),
    body: await grpcBody(binding, builder, request, maxMessageBytes),
    upgrade: undefined,
    acceptsTrailers: true,
  };
}

function grpcFields(headers: Fields): Fields {
  const fields = new FieldList();
  for (const [name, value] of headers) {
    const lower = name.toLowerCase();
    if (!DROPPED.has(lower)) fields.append(lower, value);
  }
  fields.append("content-type", "application/grpc");
  return fields;
}

async function grpcBody(
  { method, body }: HttpBinding,
  builder: MessageBuilder,
  request: Request,
  maxMessageBytes: number,
): Promise<Body> {
  if (body.kind === "none") {
    request.body.cancel();
    return new BytesBody(encodeMessage(builder.build("")));
  }
  if (method.methodKind === "client_streaming" || method.methodKind === "bidi_streaming") {
    const isLines = NDJSON.has(mediaTypeOf(request.headers.get("content-type")));
    const splitter = new JsonSplitter(isLines ? "lines" : "detect", maxMessageBytes);
    return new MappedBody(request.body, new MessagesStage(splitter, builder));
  }
  const bytes = await readBody(request.body, maxMessageBytes);
  if (bytes === null) {
    const text = `a message of more than ${maxMessageBytes} bytes`;
    throw new ProxyError("payload-too-large", text, { side: "downstream" });
  }
  const message = builder.isRaw
    ? builder.buildRaw(request.headers.get("content-type") ?? "", bytes)
    : builder.build(decodeUtf8(bytes));
  return new BytesBody(encodeMessage(message));
}

/** Each JSON value that comes is a message that goes. */
class MessagesStage implements Stage {
  readonly trailers = undefined;
  readonly #splitter: JsonSplitter;
  readonly #builder: MessageBuilder;

  constructor(splitter: JsonSplitter, builder: MessageBuilder) {
    this.#splitter = splitter;
    this.#builder = builder;
  }

  feed(chunk: Uint8Array): void {
    this.#splitter.feed(chunk);
  }

  next(): Uint8Array | undefined {
    const json = this.#splitter.next();
    return json === undefined ? undefined : this.#message(json);
  }

  end(): Uint8Array {
    const json = this.#splitter.end();
    return json === undefined ? new Uint8Array() : this.#message(json);
  }

  fail(error: unknown): never {
    rethrow(error);
  }

  #message(json: Uint8Array): Uint8Array {
    return encodeMessage(this.#builder.build(decodeUtf8(json)));
  }
}

const decoder = new TextDecoder("utf-8", { fatal: true });

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw new ProxyError("bad-request", "the body is not UTF-8", { side: "downstream", cause });
  }
}
