// What one service's listeners are told: the first datacenter that has instances, or what the disk remembers until Consul speaks.
import type { Endpoint } from "../../../snapshot/snapshot.ts";
import type { Logger } from "../../../telemetry/log.ts";
import { NO_ENDPOINTS, report } from "../endpoints.ts";
import type { EndpointsListener } from "../registry.ts";
import { ServiceWatch, type WatchContext } from "./service_watch.ts";

export interface FeedContext extends WatchContext {
  readonly log: Logger;
  /** In the order of preference; the first is undefined where it is the agent's own. */
  readonly datacenters: readonly (string | undefined)[];
  /** What was remembered of a service before this process started. */
  recall(service: string): Promise<readonly Endpoint[] | undefined>;
  /** A live answer of a service. */
  remember(service: string, endpoints: readonly Endpoint[]): void;
  /** A query was answered, or failed. */
  onNews(isGood: boolean): void;
}

/** How long a first answer may take before the remembered one is used: half of what a start waits for the registry. */
const PATIENCE_MS = 500;

interface Subscriber {
  readonly listener: EndpointsListener;
  reported: readonly Endpoint[] | undefined;
}

interface Place {
  readonly watch: ServiceWatch;
  /** Undefined until it is known; a failover that cannot be asked has none. */
  endpoints: readonly Endpoint[] | undefined;
}

/** Watches a further datacenter only while those before it have nothing. */
export class ServiceFeed {
  readonly #service: string;
  readonly #context: FeedContext;
  readonly #subscribers = new Set<Subscriber>();
  readonly #places: Place[] = [];
  readonly #closing = new Set<Promise<void>>();
  readonly #patience: Disposable;
  #current: readonly Endpoint[] | undefined;
  #source: "live" | "cache" = "live";
  #isClosed = false;

  constructor(service: string, context: FeedContext) {
    this.#service = service;
    this.#context = context;
    this.#patience = context.clock.after(PATIENCE_MS, () => void this.#recall());
    this.#open();
  }

  /** Whether Consul has not been heard of this service since the start. */
  get isFromCache(): boolean {
    return this.#source === "cache";
  }

  get isUnused(): boolean {
    return this.#subscribers.size === 0;
  }

  /** Returns the end of the subscription. */
  subscribe(listener: EndpointsListener): () => void {
    const subscriber: Subscriber = { listener, reported: undefined };
    this.#subscribers.add(subscriber);
    queueMicrotask(() => this.#deliver(subscriber));
    return () => void this.#subscribers.delete(subscriber);
  }

  kick(): void {
    for (const { watch } of this.#places) watch.kick();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#subscribers.clear();
    this.#patience[Symbol.dispose]();
    for (const { watch } of this.#places.splice(0)) this.#end(watch);
    await Promise.all(this.#closing);
  }

  #open(): void {
    const { datacenters, onNews } = this.#context;
    const rank = this.#places.length;
    const place: Place = {
      watch: new ServiceWatch({ service: this.#service, datacenter: datacenters[rank] }, {
        onEndpoints: (endpoints) => {
          place.endpoints = endpoints;
          this.#decide();
        },
        onAnswer: () => onNews(true),
        onFailure: () => {
          onNews(false);
          this.#onFailure(place, rank);
        },
      }, this.#context),
      endpoints: undefined,
    };
    this.#places.push(place);
    place.watch.start();
  }

  #onFailure(place: Place, rank: number): void {
    if (rank === 0) return void this.#recall();
    if (place.endpoints !== undefined) return;
    place.endpoints = NO_ENDPOINTS;
    this.#decide();
  }

  /** While a datacenter before has not spoken, nothing is said. */
  #decide(): void {
    for (let rank = 0; rank < this.#places.length; rank++) {
      const { endpoints } = this.#places[rank]!;
      if (endpoints === undefined) return;
      if (endpoints.length > 0) {
        for (const { watch } of this.#places.splice(rank + 1)) this.#end(watch);
        return this.#settle(endpoints);
      }
    }
    if (this.#places.length < this.#context.datacenters.length) return this.#open();
    this.#settle(NO_ENDPOINTS);
  }

  #settle(endpoints: readonly Endpoint[]): void {
    this.#source = "live";
    this.#context.remember(this.#service, endpoints);
    this.#show(endpoints);
  }

  #show(endpoints: readonly Endpoint[]): void {
    this.#current = endpoints;
    for (const subscriber of [...this.#subscribers]) this.#deliver(subscriber);
  }

  #deliver(subscriber: Subscriber): void {
    const endpoints = this.#current;
    if (endpoints === undefined || endpoints === subscriber.reported) return;
    if (!this.#subscribers.has(subscriber)) return;
    subscriber.reported = endpoints;
    report(subscriber.listener, endpoints, this.#context.log);
  }

  async #recall(): Promise<void> {
    if (this.#current !== undefined) return;
    const endpoints = await this.#context.recall(this.#service);
    if (endpoints === undefined || this.#current !== undefined || this.#isClosed) return;
    this.#source = "cache";
    this.#places[0]?.watch.adopt(endpoints);
    this.#show(endpoints);
  }

  #end(watch: ServiceWatch): void {
    const end = watch.close().finally(() => this.#closing.delete(end));
    this.#closing.add(end);
  }
}
