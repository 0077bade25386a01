// The registry that is Consul: one entry at the agent beside us, and one blocking query for each service in use.
import type { Clock } from "../../lib/clock.ts";
import type { Logger } from "../../telemetry/log.ts";
import type { FilesIo } from "../files_io.ts";
import type { ConsulApi } from "./consul/api.ts";
import { Contact } from "./consul/contact.ts";
import { EndpointCache } from "./consul/endpoint_cache.ts";
import { type EntryCheck, HeldEntry } from "./consul/held_entry.ts";
import { type FeedContext, ServiceFeed } from "./consul/service_feed.ts";
import type {
  EndpointsListener,
  Instance,
  Registration,
  Registry,
  RegistryStatus,
} from "./registry.ts";

export interface ConsulRegistryOptions {
  readonly api: ConsulApi;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  readonly io: FilesIo;
  /** Where services are looked for, in this order; undefined: where the agent is. */
  readonly datacenters: readonly (string | undefined)[];
  readonly isStale: boolean;
  readonly graceMs: number;
  /** The file that endpoints are remembered in. */
  readonly cacheFile: string;
  readonly checkOf: (instance: Instance) => EntryCheck;
  readonly checkIntervalMs: number;
  readonly deregisterAfterMs: number;
  /** Tells processes apart; default random. */
  readonly nonce?: string;
}

/**
 * Cost: with 3 services in use 3 waiting requests, a look at our entry every 4 s and a probe every 10 s, whatever the size of
 * the mesh.
 */
export class ConsulRegistry implements Registry {
  readonly #options: ConsulRegistryOptions;
  readonly #nonce: string;
  readonly #contact: Contact;
  readonly #cache: EndpointCache;
  readonly #context: FeedContext;
  readonly #feeds = new Map<string, ServiceFeed>();
  readonly #held = new Map<string, HeldEntry>();
  readonly #closing = new Set<Promise<void>>();
  #isClosed = false;

  constructor(options: ConsulRegistryOptions) {
    const { api, clock, random, log, io, cacheFile, isStale, graceMs, datacenters } = options;
    this.#options = options;
    this.#nonce = options.nonce ?? crypto.randomUUID();
    this.#cache = new EndpointCache({ path: cacheFile, io, clock, log });
    this.#contact = new Contact({
      api,
      clock,
      random,
      log,
      onHeard: () => this.#cache.confirm(),
      onLost: () => this.#kick(),
    });
    this.#context = {
      api,
      clock,
      random,
      log,
      isStale,
      graceMs,
      datacenters,
      recall: (service) => this.#cache.recall(service),
      remember: (service, endpoints) => this.#cache.remember(service, endpoints),
      onNews: (isGood) => this.#contact.hint(isGood),
    };
  }

  /** Resolves after the first try; when that fails it is logged and tried again. Of two live processes with one id the newer holds it. */
  async register(instance: Instance): Promise<Registration> {
    if (this.#isClosed) return { deregister: async () => {} };
    this.#contact.start();
    const { checkOf, checkIntervalMs: intervalMs } = this.#options;
    const check = checkOf(instance);
    const held = new HeldEntry(instance, {
      ...this.#options,
      nonce: this.#nonce,
      check,
      intervalMs,
    });
    const previous = this.#held.get(instance.id);
    this.#held.set(instance.id, held);
    await previous?.stop();
    await held.start();
    return {
      deregister: () => this.#deregister(instance.id, held),
      isKnown: () => held.isKnown,
    };
  }

  watch(service: string, listener: EndpointsListener): Disposable {
    if (this.#isClosed) return { [Symbol.dispose]: () => {} };
    this.#contact.start();
    const feed = this.#feeds.get(service) ?? new ServiceFeed(service, this.#context);
    this.#feeds.set(service, feed);
    const unsubscribe = feed.subscribe(listener);
    return {
      [Symbol.dispose]: () => {
        unsubscribe();
        if (feed.isUnused && this.#feeds.get(service) === feed) this.#drop(service, feed);
      },
    };
  }

  status(): RegistryStatus {
    const cached = [...this.#feeds].filter(([, feed]) => feed.isFromCache);
    const { isUp, error } = this.#contact;
    return {
      isUp,
      source: cached.length > 0 ? "cache" : "live",
      ageMs: cached.length > 0
        ? Math.max(...cached.map(([service]) => this.#cache.ageMs(service)))
        : this.#contact.silentMs,
      ...(error === undefined ? {} : { error }),
    };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const [service, feed] of this.#feeds) this.#drop(service, feed);
    const held = [...this.#held.values()].map((held) => held.stop());
    await Promise.all([...held, ...this.#closing, this.#contact.close()]);
    this.#options.api.close();
    await this.#cache.close();
  }

  async #deregister(id: string, held: HeldEntry): Promise<void> {
    if (this.#held.get(id) !== held) return;
    await held.withdraw();
    if (this.#held.get(id) === held) this.#held.delete(id);
  }

  #drop(service: string, feed: ServiceFeed): void {
    this.#feeds.delete(service);
    this.#cache.release(service);
    const end = feed.close().finally(() => this.#closing.delete(end));
    this.#closing.add(end);
  }

  /** Queries may wait on connections whose other end is gone. */
  #kick(): void {
    for (const feed of this.#feeds.values()) feed.kick();
  }
}
