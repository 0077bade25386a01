// Passive ejection: endpoints that do worse than they should are left out for a while, never more of them than a share. What is seen
// here is traffic; active checks are health.ts.
import type { Clock } from "../lib/clock.ts";
import type { OutlierSettings } from "../snapshot/resilience_settings.ts";
import { slowOnes, unreliableOnes } from "./outlier_statistics.ts";

/** What is counted of one endpoint. */
export class OutlierRecord {
  errorsInRow = 0;
  /** Since endpoints were compared last. */
  requests = 0;
  errors = 0;
  latencySumMs = 0;
  /** How often it was ejected, less one for each quiet interval since. */
  ejections = 0;
}

/** An endpoint as the detector sees it. */
export interface Ejectable {
  readonly address: string;
  readonly outlier: OutlierRecord;
  is(absence: "ejected"): boolean;
  set(absence: "ejected", isSo: boolean): void;
}

export type EjectionReason = "consecutive-errors" | "success-rate" | "latency";

export interface OutlierOptions<E extends Ejectable> {
  readonly settings: OutlierSettings;
  readonly clock: Clock;
  /** All that the cluster has now. */
  readonly endpoints: () => readonly E[];
  /** One was ejected, or would have been but for the share. */
  readonly onEjection: (endpoint: E, reason: EjectionReason, isHeld: boolean, ms: number) => void;
}

export class OutlierDetector<E extends Ejectable> implements Disposable {
  readonly #options: OutlierOptions<E>;
  readonly #returns = new Map<E, Disposable>();
  readonly #isComparing: boolean;
  #interval: Disposable | undefined;

  constructor(options: OutlierOptions<E>) {
    const { successRate, latency } = options.settings;
    this.#options = options;
    this.#isComparing = successRate !== undefined || latency !== undefined;
    if (this.#isComparing) this.#watch();
  }

  observe(endpoint: E, isError: boolean, latencyMs: number): void {
    const { outlier } = endpoint;
    if (this.#isComparing) {
      outlier.requests++;
      outlier.latencySumMs += latencyMs;
      if (isError) outlier.errors++;
    }
    if (!isError) {
      if (outlier.errorsInRow !== 0) outlier.errorsInRow = 0;
      return;
    }
    const { consecutiveErrors } = this.#options.settings;
    if (consecutiveErrors === 0 || ++outlier.errorsInRow < consecutiveErrors) return;
    outlier.errorsInRow = 0;
    this.#eject(endpoint, "consecutive-errors");
  }

  /** Lets everybody in again. */
  [Symbol.dispose](): void {
    this.#interval?.[Symbol.dispose]();
    for (const endpoint of [...this.#returns.keys()]) this.#letIn(endpoint);
  }

  #eject(endpoint: E, reason: EjectionReason): void {
    const { settings, clock, onEjection } = this.#options;
    if (endpoint.is("ejected")) return;
    if (!this.#hasRoom()) return onEjection(endpoint, reason, true, 0);
    const { outlier } = endpoint;
    outlier.ejections++;
    const ms = Math.min(settings.maxEjectionMs, settings.baseEjectionMs * outlier.ejections);
    endpoint.set("ejected", true);
    this.#returns.set(endpoint, clock.after(ms, () => this.#letIn(endpoint)));
    this.#watch();
    onEjection(endpoint, reason, false, ms);
  }

  #hasRoom(): boolean {
    const endpoints = this.#options.endpoints();
    const out = endpoints.filter((endpoint) => endpoint.is("ejected")).length;
    const most = Math.max(1, Math.floor(endpoints.length * this.#options.settings.maxShare));
    return out < Math.min(most, endpoints.length - 1);
  }

  #letIn(endpoint: E): void {
    this.#returns.get(endpoint)?.[Symbol.dispose]();
    this.#returns.delete(endpoint);
    endpoint.outlier.errorsInRow = 0;
    endpoint.set("ejected", false);
  }

  #watch(): void {
    const { clock, settings } = this.#options;
    this.#interval ??= clock.every(settings.intervalMs, () => this.#compare());
  }

  #compare(): void {
    const { settings, endpoints } = this.#options;
    const inside = endpoints().filter((endpoint) => !endpoint.is("ejected"));
    for (const { outlier } of inside) if (outlier.ejections > 0) outlier.ejections--;
    const { successRate, latency } = settings;
    const unreliable = successRate === undefined ? [] : unreliableOnes(inside, successRate);
    const slow = latency === undefined ? [] : slowOnes(inside, latency);
    for (const endpoint of unreliable) this.#eject(endpoint, "success-rate");
    for (const endpoint of slow) this.#eject(endpoint, "latency");
    for (const { outlier } of inside) {
      outlier.requests = 0;
      outlier.errors = 0;
      outlier.latencySumMs = 0;
    }
    this.#rest();
  }

  /** Without comparisons there is something to do only while somebody has a past. */
  #rest(): void {
    if (this.#isComparing || this.#returns.size > 0) return;
    if (this.#options.endpoints().some(({ outlier }) => outlier.ejections > 0)) return;
    this.#interval?.[Symbol.dispose]();
    this.#interval = undefined;
  }
}
