// What the mesh wants now: frozen data that control writes and the data path reads, captured once per exchange.
import type { RouteRule, RouteTable } from "./route_table.ts";

/** One address of a cluster. */
export interface Endpoint {
  /** Registry id, unique in its cluster. */
  readonly id: string;
  readonly host: string;
  readonly port: number;
  readonly tags: readonly string[];
  readonly meta: Readonly<Record<string, string>>;
}

/** What the operator says of one upstream. */
export interface UpstreamSettings {
  readonly protocol: "auto" | "http1";
  readonly loadBalancer: { readonly algorithm: "round-robin" };
  /** How long the head of a response may take once the request was sent; 0: no limit. */
  readonly timeoutMs: number;
  /** A local port dedicated to this upstream. */
  readonly bind?: { readonly host: string; readonly port: number };
}

/** A named upstream service as the proxy sees it. */
export interface Cluster extends UpstreamSettings {
  readonly name: string;
  /** Healthy endpoints, sorted by id. */
  readonly endpoints: readonly Endpoint[];
}

/** A token bucket's measure: `burst` at once, refilled at `rate`. */
export interface RateLimitSettings {
  readonly rate: { readonly count: number; readonly perMs: number };
  readonly burst: number;
  readonly key: "client" | "user" | "route";
}

/** One way through the gateway. */
export interface Route extends RouteRule {
  readonly to: string;
  readonly auth: "none" | "jwt";
  readonly rateLimit?: RateLimitSettings;
  readonly timeoutMs?: number;
}

/** One compiled state of the mesh. */
export interface Snapshot {
  /** Goes up by one with every published change. */
  readonly revision: number;
  /** The policy document this was compiled from. */
  readonly policyRevision: string;
  readonly clusters: ReadonlyMap<string, Cluster>;
  /** Applies to upstreams that the policy does not name. */
  readonly defaultUpstream: UpstreamSettings;
  /** The local app as a cluster of one endpoint; absent on a pure edge. */
  readonly app: Cluster | undefined;
  /** Routes of the gateway; empty elsewhere. */
  readonly routes: RouteTable<Route>;
}
