// A number of things that a peer may do for nothing, which comes back with time. Spending more is a flood.

export class Budget {
  readonly #size: number;
  readonly #perMs: number;
  #left: number;
  #refilledAt: number | undefined;

  /** `size` of them within `windowMs`. */
  constructor(size: number, windowMs: number) {
    this.#size = size;
    this.#perMs = size / windowMs;
    this.#left = size;
  }

  /** False when it is used up. */
  spend(): boolean {
    if (this.#left < 1) return false;
    this.#left--;
    return true;
  }

  /** Gives back for traffic that explains some. */
  earn(count: number): void {
    this.#left = Math.min(this.#size, this.#left + count);
  }

  /** Called now and then, with the clock's time. */
  refill(nowMs: number): void {
    if (this.#refilledAt !== undefined) this.earn((nowMs - this.#refilledAt) * this.#perMs);
    this.#refilledAt = nowMs;
  }
}
