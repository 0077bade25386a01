// Every upstream that traffic goes to: pickers by cluster, pools by endpoint. What did not change between two
// snapshots keeps its connections and its turn.
import type { Cluster, Endpoint, Snapshot } from "../snapshot/snapshot.ts";
import { type Picker, RoundRobin, type Turn } from "./balancer/round_robin.ts";
import { Pool, type PoolContext } from "./pool.ts";

/** What `stats` says of one endpoint. */
export interface EndpointStats {
  readonly cluster: string;
  readonly address: string;
  readonly idle: number;
  readonly busy: number;
  readonly pending: number;
}

export class Upstreams {
  readonly #context: PoolContext;
  readonly #turns = new Map<string, Turn>();
  readonly #pickers = new WeakMap<Cluster, Picker>();
  /** By cluster name and address. */
  readonly #pools = new Map<string, Pool>();
  /** The same, found without making a key; an endpoint object belongs to one cluster. */
  readonly #poolOf = new WeakMap<Endpoint, Pool>();
  /** Of endpoints that are gone, until their last exchange is over. */
  readonly #draining = new Set<Pool>();

  constructor(context: PoolContext) {
    this.#context = context;
  }

  /** The picker of a cluster as one snapshot has it. */
  picker(cluster: Cluster): Picker {
    let picker = this.#pickers.get(cluster);
    if (picker === undefined) {
      const turn = this.#turns.get(cluster.name) ?? { next: 0 };
      this.#turns.set(cluster.name, turn);
      picker = new RoundRobin(cluster.endpoints, turn);
      this.#pickers.set(cluster, picker);
    }
    return picker;
  }

  pool(cluster: Cluster, endpoint: Endpoint): Pool {
    const known = this.#poolOf.get(endpoint);
    if (known?.isOpen) return known;
    const pool = this.#poolBy(cluster, endpoint);
    this.#poolOf.set(endpoint, pool);
    return pool;
  }

  #poolBy(cluster: Cluster, endpoint: Endpoint): Pool {
    const key = keyOf(cluster, endpoint);
    let pool = this.#pools.get(key);
    if (pool === undefined) {
      pool = new Pool(endpoint, this.#context);
      this.#pools.set(key, pool);
    }
    return pool;
  }

  /** Lets go of endpoints that are gone: their idle connections close now, busy ones when their exchange is over. */
  apply(snapshot: Snapshot): void {
    const wanted = new Set<string>();
    const clusters = [...snapshot.clusters.values()];
    if (snapshot.app !== undefined) clusters.push(snapshot.app);
    for (const cluster of clusters) {
      for (const endpoint of cluster.endpoints) wanted.add(keyOf(cluster, endpoint));
    }
    for (const pool of this.#draining) if (pool.isEmpty) this.#draining.delete(pool);
    for (const [key, pool] of this.#pools) {
      if (wanted.has(key)) continue;
      this.#pools.delete(key);
      pool.drain();
      if (!pool.isEmpty) this.#draining.add(pool);
    }
    for (const name of this.#turns.keys()) {
      if (name !== snapshot.app?.name && !snapshot.clusters.has(name)) this.#turns.delete(name);
    }
  }

  stats(): EndpointStats[] {
    return [...this.#pools].map(([key, pool]) => {
      const { host, port } = pool.address;
      return { cluster: key.slice(0, key.indexOf("|")), address: `${host}:${port}`, ...pool.size };
    });
  }

  /** Cuts every connection. */
  close(): void {
    for (const pool of [...this.#pools.values(), ...this.#draining]) pool.close();
    this.#pools.clear();
    this.#draining.clear();
  }
}

function keyOf(cluster: Cluster, endpoint: Endpoint): string {
  return `${cluster.name}|${endpoint.host}:${endpoint.port}`;
}
