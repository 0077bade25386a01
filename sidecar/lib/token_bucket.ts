// The token bucket: `burst` at once, then one more each time a token has dripped in.

/** How fast it fills and how much it holds. */
export interface BucketMeasure {
  readonly tokensPerMs: number;
  readonly burst: number;
}

/** What adding fractions may lose: who waited as long as it was told must not be refused for it. */
const ROUNDING = 1e-9;

/** What counts against a measure. */
export interface RateMeter {
  take(measure: BucketMeasure, nowMs: number, cost?: number): boolean;
  /** Whole tokens left at the last `take`. */
  readonly remaining: number;
  msUntilNext(measure: BucketMeasure, cost?: number): number;
  msUntilFull(measure: BucketMeasure): number;
}

export class TokenBucket implements RateMeter {
  #tokens: number;
  #filledAt: number;

  /** Starts full. */
  constructor(measure: BucketMeasure, nowMs: number) {
    this.#tokens = measure.burst;
    this.#filledAt = nowMs;
  }

  /** Takes so many tokens if they are there. */
  take(measure: BucketMeasure, nowMs: number, cost = 1): boolean {
    this.#fill(measure, nowMs);
    if (this.#tokens < cost - ROUNDING) return false;
    this.#tokens = Math.max(0, this.#tokens - cost);
    return true;
  }

  #fill(measure: BucketMeasure, nowMs: number): void {
    // Takes may come out of order, and the same time must not drip twice.
    const elapsedMs = Math.max(0, nowMs - this.#filledAt);
    this.#tokens = Math.min(measure.burst, this.#tokens + elapsedMs * measure.tokensPerMs);
    this.#filledAt += elapsedMs;
  }

  /** Whole tokens left at the last `take`. */
  get remaining(): number {
    return Math.floor(this.#tokens + ROUNDING);
  }

  /** From the last `take` until there are so many tokens. */
  msUntilNext(measure: BucketMeasure, cost = 1): number {
    return this.#tokens >= cost ? 0 : (cost - this.#tokens) / measure.tokensPerMs;
  }

  /** From the last `take` until it is full. */
  msUntilFull(measure: BucketMeasure): number {
    return (measure.burst - this.#tokens) / measure.tokensPerMs;
  }
}
