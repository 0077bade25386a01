// Keeps the local app from being asked for more at once than it can do: how much that is, is learnt from how long answers take.
// What is too much is answered at once, and what matters least goes first.
import { ProxyError } from "../errors.ts";
import type { Outcome, Response } from "../http/message.ts";
import { AdaptiveLimit } from "../lib/adaptive_limit.ts";
import type { Clock } from "../lib/clock.ts";
import type { Counter, Family, Metrics } from "../telemetry/metrics.ts";
import type { ExchangeView, Filter } from "./filter.ts";

type Priority = "high" | "normal" | "low";

/** The part of the limit that requests of a priority may fill: others find room where these do not. */
const SHARES: Readonly<Record<Priority, number>> = { high: 1.2, normal: 1, low: 0.8 };

/** Urgency of RFC 9218, 4.1: 0 is the most urgent, 3 what is not said. */
const URGENCY = /(?:^|[,;\s])u=([0-7])(?:$|[,;\s])/;

export class AdaptiveConcurrency implements Filter {
  readonly name = "adaptive-concurrency";
  readonly #clock: Clock;
  readonly #shed: Family<Counter>;
  #limit: AdaptiveLimit | undefined;

  constructor(metrics: Metrics, clock: Clock) {
    this.#clock = clock;
    this.#shed = metrics.counter(
      "mesh_concurrency_shed_total",
      "Requests that were too much for the app at once, by priority.",
    );
    const limit = metrics.gauge(
      "mesh_concurrency_limit",
      "Requests that the app may have at once.",
    );
    const inFlight = metrics.gauge("mesh_concurrency_in_flight", "Requests that the app has now.");
    metrics.onRender(() => {
      limit.clear();
      inFlight.clear();
      if (this.#limit === undefined) return;
      limit.with().set(Math.floor(this.#limit.limit));
      inFlight.with().set(this.#limit.inFlight);
    });
  }

  onRequest(exchange: ExchangeView): undefined {
    const settings = exchange.snapshot.inboundConcurrency;
    if (settings === undefined) {
      this.#limit = undefined;
      return;
    }
    const limit = this.#limit ??= new AdaptiveLimit(settings, this.#clock.now());
    limit.adopt(settings);
    const priority = priorityOf(exchange.request.headers.get(settings.priorityHeader));
    if (!limit.tryAcquire(SHARES[priority])) {
      this.#shed.with({ priority }).add();
      throw new ProxyError("overloaded", "more than the app can do at once", { side: "local" });
    }
    exchange.admission = { limit, since: this.#clock.now() };
  }

  /** What comes behind the head of an answer may be a stream that says nothing of how busy the app is. */
  onResponse(exchange: ExchangeView, response: Response): void {
    const isAnswer = exchange.reason === undefined || exchange.reason === "deadline";
    this.#release(exchange, isAnswer && response.status !== 101);
  }

  /** There was nobody to answer any more. */
  onEnd(exchange: ExchangeView, _response: Response | undefined, _outcome: Outcome): void {
    this.#release(exchange, false);
  }

  #release(exchange: ExchangeView, isMeasured: boolean): void {
    const { admission } = exchange;
    if (admission === undefined) return;
    exchange.admission = undefined;
    const now = this.#clock.now();
    admission.limit.release(isMeasured ? now - admission.since : undefined, now);
  }
}

/** Words, or the urgency of RFC 9218. */
function priorityOf(text: string | undefined): Priority {
  if (text === undefined) return "normal";
  if (text === "low" || text === "high") return text;
  const urgency = Number(URGENCY.exec(text)?.[1] ?? 3);
  return urgency < 3 ? "high" : urgency > 3 ? "low" : "normal";
}
