// One corpus for the HTTP/1.1 codec: what comes in as bytes, and the verdict. Unit tests run each case whole, byte by
// byte and cut at each offset, under LIMITS. Text stands for bytes: one character a byte.
import type { ErrorKind } from "../../../sidecar/errors.ts";
import type { TargetForm } from "../../../sidecar/http/message.ts";
import type { Framing } from "../../../sidecar/http1/framing.ts";
import type { HeadLimits } from "../../../sidecar/http1/limits.ts";

/** Small, so that every limit is a short case. */
export const LIMITS: HeadLimits = { headBytes: 512, headers: 8, requestLineBytes: 64 };

export interface Refused {
  readonly kind: ErrorKind;
  /** Part of the message. */
  readonly message: string;
}

export interface AcceptedRequest {
  readonly method?: string;
  readonly form?: TargetForm;
  readonly authority?: string;
  readonly target?: string;
  readonly version?: "1.0" | "1.1";
  readonly framing?: Framing;
  readonly keepAlive?: boolean;
  readonly upgrade?: string;
  readonly acceptsTrailers?: boolean;
  /** The field lines that go on, without their line ends. */
  readonly fields?: readonly string[];
}

export interface RequestCase {
  readonly name: string;
  readonly bytes: string;
  readonly accepted?: AcceptedRequest;
  readonly refused?: Refused;
}

export interface AcceptedResponse {
  readonly status?: number;
  readonly framing?: Framing;
  readonly keepAlive?: boolean;
  readonly fields?: readonly string[];
}

export interface ResponseCase {
  readonly name: string;
  /** What the request was. */
  readonly method?: string;
  readonly bytes: string;
  readonly accepted?: AcceptedResponse;
  /** Part of the message; the kind is always upstream-protocol. */
  readonly refused?: string;
}

export interface ChunkedCase {
  readonly name: string;
  readonly bytes: string;
  readonly accepted?: {
    readonly data: string;
    readonly trailers?: readonly string[];
    /** Bytes behind the body, which belong to the next message. */
    readonly rest?: string;
  };
  /** Part of the message; the kind is bad-request, or upstream-protocol on the other side. */
  readonly refused?: string;
  /** Where the kind is another one for a downstream. */
  readonly kind?: ErrorKind;
}

/** Lines as a head: each with CRLF, and the empty line. */
export function head(...lines: string[]): string {
  return lines.map((line) => line + "\r\n").join("") + "\r\n";
}

export function get(...fields: string[]): string {
  return head("GET / HTTP/1.1", "Host: a", ...fields);
}

export function post(...fields: string[]): string {
  return head("POST / HTTP/1.1", "Host: a", ...fields);
}

export const LENGTH = (bytes: number): Framing => ({ kind: "length", bytes });
export const CHUNKED: Framing = { kind: "chunked" };

export function bad(message: string): { readonly refused: Refused } {
  return { refused: { kind: "bad-request", message } };
}

export function tooLong(message: string): { readonly refused: Refused } {
  return { refused: { kind: "uri-too-long", message } };
}

export function tooLarge(message: string): { readonly refused: Refused } {
  return { refused: { kind: "headers-too-large", message } };
}
