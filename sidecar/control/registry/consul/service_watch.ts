// The passing instances of one service in one datacenter, followed by blocking queries: one request is always waiting.
import { Backoff } from "../../../lib/backoff.ts";
import type { Clock } from "../../../lib/clock.ts";
import type { Endpoint } from "../../../snapshot/snapshot.ts";
import type { Logger } from "../../../telemetry/log.ts";
import { Trouble } from "../../trouble.ts";
import { NO_ENDPOINTS, settleEndpoints } from "../endpoints.ts";
import type { ConsulApi, PassingAnswer } from "./api.ts";
import { endpointsOf } from "./entries.ts";

export interface WatchContext {
  readonly api: Pick<ConsulApi, "passing">;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  readonly isStale: boolean;
  /** How long endpoints that a shaken Consul no longer names are kept. */
  readonly graceMs: number;
}

export interface WatchListener {
  /** Something changed, or the first answer came: sorted, frozen. */
  onEndpoints(endpoints: readonly Endpoint[]): void;
  /** Consul answered a query. */
  onAnswer(): void;
  /** A query failed. */
  onFailure(): void;
}

/** What Consul takes by default, at most 10 minutes. */
const WAIT_MS = 300_000;
/** After a change the next query waits this long, so that many changes at once become few answers. */
const COALESCE_MS = 200;
const RETRY = { minMs: 250, maxMs: 5000 };

/**
 * A sign of a restart (a failed query, an index that went backwards, servers without a leader) opens the grace: instances come
 * back one by one then, and what is missing from an answer stays until it is over.
 */
export class ServiceWatch {
  readonly #context: WatchContext;
  readonly #service: string;
  readonly #datacenter: string | undefined;
  readonly #listener: WatchListener;
  readonly #backoff: Backoff;
  readonly #trouble: Trouble;
  readonly #closed = Promise.withResolvers<void>();
  #cut = new AbortController();
  #run: Promise<void> | undefined;
  #isClosed = false;
  #index = 0;
  #isShaken = false;
  #graceEndsAt = -Infinity;
  #graceTimer: Disposable | undefined;
  #answered: readonly Endpoint[] | undefined;
  #shown: readonly Endpoint[];
  #hasReported = false;

  /** `known`: what is in use so far, from a cache. */
  constructor(
    { service, datacenter, known = NO_ENDPOINTS }: {
      readonly service: string;
      readonly datacenter: string | undefined;
      readonly known?: readonly Endpoint[];
    },
    listener: WatchListener,
    context: WatchContext,
  ) {
    this.#context = context;
    this.#service = service;
    this.#datacenter = datacenter;
    this.#listener = listener;
    this.#shown = known;
    this.#backoff = new Backoff({ ...RETRY, random: context.random });
    const where = datacenter === undefined ? {} : { datacenter };
    this.#trouble = new Trouble(context.log, "asking Consul for a service", {
      upstream: service,
      ...where,
    });
  }

  start(): void {
    this.#run ??= this.#loop();
  }

  /** Asks again at once; for when the connection that a query waits on may be dead. */
  kick(): void {
    this.#cut.abort();
  }

  /** Takes what is in use meanwhile, before the first answer. */
  adopt(known: readonly Endpoint[]): void {
    if (this.#answered === undefined) this.#shown = known;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#closed.resolve();
    this.#cut.abort();
    this.#graceTimer?.[Symbol.dispose]();
    await this.#run;
  }

  async #loop(): Promise<void> {
    while (!this.#isClosed) {
      const pauseMs = await this.#turn();
      if (pauseMs > 0 && !this.#isClosed) await this.#pause(pauseMs);
    }
  }

  /** One query; resolves to how long to wait before the next. */
  async #turn(): Promise<number> {
    const { api, isStale, random } = this.#context;
    this.#cut = new AbortController();
    const { signal } = this.#cut;
    try {
      const answer = await api.passing({
        service: this.#service,
        datacenter: this.#datacenter,
        index: this.#index,
        waitMs: WAIT_MS * (0.9 + 0.1 * random()),
        isStale,
      }, signal);
      return this.#isClosed ? 0 : this.#take(answer);
    } catch (error) {
      return this.#isClosed ? 0 : this.#fail(error, signal.aborted);
    }
  }

  #take(answer: PassingAnswer): number {
    const { clock, graceMs } = this.#context;
    this.#backoff.reset();
    this.#trouble.worked();
    const wentBack = answer.index < this.#index;
    if (wentBack || this.#isShaken || !answer.knowsLeader) {
      this.#graceEndsAt = clock.now() + graceMs;
      this.#isShaken = false;
    }
    // Consul's own advice: backwards means to start over, and below 1 a query would not block.
    this.#index = wentBack ? 0 : Math.max(1, answer.index);
    this.#answered = endpointsOf(answer.entries);
    const hasChanged = this.#settle();
    this.#listener.onAnswer();
    return hasChanged ? COALESCE_MS : 0;
  }

  /** Whatever index we had may be ahead of a Consul that started anew; it would block for nothing. */
  #fail(error: unknown, isKick: boolean): number {
    this.#index = 0;
    this.#isShaken = true;
    if (isKick) return 0;
    this.#trouble.failed(error);
    this.#listener.onFailure();
    return this.#backoff.next();
  }

  /** Reports if there is news; returns whether there was. */
  #settle(): boolean {
    const answered = this.#answered ?? NO_ENDPOINTS;
    const missing = this.#missing(answered);
    this.#graceTimer?.[Symbol.dispose]();
    this.#graceTimer = undefined;
    if (missing.length > 0) {
      const { clock } = this.#context;
      this.#graceTimer = clock.after(this.#graceEndsAt - clock.now(), () => this.#settle());
    }
    const settled = settleEndpoints([...answered, ...missing], this.#shown);
    if (this.#hasReported && settled === this.#shown) return false;
    this.#hasReported = true;
    this.#shown = settled;
    this.#listener.onEndpoints(settled);
    return true;
  }

  #missing(answered: readonly Endpoint[]): readonly Endpoint[] {
    if (this.#context.clock.now() >= this.#graceEndsAt) return NO_ENDPOINTS;
    const ids = new Set(answered.map(({ id }) => id));
    return this.#shown.filter(({ id }) => !ids.has(id));
  }

  async #pause(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    using _timer = this.#context.clock.after(ms, resolve);
    await Promise.race([promise, this.#closed.promise]);
  }
}
