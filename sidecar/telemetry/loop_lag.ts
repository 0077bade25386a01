// How long the event loop was busy with something else when it was due: what makes every request wait at once.
import type { Clock } from "../lib/clock.ts";
import type { Metrics } from "./metrics.ts";

const EVERY_MS = 100;

/** The longest lag since the metrics were last looked at. */
export class LoopLag implements Disposable {
  readonly #timer: Disposable;
  #longestMs = 0;

  constructor(metrics: Metrics, clock: Clock) {
    let due = clock.now() + EVERY_MS;
    this.#timer = clock.every(EVERY_MS, () => {
      const now = clock.now();
      this.#longestMs = Math.max(this.#longestMs, now - due);
      due = now + EVERY_MS;
    });
    const longest = metrics.gauge(
      "mesh_event_loop_lag_seconds",
      "The longest time that the event loop was late since the last scrape.",
    );
    metrics.onRender(() => {
      longest.with().set(Math.max(0, this.#longestMs) / 1000);
      this.#longestMs = 0;
    });
  }

  [Symbol.dispose](): void {
    this.#timer[Symbol.dispose]();
  }
}
