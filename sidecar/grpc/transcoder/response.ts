// The upstream's gRPC response as the REST answer it stands for. Nothing is answered before the first message or the status,
// so that a call that fails at once has its HTTP status.
import type { DescMethod, Registry } from "@bufbuild/protobuf";
import { FieldList, type Fields } from "../../http/fields.ts";
import type { Request, Response } from "../../http/message.ts";
import { BytesBody } from "../../http/body.ts";
import { utf8Bytes } from "../../lib/bytes.ts";
import type { GrpcMessage } from "../framing.ts";
import { MappedBody } from "../mapped_body.ts";
import { acceptsMediaType } from "../media_type.ts";
import { GRPC, httpStatusOf } from "../status.ts";
import { type CallStatus, statusOfHead, statusOfTrailers } from "./call_status.ts";
import { EVENTS, JsonStream, NDJSON, type StreamFormat } from "./json_stream.ts";
import { type RawBody, type RawReader, RawStream } from "./http_body.ts";
import type { JsonWriter } from "./json_writer.ts";
import { MessageReader } from "./message_reader.ts";
import type { TranscoderOptions } from "./options.ts";
import { statusJson } from "./status_json.ts";

/** gRPC's own; all other metadata goes on as header fields. */
const DROPPED: ReadonlySet<string> = new Set([
  "content-type",
  "content-length",
  "grpc-status",
  "grpc-message",
  "grpc-status-details-bin",
  "grpc-encoding",
  "grpc-accept-encoding",
  "trailer",
]);

export interface ResponseParts {
  readonly method: DescMethod;
  readonly writer: JsonWriter;
  /** Where the answer is no JSON but google.api.HttpBody. */
  readonly raw: RawReader | undefined;
  readonly registry: Registry;
  readonly options: TranscoderOptions;
}

/** Throws ProxyError where the upstream breaks off, or sends what is no gRPC, before the answer has begun. */
export async function toRestResponse(
  parts: ResponseParts,
  request: Request,
  response: Response,
): Promise<Response> {
  const early = statusOfHead(response);
  if (early !== undefined) {
    response.body.cancel();
    return early.code === GRPC.OK
      ? emptyCall(parts, request, response.headers)
      : errorAnswer(parts, early, response.headers);
  }
  const reader = new MessageReader(response.body, parts.options.maxMessageBytes);
  const isStream = parts.method.methodKind === "server_streaming" ||
    parts.method.methodKind === "bidi_streaming";
  return await (isStream
    ? streamAnswer(parts, request, response, reader)
    : unaryAnswer(parts, response, reader));
}

async function unaryAnswer(
  parts: ResponseParts,
  { headers }: Response,
  reader: MessageReader,
): Promise<Response> {
  const message = await reader.next();
  // At once: its bytes are gone with the next read.
  const written = message === null ? undefined : write(parts, message);
  if (message !== null && await reader.next() !== null) {
    reader.body.cancel();
    return errorAnswer(parts, internal("more than one message came"), headers);
  }
  const status = statusOfTrailers(reader.body.trailers);
  if (status.code !== GRPC.OK) return errorAnswer(parts, status, headers);
  return written === undefined
    ? errorAnswer(parts, internal("no message came"), headers)
    : answer(200, written, headers);
}

function write({ raw, writer }: ResponseParts, message: GrpcMessage): RawBody {
  if (raw === undefined) return json(writer.write(message));
  const { contentType, data } = raw.read(message);
  return { contentType, data: data.slice() };
}

function json(text: string): RawBody {
  return { contentType: "application/json", data: utf8Bytes(text) };
}

async function streamAnswer(
  parts: ResponseParts,
  request: Request,
  response: Response,
  reader: MessageReader,
): Promise<Response> {
  const { headers } = response;
  const message = await reader.next();
  if (message === null) {
    const status = statusOfTrailers(reader.body.trailers);
    return status.code === GRPC.OK
      ? emptyStream(request, headers)
      : errorAnswer(parts, status, headers);
  }
  if (parts.raw !== undefined) return rawAnswer(parts.raw, headers, reader, message);
  const format = formatOf(request);
  const stream = new JsonStream(reader.decoder, parts.writer.write(message), { format, ...parts });
  return {
    status: 200,
    headers: streamFields(format, headers),
    body: new MappedBody(reader.body, stream),
  };
}

function rawAnswer(
  raw: RawReader,
  headers: Fields,
  reader: MessageReader,
  message: GrpcMessage,
): Response {
  const { contentType, data } = raw.read(message);
  const fields = restFields(headers);
  fields.append("content-type", contentType);
  const stream = new RawStream(reader.decoder, raw, data);
  return { status: 200, headers: fields, body: new MappedBody(reader.body, stream) };
}

/** OK without a message: a stream may be empty, anything else may not. */
function emptyCall(parts: ResponseParts, request: Request, headers: Fields): Response {
  const { methodKind } = parts.method;
  return methodKind === "server_streaming" || methodKind === "bidi_streaming"
    ? emptyStream(request, headers)
    : errorAnswer(parts, internal("no message came"), headers);
}

function emptyStream(request: Request, headers: Fields): Response {
  const fields = streamFields(formatOf(request), headers);
  fields.append("content-length", "0");
  return { status: 200, headers: fields, body: new BytesBody(new Uint8Array()) };
}

function formatOf({ headers }: Request): StreamFormat {
  return acceptsMediaType(headers.get("accept"), EVENTS.contentType) ? EVENTS : NDJSON;
}

function streamFields({ contentType }: StreamFormat, headers: Fields): FieldList {
  const fields = restFields(headers);
  fields.append("content-type", contentType);
  // Which of the two it is depends on the request's `accept`, and a live stream is nothing to store.
  fields.append("vary", "Accept");
  if (!fields.has("cache-control")) fields.append("cache-control", "no-cache");
  return fields;
}

function errorAnswer(parts: ResponseParts, status: CallStatus, headers: Fields): Response {
  return answer(httpStatusOf(status.code), json(statusJson(status, parts.registry)), headers);
}

function answer(status: number, { contentType, data }: RawBody, headers: Fields): Response {
  const fields = restFields(headers);
  fields.append("content-type", contentType);
  fields.append("content-length", String(data.length));
  return { status, headers: fields, body: new BytesBody(data) };
}

function restFields(headers: Fields): FieldList {
  const fields = new FieldList();
  for (const [name, value] of headers) {
    const lower = name.toLowerCase();
    if (!DROPPED.has(lower)) fields.append(lower, value);
  }
  return fields;
}

function internal(message: string): CallStatus {
  return { code: GRPC.INTERNAL, message };
}
