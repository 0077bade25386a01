// Every upstream that traffic goes to: pickers by cluster, pools by endpoint. What did not change between two
// snapshots keeps its connections and its turn.
import type { Request } from "../http/message.ts";
import type { Cluster, Endpoint, Snapshot } from "../snapshot/snapshot.ts";
import { type Picker, RoundRobin, type Turn } from "./balancer/round_robin.ts";
import { Http1Pool } from "./http1_pool.ts";
import { Http2Pool } from "./http2_pool.ts";
import type { Pool, PoolContext, PoolSize, Security } from "./pool.ts";
import { announcesHttp2, announcesMtls, chooseProtocol, type Protocol } from "./protocol.ts";
import { RetryBudget } from "./retry_budget.ts";

/** What `stats` says of one endpoint. */
export interface EndpointStats extends PoolSize {
  readonly cluster: string;
  readonly address: string;
  readonly protocol: Protocol;
}

/** The pools of one endpoint. */
type Pools = { -readonly [P in Protocol]: Pool | undefined };

interface Entry {
  readonly cluster: string;
  readonly security: Security["kind"];
  readonly announcesHttp2: boolean;
  readonly pools: Pools;
}

export class Upstreams {
  readonly #context: PoolContext;
  readonly #turns = new Map<string, Turn>();
  readonly #pickers = new WeakMap<Cluster, Picker>();
  #lastCluster: Cluster | undefined;
  #lastPicker: Picker | undefined;
  readonly #budgets = new Map<string, RetryBudget>();
  /** By cluster name and address. */
  readonly #entries = new Map<string, Entry>();
  /** The same, found without making a key; an endpoint object belongs to one cluster. */
  readonly #entryOf = new WeakMap<Endpoint, Entry>();
  /** Of endpoints that are gone, until their last exchange is over. */
  readonly #draining = new Set<Pool>();

  constructor(context: PoolContext) {
    this.#context = context;
  }

  /** The picker of a cluster as one snapshot has it. */
  picker(cluster: Cluster): Picker {
    if (cluster !== this.#lastCluster) {
      this.#lastCluster = cluster;
      this.#lastPicker = this.#pickerOf(cluster);
    }
    return this.#lastPicker!;
  }

  #pickerOf(cluster: Cluster): Picker {
    let picker = this.#pickers.get(cluster);
    if (picker === undefined) {
      const turn = this.#turns.get(cluster.name) ?? { next: 0 };
      this.#turns.set(cluster.name, turn);
      picker = new RoundRobin(cluster.endpoints, turn);
      this.#pickers.set(cluster, picker);
    }
    return picker;
  }

  /** What retries of a cluster may cost; undefined where its policy has none. */
  budget({ name, retry }: Cluster): RetryBudget | undefined {
    if (retry === undefined) return undefined;
    let budget = this.#budgets.get(name);
    if (budget?.share !== retry.budget) {
      budget = new RetryBudget(retry.budget);
      this.#budgets.set(name, budget);
    }
    return budget;
  }

  /** The connections to an endpoint in the version that `request` is to be sent in. */
  pool(cluster: Cluster, endpoint: Endpoint, request: Request): Pool {
    const known = this.#entryOf.get(endpoint);
    // Policy may change how an endpoint is met while the endpoint stays.
    if (known !== undefined && known.security === this.#securityOf(cluster, endpoint)) {
      const pool = known.pools[chooseProtocol(cluster, known.announcesHttp2, request)];
      if (pool?.isOpen) return pool;
    }
    const entry = this.#entry(cluster, endpoint);
    this.#entryOf.set(endpoint, entry);
    const protocol = chooseProtocol(cluster, entry.announcesHttp2, request);
    const { host, port } = endpoint;
    const { security: kind } = entry;
    const security: Security = kind === "mesh" ? { kind, service: cluster.name } : { kind };
    const address = { host, port, security };
    return entry.pools[protocol] ??= protocol === "http2"
      ? new Http2Pool(address, this.#context)
      : new Http1Pool(address, this.#context);
  }

  /** Who must answer at an endpoint. */
  #securityOf(cluster: Cluster, endpoint: Endpoint): Security["kind"] {
    const { mtls = "off" } = this.#context;
    if (cluster.tls === "origin") return "origin";
    if (mtls === "off" || cluster.tls === "none") return "plain";
    return mtls === "strict" || announcesMtls(endpoint) ? "mesh" : "plain";
  }

  #entry(cluster: Cluster, endpoint: Endpoint): Entry {
    const security = this.#securityOf(cluster, endpoint);
    const key = keyOf(cluster, endpoint, security);
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      const pools = { http1: undefined, http2: undefined };
      entry = {
        cluster: cluster.name,
        security,
        announcesHttp2: announcesHttp2(endpoint),
        pools,
      };
      this.#entries.set(key, entry);
    }
    return entry;
  }

  /** Lets go of endpoints that are gone: their idle connections close now, busy ones when their exchange is over. */
  apply(snapshot: Snapshot): void {
    this.#lastCluster = undefined;
    const wanted = new Set<string>();
    const apps = [snapshot.app, snapshot.grpcApp].filter((app) => app !== undefined);
    const clusters = [...snapshot.clusters.values(), ...apps];
    for (const cluster of clusters) {
      for (const endpoint of cluster.endpoints) {
        wanted.add(keyOf(cluster, endpoint, this.#securityOf(cluster, endpoint)));
      }
    }
    for (const pool of this.#draining) if (pool.isEmpty) this.#draining.delete(pool);
    for (const [key, { pools }] of this.#entries) {
      if (wanted.has(key)) continue;
      this.#entries.delete(key);
      for (const pool of poolsIn(pools)) {
        pool.drain();
        if (!pool.isEmpty) this.#draining.add(pool);
      }
    }
    const names = new Set(clusters.map(({ name }) => name));
    for (const byName of [this.#turns, this.#budgets]) {
      for (const name of byName.keys()) if (!names.has(name)) byName.delete(name);
    }
  }

  stats(): EndpointStats[] {
    return [...this.#entries.values()].flatMap(({ cluster, pools }) =>
      PROTOCOLS.flatMap((protocol) => {
        const pool = pools[protocol];
        return pool === undefined ? [] : [{ cluster, address: pool.name, protocol, ...pool.size }];
      })
    );
  }

  /** Cuts every connection. */
  close(): void {
    for (const { pools } of this.#entries.values()) for (const pool of poolsIn(pools)) pool.close();
    for (const pool of this.#draining) pool.close();
    this.#entries.clear();
    this.#draining.clear();
  }
}

const PROTOCOLS: readonly Protocol[] = ["http1", "http2"];

function poolsIn(pools: Pools): Pool[] {
  return PROTOCOLS.map((protocol) => pools[protocol]).filter((pool) => pool !== undefined);
}

function keyOf(cluster: Cluster, endpoint: Endpoint, security: Security["kind"]): string {
  return `${cluster.name}|${endpoint.host}:${endpoint.port}|${security}`;
}
