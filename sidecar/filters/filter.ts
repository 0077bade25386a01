// What a filter is: one policy, seen three times an exchange, without a network of its own. Types only.
import type { Incoming, Outcome, Request, Response } from "../http/message.ts";
import type { TraceContext } from "../telemetry/trace_context.ts";
import type { Route, Snapshot } from "../snapshot/snapshot.ts";

/** Where a request came in. */
export type ListenerKind = "edge" | "inbound" | "outbound";

/** Who the caller was found to be. */
export interface Caller {
  readonly subject: string;
  /** Whose name the subject is; absent where one issuer alone is believed. */
  readonly issuer?: string;
  readonly claims: Readonly<Record<string, unknown>>;
}

/** What is left of a rate limit. */
export interface Quota {
  readonly limit: number;
  readonly remaining: number;
  /** Until the bucket is full again. */
  readonly resetMs: number;
}

/** Taken from a limit that it has to be given back to. */
export interface Admission {
  readonly limit: { release(latencyMs: number | undefined, nowMs: number): void };
  /** Clock milliseconds. */
  readonly since: number;
}

/** What an exchange is in its trace, as far as others than the tracer go. */
export interface TraceView {
  readonly context: TraceContext;
  /** An attempt at an upstream begins, which is told of it by the request; hears how it failed. */
  attempt(request: Request, endpoint: string | undefined): { failed(reason: string): void };
}

/** One exchange as filters see it. */
export interface ExchangeView {
  readonly incoming: Incoming;
  readonly request: Request;
  readonly listener: ListenerKind;
  /** Captured when the exchange began, and kept to its end. */
  readonly snapshot: Snapshot;
  /** The address of the first client, as far as the proxies before us are trusted. */
  clientAddress: string;
  /** The path that was asked for, where a route made another of it. */
  askedPath: string | undefined;
  /** What the route's rules are, once it is known; undefined where no route was taken. */
  route: Route | undefined;
  caller: Caller | undefined;
  /** Service that the request goes to, for logs and metrics. */
  upstream: string | undefined;
  /** `HOST:PORT` of the endpoint that was used last. */
  endpoint: string | undefined;
  attempts: number;
  requestId: string;
  /** Our reason, where the answer is our own; undefined where the upstream answered. */
  reason: string | undefined;
  /** What exactly the reason was about, in words for an operator. */
  detail: string | undefined;
  /** What the rate limit said, for the fields of the answer. */
  quota: Quota | undefined;
  /** Its place among what the app has to do at once, until the app has answered. */
  admission: Admission | undefined;
  /** Undefined where nobody traces. */
  trace: TraceView | undefined;
  /** Clock milliseconds when the head had been read. */
  readonly startedAt: number;
  /** Keeps something until the exchange is over, in place of what was kept before. */
  hold(lease: Disposable): void;
}

/**
 * Filters are asked in order and seen off in reverse. `onRequest` may answer in place of the upstream or throw a
 * ProxyError; `onResponse` sees every response, our own errors included; `onEnd` runs when the last byte is out.
 */
export interface Filter {
  readonly name: string;
  onRequest?(exchange: ExchangeView): Response | undefined | Promise<Response | undefined>;
  onResponse?(exchange: ExchangeView, response: Response): void;
  onEnd?(exchange: ExchangeView, response: Response | undefined, outcome: Outcome): void;
}
