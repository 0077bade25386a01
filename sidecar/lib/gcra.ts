// The generic cell rate algorithm (ITU-T I.371), "virtual scheduling": requests have a time at which they should come, one interval
// after the other, and may come a burst earlier. It lets through what a token bucket does; all that it keeps is one time.
import type { BucketMeasure, RateMeter } from "./token_bucket.ts";

/** What adding fractions may lose, in milliseconds. */
const ROUNDING = 1e-6;

export class Gcra implements RateMeter {
  /** The theoretical arrival time of the next request. */
  #due = 0;
  #now = 0;
  #remaining = 0;

  take({ tokensPerMs, burst }: BucketMeasure, nowMs: number, cost = 1): boolean {
    this.#now = Math.max(this.#now, nowMs);
    const start = Math.max(this.#due, this.#now);
    const next = start + cost / tokensPerMs;
    const room = burst / tokensPerMs;
    const isAllowed = next - this.#now <= room + ROUNDING;
    if (isAllowed) this.#due = next;
    const used = Math.max(0, this.#due - this.#now);
    this.#remaining = Math.floor((room - used + ROUNDING) * tokensPerMs);
    return isAllowed;
  }

  get remaining(): number {
    return Math.max(0, this.#remaining);
  }

  msUntilNext({ tokensPerMs, burst }: BucketMeasure, cost = 1): number {
    return Math.max(0, this.#due + (cost - burst) / tokensPerMs - this.#now);
  }

  msUntilFull(_measure: BucketMeasure): number {
    return Math.max(0, this.#due - this.#now);
  }
}
