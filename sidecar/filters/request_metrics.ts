// Counts and times every exchange. Series are found by a short key; labels come from configuration, not from requests.
import type { Outcome, Request, Response } from "../http/message.ts";
import type { Clock } from "../lib/clock.ts";
import type { Counter, Histogram, Metrics } from "../telemetry/metrics.ts";
import type { Route } from "../snapshot/snapshot.ts";
import type { ExchangeView, Filter } from "./filter.ts";
import { GRPC_FAILURES, grpcStatusOf, isGrpcCall } from "./grpc_exchange.ts";

/** Since the start of the process. */
export interface Traffic {
  readonly requests: number;
  /** Those that ended by a failure of the service, or by an answer of our own. */
  readonly failures: number;
}

interface Series {
  readonly listener: string;
  readonly source: string | undefined;
  readonly upstream: string;
  readonly route: Route | undefined;
  readonly protocol: Protocol;
  readonly status: number;
  readonly grpcStatus: string | undefined;
  readonly reason: string;
  readonly count: Counter;
  readonly duration: Histogram;
}

/** Keys kept; beyond it (a registry of thousands of services) a series is looked up by its labels. */
const MAX_KNOWN = 2000;

/** The metrics of all listeners; made once a process. */
export class RequestMetrics implements Filter {
  readonly name = "request-metrics";
  readonly #clock: Clock;
  readonly #requests: ReturnType<Metrics["counter"]>;
  readonly #durations: ReturnType<Metrics["histogram"]>;
  readonly #known = new Map<string, Series>();
  /** What was used last tends to be used next: then no key has to be made. */
  #last: Series | undefined;
  readonly #traffic = { requests: 0, failures: 0 };

  constructor(metrics: Metrics, clock: Clock) {
    this.#clock = clock;
    this.#requests = metrics.counter(
      "mesh_requests_total",
      "Exchanges that ended, by where they came in and how they ended.",
    );
    this.#durations = metrics.histogram(
      "mesh_request_duration_seconds",
      "From the request head to the last byte of the response.",
    );
  }

  get traffic(): Traffic {
    return this.#traffic;
  }

  onEnd(exchange: ExchangeView, response: Response | undefined, outcome: Outcome): void {
    const upstream = exchange.upstream ?? "none";
    const reason = exchange.reason ?? (outcome.error === undefined ? "none" : "aborted");
    const status = response?.status ?? 0;
    const { listener } = exchange;
    const { route, request, incoming: { peer: { identity: source } } } = exchange;
    const protocol = protocolOf(request);
    const grpcStatus = protocol === "grpc" ? grpcCodeOf(response) : undefined;
    this.#traffic.requests++;
    const isGrpcFailure = grpcStatus !== undefined && GRPC_FAILURES.has(grpcStatus);
    if (status >= 500 || isGrpcFailure || isOwnFailure(exchange.reason)) this.#traffic.failures++;
    let series = this.#last;
    const isSame = series !== undefined && series.listener === listener &&
      series.upstream === upstream && series.status === status && series.reason === reason &&
      series.route === route && series.source === source && series.protocol === protocol &&
      series.grpcStatus === grpcStatus;
    if (!isSame) {
      this.#last = series = this.#find(
        { listener, source, upstream, route, protocol, status, grpcStatus, reason },
      );
    }
    series!.count.add();
    // A tunnel lasts as long as it is open, which says nothing of how quick anybody is.
    if (status === 101) return;
    const value = (this.#clock.now() - exchange.startedAt) / 1000;
    series!.duration.observe(value);
    const { isSampled = false, traceId = "" } = exchange.trace?.context ?? {};
    if (isSampled) series!.duration.exemplify({ traceId, value, epochMs: this.#clock.epoch() });
  }

  #find(about: Omit<Series, "count" | "duration">): Series {
    const { listener, upstream, protocol, status, grpcStatus, reason } = about;
    const source = nameOf(about.source);
    const route = about.route?.match.path ?? "";
    const key = [listener, source, upstream, route, protocol, status, grpcStatus, reason].join(" ");
    let series = this.#known.get(key);
    // A route of the next snapshot is another object, and the same series.
    if (series === undefined || series.route !== about.route) {
      const count = this.#requests.with({
        listener,
        source,
        upstream,
        route,
        protocol,
        status: String(status),
        grpc_status: grpcStatus ?? "",
        reason,
      });
      const duration = this.#durations.with({ listener, source, upstream, route });
      series = { ...about, count, duration };
      if (this.#known.size < MAX_KNOWN || this.#known.has(key)) this.#known.set(key, series);
    }
    return series;
  }
}

type Protocol = "http/1.0" | "http/1.1" | "http/2" | "grpc";

function protocolOf(request: Request): Protocol {
  if (request.version !== "2") return request.version === "1.1" ? "http/1.1" : "http/1.0";
  return isGrpcCall(request) ? "grpc" : "http/2";
}

/** Codes are few, and what a service makes up shares one series. */
function grpcCodeOf(response: Response | undefined): string | undefined {
  const status = grpcStatusOf(response);
  return status === undefined || GRPC_CODE.test(status) ? status : "unknown";
}

const GRPC_CODE = /^(?:\d|1[0-6])$/;

/** The service of `spiffe://DOMAIN/ns/NAMESPACE/svc/NAME`; empty where the caller proves nothing. */
function nameOf(identity: string | undefined): string {
  return identity === undefined ? "" : identity.slice(identity.lastIndexOf("/") + 1);
}

/** A caller who left is nobody's failure. */
function isOwnFailure(reason: string | undefined): boolean {
  return reason !== undefined && reason !== "downstream-gone";
}
