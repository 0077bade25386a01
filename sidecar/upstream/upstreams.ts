// Every upstream that traffic goes to: pickers by cluster, pools by endpoint. What did not change between two
// snapshots keeps its connections and its turn.
import type { Request } from "../http/message.ts";
import { isSame } from "../snapshot/keep.ts";
import type { EndpointCheckSettings } from "../snapshot/resilience_settings.ts";
import type { Cluster, Endpoint, Snapshot } from "../snapshot/snapshot.ts";
import { type ClusterContext, ClusterState } from "./cluster_state.ts";
import { EndpointChecks, type EndpointChecksOptions } from "./endpoint_checks.ts";
import type { Absence } from "./endpoint_state.ts";
import { type BreakerState, NO_EVENTS, type UpstreamEvents } from "./events.ts";
import { Http1Pool } from "./http1_pool.ts";
import { Http2Pool } from "./http2_pool.ts";
import type { Address, Pool, PoolContext, PoolSize, Security } from "./pool.ts";
import { announcesHttp2, announcesMtls, chooseProtocol, type Protocol } from "./protocol.ts";

/** What `stats` says of one endpoint. */
export interface EndpointStats extends PoolSize {
  readonly cluster: string;
  readonly address: string;
  readonly protocol: Protocol;
}

/** How a cluster does, for people. */
export interface ClusterView {
  readonly name: string;
  readonly breaker: BreakerState | undefined;
  readonly inFlight: number;
  readonly endpoints: readonly {
    readonly address: string;
    readonly inFlight: number;
    readonly expectedMs: number;
    readonly absences: readonly Absence[];
    readonly breaker: BreakerState | undefined;
  }[];
}

interface Checks {
  readonly settings: EndpointCheckSettings;
  readonly checks: EndpointChecks;
}

/** The pools of one endpoint. */
type Pools = { -readonly [P in Protocol]: Pool | undefined };

interface Entry {
  readonly cluster: string;
  readonly security: Security["kind"];
  readonly announcesHttp2: boolean;
  readonly pools: Pools;
}

export interface UpstreamsOptions {
  /** Uniform in [0, 1). Default: Math.random. */
  readonly random?: () => number;
  /** Where this sidecar is. */
  readonly zone?: string | undefined;
  readonly events?: UpstreamEvents;
}

export class Upstreams {
  readonly #context: PoolContext;
  readonly #clusterContext: ClusterContext;
  readonly #states = new Map<string, ClusterState>();
  readonly #checks = new Map<string, Checks>();
  #lastCluster: Cluster | undefined;
  #lastState: ClusterState | undefined;
  /** By cluster name and address. */
  readonly #entries = new Map<string, Entry>();
  /** The same, found without making a key; an endpoint object belongs to one cluster. */
  readonly #entryOf = new WeakMap<Endpoint, Entry>();
  /** Of endpoints that are gone, until their last exchange is over. */
  readonly #draining = new Set<Pool>();
  readonly #closing = new Set<Promise<void>>();

  constructor(context: PoolContext, options: UpstreamsOptions = {}) {
    const { random = Math.random, zone, events = NO_EVENTS } = options;
    this.#context = context;
    this.#clusterContext = { clock: context.clock, random, zone, events };
  }

  /** What is known of a cluster, whichever snapshot asks. */
  state(cluster: Cluster): ClusterState {
    if (cluster !== this.#lastCluster) {
      this.#lastCluster = cluster;
      this.#lastState = this.#stateOf(cluster);
    }
    return this.#lastState!;
  }

  #stateOf(cluster: Cluster): ClusterState {
    let state = this.#states.get(cluster.name);
    if (state === undefined) {
      state = new ClusterState(cluster.name, this.#clusterContext);
      this.#states.set(cluster.name, state);
      state.apply(cluster);
    }
    return state;
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
    return entry.pools[protocol] ??= this.#makePool(protocol, cluster, endpoint);
  }

  #makePool(protocol: Protocol, cluster: Cluster, endpoint: Endpoint): Pool {
    const address = this.#addressOf(cluster, endpoint);
    const { connections, pending } = cluster.limits ?? this.#context.limits;
    const context = { ...this.#context, limits: { ...this.#context.limits, connections, pending } };
    return protocol === "http2" ? new Http2Pool(address, context) : new Http1Pool(address, context);
  }

  /** Where to connect, and who must answer there. */
  #addressOf(cluster: Cluster, endpoint: Endpoint): Address {
    const { host, port } = endpoint;
    const kind = this.#securityOf(cluster, endpoint);
    const security: Security = kind === "mesh" ? { kind, service: cluster.name } : { kind };
    return { host, port, security };
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
    this.#applyStates(new Map(clusters.map((cluster) => [cluster.name, cluster])));
  }

  #applyStates(clusters: ReadonlyMap<string, Cluster>): void {
    for (const [name, state] of this.#states) {
      if (clusters.has(name)) continue;
      state.close();
      this.#states.delete(name);
    }
    for (const cluster of clusters.values()) {
      const state = this.#states.get(cluster.name);
      if (state !== undefined) state.apply(cluster);
      else if (cluster.healthCheck !== undefined) this.#stateOf(cluster);
    }
    for (const [name, { checks }] of this.#checks) {
      if (clusters.get(name)?.healthCheck === undefined) this.#stopChecks(name, checks);
    }
    for (const cluster of clusters.values()) this.#applyChecks(cluster);
  }

  #applyChecks(cluster: Cluster): void {
    const { name, healthCheck: settings, endpoints } = cluster;
    if (settings === undefined) return;
    const state = this.#stateOf(cluster);
    let known = this.#checks.get(name);
    if (known !== undefined && !isSame(known.settings, settings)) {
      this.#stopChecks(name, known.checks);
      known = undefined;
    }
    if (known === undefined) {
      const { random, events } = this.#clusterContext;
      const onChange: EndpointChecksOptions["onChange"] = ({ address }, result) =>
        events.onEndpointHealth(name, address, result);
      const context = this.#context;
      const checks = new EndpointChecks({ settings, context, service: name, random, onChange });
      this.#checks.set(name, known = { settings, checks });
    }
    known.checks.apply(
      new Map(
        endpoints.map((each) => [state.stateOf(each), this.#addressOf(cluster, each)] as const),
      ),
    );
  }

  #stopChecks(name: string, checks: EndpointChecks): void {
    this.#checks.delete(name);
    const end = checks.close().finally(() => this.#closing.delete(end));
    this.#closing.add(end);
  }

  stats(): EndpointStats[] {
    return [...this.#entries.values()].flatMap(({ cluster, pools }) =>
      PROTOCOLS.flatMap((protocol) => {
        const pool = pools[protocol];
        return pool === undefined ? [] : [{ cluster, address: pool.name, protocol, ...pool.size }];
      })
    );
  }

  /** How the endpoints of every cluster in use do. */
  views(): ClusterView[] {
    return [...this.#states.values()].map((state) => ({
      name: state.name,
      breaker: state.breakerState,
      inFlight: state.inFlight,
      endpoints: state.endpoints.map((endpoint) => ({
        address: endpoint.address,
        inFlight: endpoint.inFlight,
        expectedMs: endpoint.expectedMs(),
        absences: endpoint.absences,
        breaker: state.breakerStateOf(endpoint),
      })),
    }));
  }

  /** Ends checks and timers; resolves when no check is under way. */
  async stop(): Promise<void> {
    for (const [name, { checks }] of this.#checks) this.#stopChecks(name, checks);
    for (const state of this.#states.values()) state.close();
    await Promise.all(this.#closing);
  }

  /** Cuts every connection. */
  close(): void {
    for (const state of this.#states.values()) state.close();
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
