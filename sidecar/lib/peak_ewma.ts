// A moving average of latency that believes bad news at once and good news by and by (Finagle's peak EWMA).

/** How fast the past is forgotten: after so long a third of it is left. */
const DECAY_MS = 10_000;

export class PeakEwma {
  #valueMs = 0;
  #observedAt = 0;

  observe(ms: number, nowMs: number): void {
    const before = this.at(nowMs);
    const kept = Math.exp(-(nowMs - this.#observedAt) / DECAY_MS);
    this.#valueMs = ms > before ? ms : this.#valueMs * kept + ms * (1 - kept);
    this.#observedAt = nowMs;
  }

  /** In milliseconds; falls with time where nothing is observed, so that whoever was slow is tried again. */
  at(nowMs: number): number {
    if (this.#valueMs === 0) return 0;
    return this.#valueMs * Math.exp(-(nowMs - this.#observedAt) / DECAY_MS);
  }
}
