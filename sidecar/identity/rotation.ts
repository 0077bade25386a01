// Keeps an identity fresh: a new leaf at two thirds of the old one's life, or as soon as its source has changed. What
// fails is tried again, and the last good one stays.
import { Backoff } from "../lib/backoff.ts";
import type { Clock } from "../lib/clock.ts";
import type { Logger } from "../telemetry/log.ts";
import type { IdentityMaterial, IdentitySource } from "./material.ts";

export interface RotationOptions {
  readonly source: IdentitySource;
  readonly clock: Clock;
  readonly log: Logger;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Puts a generation into force. Throws where it cannot be used: then the last one stays. */
  readonly use: (material: IdentityMaterial) => void;
}

/** How often the source is looked at for a change of its own. */
const LOOK_MS = 2_000;
/** A leaf is renewed at two thirds of its life, up to a twentieth earlier: many began together. */
const RENEW_AT = 2 / 3;
const JITTER = 0.05;
const RETRY = { minMs: 1_000, maxMs: 60_000 };
/** Warned of once each, where so much life was left at first. */
const WARNINGS_MS = [24 * 3_600_000, 3_600_000];

export class Rotation {
  readonly #options: RotationOptions;
  readonly #backoff: Backoff;
  #current: IdentityMaterial | undefined;
  #generation = 0;
  #failure: string | undefined;
  /** Epoch milliseconds of the next renewal. */
  #renewAtMs = 0;
  #warned = new Set<number>();
  #looking: Disposable | undefined;
  #work: Promise<void> = Promise.resolve();
  #isBusy = false;
  #isClosed = false;

  constructor(options: RotationOptions) {
    this.#options = options;
    this.#backoff = new Backoff({ ...RETRY, random: options.random });
  }

  /** Resolves when the first generation is in force. Rejects with IdentityError, or what `use` threw. */
  async start(): Promise<void> {
    await this.#renew();
    this.#looking = this.#options.clock.every(LOOK_MS, () => this.#look());
  }

  /** Which generation is in force, counted from 1. */
  get generation(): number {
    return this.#generation;
  }

  /** When its leaf expires, in epoch milliseconds. */
  get notAfterMs(): number {
    return this.#current?.notAfterMs ?? 0;
  }

  /** Why there is no newer one; undefined when all is well. */
  get failure(): string | undefined {
    return this.#failure;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#looking?.[Symbol.dispose]();
    await this.#work;
  }

  #look(): void {
    if (this.#isBusy || this.#isClosed) return;
    this.#isBusy = true;
    this.#work = this.#check().finally(() => this.#isBusy = false);
  }

  async #check(): Promise<void> {
    const { clock, source, log } = this.#options;
    this.#warn();
    const isDue = clock.epoch() >= this.#renewAtMs;
    // While renewing fails, the next try is when the wait is over: a source that is broken looks changed all the time.
    if (!isDue && (this.#failure !== undefined || !await source.hasChanged())) return;
    try {
      const before = this.#generation;
      await this.#renew();
      if (this.#generation === before) return;
      log.info("identity renewed", { generation: this.#generation, until: this.#until() });
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      if (message !== this.#failure) {
        log.error("identity cannot be renewed; the last one stays", {
          reason: message,
          until: this.#until(),
        });
      }
      this.#failure = message;
      this.#renewAtMs = clock.epoch() + this.#backoff.next();
    }
  }

  async #renew(): Promise<void> {
    const { source, use, random, clock } = this.#options;
    const material = await source.issue();
    if (material !== this.#current) {
      use(material);
      this.#current = material;
      this.#generation++;
      this.#warned.clear();
    }
    this.#failure = undefined;
    this.#backoff.reset();
    const { notBeforeMs, notAfterMs } = material;
    const share = RENEW_AT - random() * JITTER;
    const renewAtMs = notBeforeMs + (notAfterMs - notBeforeMs) * share;
    // A source that had nothing newer is not pressed.
    this.#renewAtMs = Math.max(renewAtMs, clock.epoch() + LOOK_MS);
  }

  /** A leaf is renewed long before; one that comes near its end is in trouble. */
  #warn(): void {
    const { clock, log } = this.#options;
    const { notBeforeMs = 0, notAfterMs = 0 } = this.#current ?? {};
    const leftMs = notAfterMs - clock.epoch();
    for (const warning of WARNINGS_MS) {
      const isEarly = notAfterMs - notBeforeMs <= warning * 1.5;
      if (leftMs > warning || isEarly || this.#warned.has(warning)) continue;
      this.#warned.add(warning);
      log.warn("the identity's certificate expires soon", { until: this.#until() });
    }
  }

  #until(): string {
    return new Date(this.notAfterMs).toISOString();
  }
}
