// Makes every exchange a part of its caller's trace, and tells the upstream of it (W3C Trace Context). Ids are always passed on; spans are
// made at the end: of what is sampled, and of what failed or was slow whether sampled or not.
//
//   edge      one server span, and for each attempt at an upstream a client span
//   inbound   one server span
//   outbound  one client span, the app's call, with an event for each attempt
import { pathOf } from "../http/path.ts";
import type { Outcome, Request, Response } from "../http/message.ts";
import type { Clock } from "../lib/clock.ts";
import type { Attributes, Span, SpanEvent } from "../telemetry/span.ts";
import {
  extractContext,
  formatTraceparent,
  isInShare,
  newSpanId,
  newTraceId,
  type TraceContext,
} from "../telemetry/trace_context.ts";
import type { ExchangeView, Filter } from "./filter.ts";
import { GRPC_FAILURES, grpcStatusOf, isGrpcCall } from "./grpc_exchange.ts";

export interface TracingSettings {
  /** Of the traces that begin here, and at an edge of all: 0 to 1. */
  readonly sample: number;
  /** What takes as long is kept; 0: nothing is for that. */
  readonly slowMs: number;
  /** Whether what failed is kept. */
  readonly keepsErrors: boolean;
}

/** One try at an endpoint, as a trace tells of it. */
export interface AttemptTrace {
  failed(reason: string): void;
}

interface Attempt extends AttemptTrace {
  readonly spanId: string;
  readonly endpoint: string | undefined;
  readonly startEpochMs: number;
  endEpochMs: number | undefined;
  reason: string | undefined;
}

const SERVER_ERROR = 500;
const CLIENT_ERROR = 400;

export class Tracing implements Filter {
  readonly name = "tracing";
  readonly #settings: TracingSettings;
  readonly #clock: Clock;
  readonly #export: (span: Span) => void;

  constructor(settings: TracingSettings, clock: Clock, exportSpan: (span: Span) => void) {
    this.#settings = settings;
    this.#clock = clock;
    this.#export = exportSpan;
  }

  onRequest(exchange: ExchangeView): undefined {
    const { headers } = exchange.request;
    const parent = extractContext(headers);
    const traceId = parent?.traceId ?? newTraceId();
    // Whoever is outside does not decide what is kept here.
    const isSampled = parent === undefined || exchange.listener === "edge"
      ? isInShare(traceId, this.#settings.sample)
      : parent.isSampled;
    const context = { traceId, spanId: newSpanId(), isSampled };
    exchange.trace = new ExchangeTrace(
      context,
      parent?.spanId,
      exchange.listener === "edge",
      this.#clock,
    );
    headers.set("traceparent", formatTraceparent(context));
  }

  onEnd(exchange: ExchangeView, response: Response | undefined, outcome: Outcome): void {
    const { trace } = exchange;
    if (!(trace instanceof ExchangeTrace)) return;
    const durationMs = this.#clock.now() - exchange.startedAt;
    const ending = endingOf(exchange, response, outcome);
    const { sample: _, slowMs, keepsErrors } = this.#settings;
    const isKept = trace.context.isSampled || (keepsErrors && ending.isFailure) ||
      (slowMs > 0 && durationMs >= slowMs);
    if (!isKept) return;
    for (const span of trace.spans(exchange, ending, durationMs)) this.#export(span);
  }
}

/** How an exchange ended, in the words of the conventions. */
interface Ending {
  readonly status: number;
  readonly grpcStatus: string | undefined;
  readonly error: string | undefined;
  /** An error that is not the caller's own. */
  readonly isFailure: boolean;
}

function endingOf(
  exchange: ExchangeView,
  response: Response | undefined,
  outcome: Outcome,
): Ending {
  const status = response?.status ?? 0;
  const grpcStatus = isGrpcCall(exchange.request) ? grpcStatusOf(response) : undefined;
  const { reason, listener } = exchange;
  const isFailure = status >= SERVER_ERROR || outcome.error !== undefined ||
    (grpcStatus !== undefined && GRPC_FAILURES.has(grpcStatus));
  const ending = { status, grpcStatus, isFailure };
  const worst = listener === "outbound" ? CLIENT_ERROR : SERVER_ERROR;
  const isGrpcError = grpcStatus !== undefined &&
    (listener === "outbound" ? grpcStatus !== "0" : GRPC_FAILURES.has(grpcStatus));
  if (isGrpcError) return { ...ending, error: reason ?? `grpc-status ${grpcStatus}` };
  if (status >= worst) return { ...ending, error: reason ?? String(status) };
  return { ...ending, error: outcome.error === undefined ? undefined : reason ?? "aborted" };
}

export class ExchangeTrace {
  readonly context: TraceContext;
  readonly #parentId: string | undefined;
  /** Attempts are spans of their own, and the upstream's callers. */
  readonly #hasAttemptSpans: boolean;
  readonly #clock: Clock;
  readonly #startEpochMs: number;
  readonly #attempts: Attempt[] = [];

  constructor(
    context: TraceContext,
    parentId: string | undefined,
    hasAttemptSpans: boolean,
    clock: Clock,
  ) {
    this.context = context;
    this.#parentId = parentId;
    this.#hasAttemptSpans = hasAttemptSpans;
    this.#clock = clock;
    this.#startEpochMs = clock.epoch();
  }

  /** An attempt begins: the upstream is told whose work it is. */
  attempt(request: Request, endpoint: string | undefined): AttemptTrace {
    const attempt: Attempt = {
      spanId: this.#hasAttemptSpans ? newSpanId() : this.context.spanId,
      endpoint,
      startEpochMs: this.#clock.epoch(),
      endEpochMs: undefined,
      reason: undefined,
      failed: (reason) => {
        attempt.reason = reason;
        attempt.endEpochMs = this.#clock.epoch();
      },
    };
    this.#attempts.push(attempt);
    if (this.#hasAttemptSpans) {
      const { traceId, isSampled } = this.context;
      const traceparent = formatTraceparent({ traceId, spanId: attempt.spanId, isSampled });
      request.headers.set("traceparent", traceparent);
    }
    return attempt;
  }

  spans(exchange: ExchangeView, ending: Ending, durationMs: number): Span[] {
    const { traceId, spanId } = this.context;
    const endEpochMs = this.#startEpochMs + durationMs;
    const traceState = exchange.request.headers.get("tracestate");
    const common = { traceId, traceState };
    const own: Span = {
      ...common,
      spanId,
      parentId: this.#parentId,
      name: nameOf(exchange),
      kind: exchange.listener === "outbound" ? "client" : "server",
      startEpochMs: this.#startEpochMs,
      endEpochMs,
      attributes: attributesOf(exchange, ending),
      events: this.#hasAttemptSpans ? [] : this.#events(),
      error: ending.error,
    };
    if (!this.#hasAttemptSpans) return [own];
    const attempts = this.#attempts.map((attempt, index): Span => {
      const isLast = index === this.#attempts.length - 1;
      return {
        ...common,
        spanId: attempt.spanId,
        parentId: spanId,
        name: own.name,
        kind: "client",
        startEpochMs: attempt.startEpochMs,
        endEpochMs: attempt.endEpochMs ?? endEpochMs,
        attributes: attemptAttributes(exchange, attempt, index, isLast ? ending : undefined),
        events: [],
        error: attempt.reason ?? (isLast ? ending.error : undefined),
      };
    });
    return [own, ...attempts];
  }

  #events(): SpanEvent[] {
    return this.#attempts.flatMap(({ endpoint, startEpochMs, endEpochMs, reason }, index) => {
      const attributes = {
        "mesh.endpoint": endpoint,
        "http.request.resend_count": index || undefined,
      };
      const name = index === 0 ? "attempt" : "retry";
      const begun: SpanEvent = { name, epochMs: startEpochMs, attributes };
      if (reason === undefined) return [begun];
      const failed = { "mesh.endpoint": endpoint, "mesh.reason": reason };
      return [begun, { name: "attempt failed", epochMs: endEpochMs!, attributes: failed }];
    });
  }
}

/** A method, and the route it took; a gRPC method says both. Paths are no names: there is no end of them. */
function nameOf({ request, route }: ExchangeView): string {
  if (isGrpcCall(request)) return pathOf(request.target).slice(1);
  return route === undefined ? request.method : `${request.method} ${route.match.path}`;
}

function attributesOf(exchange: ExchangeView, { status, grpcStatus, error }: Ending): Attributes {
  const { request, incoming, route } = exchange;
  return {
    ...requestAttributes(request, grpcStatus),
    "url.scheme": request.scheme,
    "url.path": exchange.askedPath ?? pathOf(request.target),
    "http.route": route?.match.path,
    "http.response.status_code": status || undefined,
    "server.address": request.authority || undefined,
    "client.address": exchange.listener === "outbound" ? undefined : exchange.clientAddress,
    "network.protocol.version": request.version,
    "user_agent.original": request.headers.get("user-agent"),
    "error.type": error,
    "mesh.listener": exchange.listener,
    "mesh.upstream": exchange.upstream,
    "mesh.endpoint": exchange.endpoint,
    "mesh.attempts": exchange.attempts || undefined,
    "mesh.reason": exchange.reason,
    "mesh.caller": incoming.peer.identity,
    "mesh.request_id": exchange.requestId || undefined,
    "enduser.id": exchange.caller?.subject || undefined,
  };
}

function attemptAttributes(
  exchange: ExchangeView,
  { endpoint, reason }: Attempt,
  index: number,
  ending: Ending | undefined,
): Attributes {
  const colon = endpoint?.lastIndexOf(":") ?? -1;
  return {
    ...requestAttributes(exchange.request, ending?.grpcStatus),
    "server.address": colon < 0 ? undefined : endpoint!.slice(0, colon),
    "server.port": colon < 0 ? undefined : Number(endpoint!.slice(colon + 1)),
    "http.response.status_code": reason === undefined ? ending?.status || undefined : undefined,
    "http.request.resend_count": index || undefined,
    "error.type": reason ?? ending?.error,
    "mesh.upstream": exchange.upstream,
  };
}

function requestAttributes(request: Request, grpcStatus: string | undefined): Attributes {
  if (!isGrpcCall(request)) return { "http.request.method": request.method };
  const [, service = "", method = ""] = pathOf(request.target).split("/");
  return {
    "http.request.method": request.method,
    "rpc.system": "grpc",
    "rpc.service": service,
    "rpc.method": method,
    "rpc.grpc.status_code": grpcStatus === undefined ? undefined : Number(grpcStatus),
  };
}
