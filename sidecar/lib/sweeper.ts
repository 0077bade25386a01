// Looks at many long-lived things now and then, so that none of them needs a timer of its own: what a sweep costs is
// shared by all, and the hot path pays nothing.
import type { Clock } from "./clock.ts";

export interface Sweepable {
  /** `nowMs` is the clock's. */
  sweep(nowMs: number): void;
}

/** Sweeps every `intervalMs` while there is something to sweep: timeouts found this way are late by up to that. */
export class Sweeper {
  readonly #clock: Clock;
  readonly #intervalMs: number;
  readonly #items = new Set<Sweepable>();
  #timer: Disposable | undefined;

  constructor(clock: Clock, intervalMs = 250) {
    this.#clock = clock;
    this.#intervalMs = intervalMs;
  }

  add(item: Sweepable): void {
    this.#items.add(item);
    this.#timer ??= this.#clock.every(this.#intervalMs, () => this.#sweep());
  }

  delete(item: Sweepable): void {
    this.#items.delete(item);
    if (this.#items.size > 0) return;
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
  }

  #sweep(): void {
    const now = this.#clock.now();
    for (const item of this.#items) item.sweep(now);
  }
}
