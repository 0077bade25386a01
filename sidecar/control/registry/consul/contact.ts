// Whether Consul can be worked with, judged by asking it: queries that wait for minutes cannot tell.
import type { Clock } from "../../../lib/clock.ts";
import type { Logger } from "../../../telemetry/log.ts";
import { LatestRun } from "../../latest_run.ts";
import type { ConsulApi } from "./api.ts";

export interface ContactOptions {
  readonly api: Pick<ConsulApi, "probe">;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  /** Consul answered. */
  readonly onHeard: () => void;
  /** Consul answers no more, though connections to it may seem to be open. */
  readonly onLost: () => void;
}

/** How often it is asked, give or take a fifth: the age of data that nobody confirmed is known to this. */
const PROBE_MS = 10_000;
/** News of a failure or a success is checked at once, but not more often than this. */
const CHECK_MS = 1000;

/** Logs when Consul goes away and when it is back. Never throws. */
export class Contact {
  readonly #options: ContactOptions;
  readonly #probes = new LatestRun(() => this.#probe());
  #state: "unknown" | "up" | "down" | "closed" = "unknown";
  #lastMs: number | undefined;
  #lastProbeAt = -Infinity;
  #error: string | undefined;
  #next: Disposable | undefined;

  constructor(options: ContactOptions) {
    this.#options = options;
  }

  get isUp(): boolean {
    return this.#state === "up";
  }

  /** Why it is not up, if that is known. */
  get error(): string | undefined {
    return this.#error;
  }

  /** Since Consul was last heard; undefined: never. */
  get silentMs(): number | undefined {
    return this.#lastMs === undefined ? undefined : this.#options.clock.now() - this.#lastMs;
  }

  start(): void {
    if (this.#next === undefined && this.#state === "unknown") this.#schedule(0);
  }

  /** A query was answered, or was not. Resolved by a probe: one service or datacenter may fail alone. */
  hint(isGood: boolean): void {
    if (this.#state === "closed" || isGood === this.isUp) return;
    const sinceMs = this.#options.clock.now() - this.#lastProbeAt;
    this.#schedule(Math.max(0, CHECK_MS - sinceMs));
  }

  async close(): Promise<void> {
    this.#state = "closed";
    this.#next?.[Symbol.dispose]();
    await this.#probes.idle();
  }

  #schedule(ms: number): void {
    this.#next?.[Symbol.dispose]();
    this.#next = this.#options.clock.after(ms, () => void this.#probes.run());
  }

  async #probe(): Promise<void> {
    const { api, clock, random } = this.#options;
    this.#lastProbeAt = clock.now();
    let error: unknown;
    try {
      await api.probe();
    } catch (thrown) {
      error = thrown;
    }
    if (this.#isClosed()) return;
    if (error === undefined) this.#up();
    else this.#down(error);
    this.#schedule(PROBE_MS * (0.8 + 0.4 * random()));
  }

  #isClosed(): boolean {
    return this.#state === "closed";
  }

  #up(): void {
    if (this.#state !== "up") this.#options.log.info("Consul answers");
    this.#state = "up";
    this.#error = undefined;
    this.#lastMs = this.#options.clock.now();
    this.#options.onHeard();
  }

  #down(error: unknown): void {
    const before = this.#state;
    this.#state = "down";
    this.#error = error instanceof Error ? error.message : String(error);
    if (before === "down") return;
    this.#options.log.error("Consul does not answer, the last known endpoints stay", { error });
    if (before === "up") this.#options.onLost();
  }
}
