// How long to wait before trying again.

export interface BackoffOptions {
  /** No delay is shorter. */
  readonly minMs: number;
  /** No delay is longer. */
  readonly maxMs: number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

/** How much longer than the last delay the next one may be. */
const GROWTH = 3;

/**
 * Decorrelated jitter (Brooker, "Exponential Backoff And Jitter", AWS 2015): each delay is drawn between `minMs` and three
 * times the one before, so that clients which failed together do not come back together.
 */
export class Backoff {
  readonly #options: BackoffOptions;
  #lastMs: number;

  constructor(options: BackoffOptions) {
    const { minMs, maxMs } = options;
    if (!(minMs > 0 && maxMs >= minMs && maxMs < Infinity)) {
      throw new RangeError(`backoff from ${minMs} to ${maxMs} ms: expected 0 < minMs <= maxMs`);
    }
    this.#options = options;
    this.#lastMs = minMs;
  }

  /** The delay before the next try. */
  next(): number {
    const { minMs, maxMs, random } = this.#options;
    const ceiling = Math.min(maxMs, this.#lastMs * GROWTH);
    this.#lastMs = minMs + random() * (ceiling - minMs);
    return this.#lastMs;
  }

  /** It worked: the next failure starts from `minMs` again. */
  reset(): void {
    this.#lastMs = this.#options.minMs;
  }
}
