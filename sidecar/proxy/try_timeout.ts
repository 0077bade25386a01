// How long one try may take to answer, within the time of the whole exchange.
import type { Timeouts } from "../lib/timeouts.ts";

export class TryTimeout {
  readonly #ms: number;
  readonly #timeouts: Timeouts;
  readonly #onExpired: (ms: number) => void;
  #timeout: { clear(): void } | undefined;

  constructor(ms: number, timeouts: Timeouts, onExpired: (ms: number) => void) {
    this.#ms = ms;
    this.#timeouts = timeouts;
    this.#onExpired = onExpired;
  }

  /** A try begins. */
  arm(): void {
    this.clear();
    this.#timeout = this.#timeouts.after(this.#ms, () => this.#onExpired(this.#ms));
  }

  clear(): void {
    this.#timeout?.clear();
    this.#timeout = undefined;
  }
}
