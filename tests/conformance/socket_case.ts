// What a raw request over a socket and its verdict are. Text stands for bytes.
import { head } from "../support/http1_cases/case.ts";

/** A request as the backend must have got it. */
export interface ExpectedRequest {
  readonly line: string;
  readonly body?: string;
  /** Fields it must have, once each. */
  readonly has?: Readonly<Record<string, string>>;
  readonly lacks?: readonly string[];
  readonly trailers?: readonly string[];
}

export interface SocketCase {
  readonly name: string;
  readonly bytes: string;
  /** Answered with this status and reason and closed, and the backend saw no whole request. */
  readonly refused?: readonly [status: number, reason: string];
  /** What the backend saw, in order; each is answered 200. */
  readonly forwarded?: readonly ExpectedRequest[];
  /** Answered with this status by the sidecar itself. */
  readonly answered?: number;
  /** Whether the sidecar closes behind the last answer; when refused it always does. */
  readonly closes?: boolean;
}

/** Stands wherever a second reader could find a second request. */
export const SMUGGLED = head("GET /smuggled HTTP/1.1", "Host: a");

/** So many fields that mean nothing. */
export function many(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `X-${i}: y`);
}
