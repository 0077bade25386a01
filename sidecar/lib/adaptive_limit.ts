// How much may be under way at once, learnt from how long it takes: a gradient as in Envoy's adaptive concurrency and Netflix'
// concurrency-limits. While a window takes about as long as the quickest of the last minute, the limit grows by half its square
// root; where it takes longer, it shrinks by as much. The quickest is looked for anew from time to time, with a part of the limit,
// or a queue that never empties would pass for the way things are.

export interface AdaptiveLimitSettings {
  readonly min: number;
  readonly max: number;
  readonly initial: number;
  /** How many times the quickest latency is not yet slow. */
  readonly tolerance: number;
}

/** A window is over when it has so many latencies and has lasted so long, or after a second if it has a few. */
const WINDOW_SAMPLES = 50;
const WINDOW_MS = 100;
const FEW_SAMPLES = 10;
const LONG_WINDOW_MS = 1000;
/** Latencies kept of one window; of a busier one these stand for all. */
const MAX_SAMPLES = 256;
/** The quickest window counts for so long, in slots of so long. */
const SLOTS = 60;
const SLOT_MS = 1000;
const PROBE_EVERY_MS = 15_000;
/** What is left of the limit for one window while the quickest is looked for. */
const PROBE_SHARE = 0.4;
/** How much of a new window is believed. */
const SMOOTHING = 0.3;
/** How far the limit goes to where a window points. */
const STEP = 0.2;
/** A window shrinks the limit by half at most. */
const MIN_GRADIENT = 0.5;

export class AdaptiveLimit {
  #settings: AdaptiveLimitSettings;
  #limit: number;
  #inFlight = 0;
  #highest = 0;
  readonly #samples = new Float64Array(MAX_SAMPLES);
  #count = 0;
  #windowStart: number;
  #smoothed: number | undefined;
  /** The least smoothed latency of each second; Infinity where there was none. */
  readonly #quickest = new Float64Array(SLOTS).fill(Infinity);
  #slot = 0;
  #slotStart: number;
  #isProbing = false;
  #lastProbe: number;

  constructor(settings: AdaptiveLimitSettings, nowMs: number) {
    this.#settings = settings;
    this.#limit = settings.initial;
    this.#windowStart = this.#slotStart = this.#lastProbe = nowMs;
  }

  /** As it stands; a fraction counts, whole requests do not fit into it. */
  get limit(): number {
    return this.#isProbing ? Math.max(this.#settings.min, this.#limit * PROBE_SHARE) : this.#limit;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** What was learnt stays, within the new bounds. */
  adopt(settings: AdaptiveLimitSettings): void {
    if (settings === this.#settings) return;
    this.#settings = settings;
    this.#limit = this.#bounded(this.#limit);
  }

  /** Whether one more may begin; `share` is the part of the limit that such requests may fill. */
  tryAcquire(share = 1): boolean {
    if (this.#inFlight + 1 > Math.max(1, this.limit * share)) return false;
    this.#inFlight++;
    if (this.#inFlight > this.#highest) this.#highest = this.#inFlight;
    return true;
  }

  /** One is over. `latencyMs` undefined: it says nothing of how long things take. */
  release(latencyMs: number | undefined, nowMs: number): void {
    this.#inFlight--;
    if (latencyMs === undefined) return;
    this.#samples[this.#count % MAX_SAMPLES] = latencyMs;
    this.#count++;
    const lasted = nowMs - this.#windowStart;
    const isFull = this.#count >= WINDOW_SAMPLES && lasted >= WINDOW_MS;
    if (isFull || (this.#count >= FEW_SAMPLES && lasted >= LONG_WINDOW_MS)) this.#update(nowMs);
  }

  #update(nowMs: number): void {
    const kept = this.#samples.subarray(0, Math.min(this.#count, MAX_SAMPLES)).slice().sort();
    const median = kept[kept.length >> 1]!;
    const { tolerance } = this.#settings;
    const before = this.#smoothed ?? median;
    // A probe is of another load than what came before.
    const latency = this.#isProbing ? median : before + SMOOTHING * (median - before);
    if (!this.#isProbing) this.#smoothed = latency;
    const quickest = this.#remember(latency, nowMs);
    if (!this.#isProbing) {
      const gradient = Math.max(MIN_GRADIENT, Math.min(1, tolerance * quickest / latency));
      const wanted = this.#limit * gradient + Math.max(1, Math.sqrt(this.#limit) / 2);
      const next = this.#limit + STEP * (wanted - this.#limit);
      // Nobody knows whether more would do that nobody has asked for.
      const isUsed = this.#highest >= this.#limit / 2;
      if (next < this.#limit || isUsed) this.#limit = this.#bounded(next);
    }
    this.#begin(nowMs);
  }

  /** The least of the last minute, this one included. */
  #remember(latency: number, nowMs: number): number {
    const passed = Math.min(SLOTS, Math.floor((nowMs - this.#slotStart) / SLOT_MS));
    for (let i = 0; i < passed; i++) {
      this.#slot = (this.#slot + 1) % SLOTS;
      this.#quickest[this.#slot] = Infinity;
    }
    if (passed > 0) this.#slotStart = nowMs;
    this.#quickest[this.#slot] = Math.min(this.#quickest[this.#slot]!, latency);
    let least = Infinity;
    for (const each of this.#quickest) if (each < least) least = each;
    return least;
  }

  #begin(nowMs: number): void {
    this.#isProbing = !this.#isProbing && nowMs - this.#lastProbe >= PROBE_EVERY_MS;
    if (this.#isProbing) this.#lastProbe = nowMs;
    this.#count = 0;
    this.#highest = this.#inFlight;
    this.#windowStart = nowMs;
  }

  #bounded(limit: number): number {
    return Math.max(this.#settings.min, Math.min(this.#settings.max, limit));
  }
}
