// Counts and times every exchange. Series are found by a short key; labels come from configuration, not from requests.
import type { Outcome, Response } from "../http/message.ts";
import type { Clock } from "../lib/clock.ts";
import type { Counter, Histogram, Metrics } from "../telemetry/metrics.ts";
import type { ExchangeView, Filter } from "./filter.ts";

/** Since the start of the process. */
export interface Traffic {
  readonly requests: number;
  /** Those that ended by a failure of the service, or by an answer of our own. */
  readonly failures: number;
}

interface Series {
  readonly listener: string;
  readonly upstream: string;
  readonly status: number;
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
    this.#traffic.requests++;
    if (status >= 500 || isOwnFailure(exchange.reason) || isGrpcFailure(response)) {
      this.#traffic.failures++;
    }
    let series = this.#last;
    const isSame = series !== undefined && series.listener === listener &&
      series.upstream === upstream && series.status === status && series.reason === reason;
    if (!isSame) this.#last = series = this.#find(listener, upstream, status, reason);
    series!.count.add();
    // A tunnel lasts as long as it is open, which says nothing of how quick anybody is.
    if (status !== 101) series!.duration.observe((this.#clock.now() - exchange.startedAt) / 1000);
  }

  #find(listener: string, upstream: string, status: number, reason: string): Series {
    const key = `${listener} ${upstream} ${status} ${reason}`;
    let series = this.#known.get(key);
    if (series === undefined) {
      const count = this.#requests.with({ listener, upstream, status: String(status), reason });
      const duration = this.#durations.with({ listener, upstream });
      series = { listener, upstream, status, reason, count, duration };
      if (this.#known.size < MAX_KNOWN) this.#known.set(key, series);
    }
    return series;
  }
}

/** A caller who left is nobody's failure. */
function isOwnFailure(reason: string | undefined): boolean {
  return reason !== undefined && reason !== "downstream-gone";
}

/** UNKNOWN, DEADLINE_EXCEEDED, UNIMPLEMENTED, INTERNAL, UNAVAILABLE, DATA_LOSS: what HTTP has its 5xx for. */
const GRPC_FAILURES: ReadonlySet<string> = new Set(["2", "4", "12", "13", "14", "15"]);

function isGrpcFailure(response: Response | undefined): boolean {
  if (response?.status !== 200) return false;
  const { headers, body } = response;
  // The status stands behind the messages, or in the head of an answer that has none.
  const status = body.trailers?.get("grpc-status") ??
    (body.length === 0 ? headers.get("grpc-status") : undefined);
  return status !== undefined && GRPC_FAILURES.has(status);
}
