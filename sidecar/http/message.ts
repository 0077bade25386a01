// One request and its response as every part of the proxy sees them, whatever the protocol version on either side.
import type { Cancellation } from "../lib/cancellation.ts";
import { utf8Bytes } from "../lib/bytes.ts";
import { type Body, BytesBody, EMPTY_BODY } from "./body.ts";
import { FieldList, type Fields } from "./fields.ts";

export type Version = "1.0" | "1.1" | "2";

/** How the request named its target (RFC 9112 3.2). Absolute is what a client of a forward proxy sends. */
export type TargetForm = "origin" | "absolute" | "authority" | "asterisk";

export interface Request {
  readonly method: string;
  readonly form: TargetForm;
  readonly scheme: "http" | "https";
  /** host[:port] as sent, which the Host field says too; empty where HTTP/1.0 sent none. */
  readonly authority: string;
  /** Path and query, or `*`; for CONNECT the authority. */
  target: string;
  readonly version: Version;
  readonly headers: Fields;
  readonly body: Body;
  /** What the client would like to switch to (RFC 9110 7.8), e.g. `websocket`. */
  readonly upgrade: string | undefined;
  /** The client accepts trailers (`te: trailers`). */
  readonly acceptsTrailers: boolean;
}

export interface Response {
  status: number;
  readonly headers: Fields;
  readonly body: Body;
}

/** An informational response (1xx other than 101); it has no body. */
export interface Interim {
  readonly status: number;
  readonly headers: Fields;
}

/** The other end of a connection. */
export interface Peer {
  /** IP address without brackets. */
  readonly host: string;
  readonly port: number;
  /** The SPIFFE id that it proved by mTLS. */
  readonly identity?: string | undefined;
  /** What a client of the edge showed, in the words of x-forwarded-client-cert. */
  readonly certificate?: string | undefined;
}

/** One request as a server codec hands it over, with what its handler may do before the response. */
export interface Incoming {
  readonly request: Request;
  readonly peer: Peer;
  /** Cancelled when the downstream is gone, or when the connection is cut. */
  readonly cancellation: Cancellation;
  /** The handler's own, from `handle` to `finished`. */
  context: unknown;
  /** Passes an informational response on. Ignored where the version knows none. */
  sendInterim(interim: Interim): void;
}

/** How an exchange ended, as the server codec saw it. */
export interface Outcome {
  /** Bytes of body that went out. */
  readonly bodyBytes: number;
  /** Why it did not end well; undefined when the whole response was written. */
  readonly error: Error | undefined;
}

/** What a server codec needs from the proxy. */
export interface Handler {
  /** Answers a request. Must not throw: errors are answers too. */
  handle(incoming: Incoming): Response | Promise<Response>;
  /** The response to `incoming` is out, or never will be. Called once an exchange. */
  finished(incoming: Incoming, outcome: Outcome): void;
  /** The answer to bytes that are no request. */
  refuse(error: Error, peer: Peer): Response;
}

/** A response whose whole body is `text`. */
export function textResponse(status: number, text: string, contentType: string): Response {
  const bytes = utf8Bytes(text);
  const headers = FieldList.of({
    "content-type": contentType,
    "content-length": String(bytes.length),
  });
  return { status, headers, body: new BytesBody(bytes) };
}

/** A response whose body is `value` as JSON. */
export function jsonResponse(status: number, value: unknown): Response {
  return textResponse(status, JSON.stringify(value), "application/json");
}

/** A response without a body. */
export function emptyResponse(status: number): Response {
  const headers = new FieldList();
  if (status !== 204 && status >= 200) headers.append("content-length", "0");
  return { status, headers, body: EMPTY_BODY };
}

/** Whether a response to `method` with `status` can have a body (RFC 9112 6.3). */
export function hasResponseBody(method: string, status: number): boolean {
  return method !== "HEAD" && status >= 200 && status !== 204 && status !== 304;
}
