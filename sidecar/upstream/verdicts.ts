// What an attempt's outcome means to breakers, ejection and balancers of one cluster.
import type { Clock } from "../lib/clock.ts";
import type { BreakerSettings } from "../snapshot/resilience_settings.ts";
import type { Attempt } from "./attempt.ts";
import type { EndpointState } from "./endpoint_state.ts";
import { type Breakage, ENDPOINT_ERRORS, Failures } from "./failures.ts";
import type { OutlierDetector } from "./outlier.ts";

export interface VerdictsOptions {
  readonly clock: Clock;
  readonly breaker: BreakerSettings | undefined;
  readonly outlier: OutlierDetector<EndpointState> | undefined;
  /** Somebody asks how long answers take. */
  readonly isTimed: boolean;
}

/** A failure that takes no time must not look fast. */
const FAILURE_MS = 1_000;

export class Verdicts {
  readonly #options: VerdictsOptions;
  readonly #failures: Failures | undefined;
  readonly #slowMs: number;

  constructor(options: VerdictsOptions) {
    this.#options = options;
    this.#failures = options.breaker && new Failures(options.breaker.failOn);
    this.#slowMs = options.breaker?.slowCallMs ?? Infinity;
  }

  ofAnswer(attempt: Attempt, status: number, grpcStatus: number): void {
    const { outlier, isTimed } = this.#options;
    const isError = status >= 500 || grpcStatus !== 0;
    // Most answers of most clusters: there is little to learn.
    if (!isError && !isTimed && attempt.breaker === undefined) {
      return outlier?.observe(attempt.endpoint, false, 0);
    }
    this.ofHead(attempt);
    const tookMs = attempt.tookMs ?? 0;
    const isEndpointError = isError &&
      (ENDPOINT_ERRORS.hasStatus(status) || ENDPOINT_ERRORS.hasGrpc(grpcStatus));
    outlier?.observe(attempt.endpoint, isEndpointError, tookMs);
    const isFailure = tookMs > this.#slowMs || isError && this.#failures !== undefined &&
        (this.#failures.hasStatus(status) || this.#failures.hasGrpc(grpcStatus));
    this.#toBreaker(attempt, isFailure);
  }

  /** How long it took to begin an answer. */
  ofHead(attempt: Attempt): void {
    if (!this.#options.isTimed || attempt.tookMs !== undefined) return;
    const now = this.#options.clock.now();
    attempt.tookMs = now - attempt.startedAt;
    attempt.endpoint.observeLatency(attempt.tookMs, now);
  }

  ofBreakage(attempt: Attempt, breakage: Breakage): void {
    const { outlier, isTimed, clock } = this.#options;
    const now = clock.now();
    const tookMs = Math.max(isTimed ? now - attempt.startedAt : 0, FAILURE_MS);
    if (isTimed) attempt.endpoint.observeLatency(tookMs, now);
    outlier?.observe(attempt.endpoint, true, tookMs);
    this.#toBreaker(attempt, this.#failures?.hasBreakage(breakage) ?? false);
  }

  #toBreaker({ breaker, permit }: Attempt, isFailure: boolean): void {
    if (breaker === undefined) return;
    const now = this.#options.clock.now();
    if (isFailure) breaker.fail(permit, now);
    else breaker.succeed(permit, now);
  }
}
