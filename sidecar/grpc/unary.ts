// A gRPC call of our own making with one request message: how it is asked, how it ended, and what came back.
import { BytesBody } from "../http/body.ts";
import { FieldList } from "../http/fields.ts";
import type { Request, Response } from "../http/message.ts";
import { encodeMessage, MessageDecoder } from "./framing.ts";
import { decodeGrpcMessage, grpcName, parseGrpcCode } from "./status.ts";

/** The call of `target` (`/package.Service/Method`) with `message` as its one request; `fields` besides the usual ones. */
export function callRequest(
  target: string,
  authority: string,
  message: Uint8Array,
  fields: Readonly<Record<string, string>> = {},
): Request {
  return {
    method: "POST",
    form: "origin",
    scheme: "http",
    authority,
    target,
    version: "2",
    headers: FieldList.of({ "content-type": "application/grpc", ...fields }),
    body: new BytesBody(encodeMessage(message)),
    upgrade: undefined,
    acceptsTrailers: true,
  };
}

/** How a call failed. */
export interface CallFailure {
  /** The name of its status, or `HTTP 404` where the answer was no gRPC. */
  readonly said: string;
  /** Its words; undefined where the answer was no gRPC. */
  readonly message: string | undefined;
}

/** How a call failed whose body has been read; undefined where it did not. */
export function failureOf({ status, headers, body }: Response): CallFailure | undefined {
  const fields = body.trailers ?? headers;
  const code = fields.get("grpc-status");
  if (code === "0") return undefined;
  if (code === undefined) return { said: `HTTP ${status}`, message: undefined };
  const message = decodeGrpcMessage(fields.get("grpc-message") ?? "");
  return { said: grpcName(parseGrpcCode(code)), message };
}

/** The whole messages in `bytes`, each of at most `maxBytes`. Throws ProxyError where the bytes are none. */
export function messagesIn(bytes: Uint8Array, maxBytes: number): Uint8Array[] {
  const decoder = new MessageDecoder({ maxBytes, side: "upstream", flags: 0 });
  decoder.feed(bytes);
  const messages: Uint8Array[] = [];
  for (let next = decoder.next(); next !== undefined; next = decoder.next()) {
    messages.push(next.bytes);
  }
  return messages;
}
