// The token bucket: `burst` at once, then one more each time a token has dripped in.

/** How fast it fills and how much it holds. */
export interface BucketMeasure {
  readonly tokensPerMs: number;
  readonly burst: number;
}

/** What adding fractions may lose: who waited as long as it was told must not be refused for it. */
const ROUNDING = 1e-9;

export class TokenBucket {
  #tokens: number;
  #filledAt: number;

  /** Starts full. */
  constructor(measure: BucketMeasure, nowMs: number) {
    this.#tokens = measure.burst;
    this.#filledAt = nowMs;
  }

  /** Takes one token if there is one. */
  take(measure: BucketMeasure, nowMs: number): boolean {
    this.#fill(measure, nowMs);
    if (this.#tokens < 1 - ROUNDING) return false;
    this.#tokens = Math.max(0, this.#tokens - 1);
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

  /** From the last `take` until there is a token. */
  msUntilNext(measure: BucketMeasure): number {
    return this.#tokens >= 1 ? 0 : (1 - this.#tokens) / measure.tokensPerMs;
  }

  /** From the last `take` until it is full. */
  msUntilFull(measure: BucketMeasure): number {
    return (measure.burst - this.#tokens) / measure.tokensPerMs;
  }
}
