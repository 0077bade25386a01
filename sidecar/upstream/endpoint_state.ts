// What is known of one endpoint beyond what a snapshot says: what is under way there, how fast it answers, whether it is to be used.
// Outlives snapshots.
import type { Clock } from "../lib/clock.ts";
import { PeakEwma } from "../lib/peak_ewma.ts";
import type { EndpointView } from "./balancer/balancer.ts";
import type { Load } from "./balancer/picker.ts";
import { OutlierRecord } from "./outlier.ts";

/** Why an endpoint is not to be used: its checks fail, or passive ejection has it out. */
export type Absence = "unhealthy" | "ejected";

export class EndpointState implements Load, EndpointView {
  /** `HOST:PORT`. */
  readonly address: string;
  readonly #clock: Clock;
  readonly #since: number;
  readonly #latency = new PeakEwma();
  readonly #absences = new Set<Absence>();
  readonly #onChange: (state: EndpointState) => void;
  readonly outlier = new OutlierRecord();
  inFlight = 0;

  constructor(
    address: string,
    clock: Clock,
    onChange: (state: EndpointState) => void = () => {},
  ) {
    this.address = address;
    this.#clock = clock;
    this.#since = clock.now();
    this.#onChange = onChange;
  }

  get load(): Load {
    return this;
  }

  get ageMs(): number {
    return this.#clock.now() - this.#since;
  }

  get isAvailable(): boolean {
    return this.#absences.size === 0;
  }

  get absences(): readonly Absence[] {
    return [...this.#absences];
  }

  is(absence: Absence): boolean {
    return this.#absences.has(absence);
  }

  set(absence: Absence, isSo: boolean): void {
    if (isSo === this.#absences.has(absence)) return;
    if (isSo) this.#absences.add(absence);
    else this.#absences.delete(absence);
    this.#onChange(this);
  }

  expectedMs(): number {
    return this.#latency.at(this.#clock.now());
  }

  observeLatency(ms: number, nowMs: number): void {
    this.#latency.observe(ms, nowMs);
  }
}
