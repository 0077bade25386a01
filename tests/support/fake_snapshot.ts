// Snapshots and their parts with as few words as a test needs.
import type { RateSettings } from "../../sidecar/snapshot/rate_settings.ts";
import { compileSnapshot, type SnapshotInputs } from "../../sidecar/snapshot/compile.ts";
import type { EdgeSettings } from "../../sidecar/snapshot/edge_settings.ts";
import type { TokenRule } from "../../sidecar/identity/jwt/settings.ts";
import type {
  Cluster,
  Endpoint,
  Route,
  Snapshot,
  UpstreamSettings,
} from "../../sidecar/snapshot/snapshot.ts";

/** How an upstream is called unless the test says otherwise. */
export const DEFAULT_UPSTREAM: UpstreamSettings = {
  protocol: "auto",
  loadBalancer: {
    algorithm: "round-robin",
    slowStartMs: 0,
    panicThreshold: 0.5,
    isZoneAware: true,
  },
  timeoutMs: 5000,
};

/** `10.0.0.1:80`; the address is the id too. */
export function endpoint(address: string, more: Partial<Endpoint> = {}): Endpoint {
  const [host = "", port = ""] = address.split(":");
  return { id: address, host, port: Number(port), tags: [], meta: {}, ...more };
}

export function fakeCluster(name: string, addresses: readonly string[]): Cluster {
  return { ...DEFAULT_UPSTREAM, name, endpoints: addresses.map((address) => endpoint(address)) };
}

export interface FakeRoute {
  readonly methods?: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
  readonly host?: string;
  readonly to?: string;
  readonly rewrite?: string;
  readonly auth?: Route["auth"];
  readonly tokenRule?: TokenRule;
  readonly rateLimit?: RateSettings;
  readonly timeoutMs?: number;
}

/** A route to `user-service` that asks for nothing. */
export function fakeRoute(path: string, about: FakeRoute = {}): Route {
  const { methods = [], headers = {}, host, to = "user-service", auth = "none", ...more } = about;
  const match = { path, methods, headers: new Map(Object.entries(headers)) };
  return { match: host === undefined ? match : { ...match, host }, to, auth, ...more };
}

export interface FakeSnapshot {
  /** Addresses by service. */
  readonly endpoints?: Readonly<Record<string, readonly string[]>>;
  readonly upstreams?: Readonly<Record<string, Partial<UpstreamSettings>>>;
  readonly routes?: readonly Route[];
  readonly edge?: Omit<EdgeSettings, "routes">;
  readonly app?: SnapshotInputs["app"];
  readonly authorization?: SnapshotInputs["authorization"];
}

export function fakeSnapshot(about: FakeSnapshot = {}): Snapshot {
  return compileSnapshot(fakeInputs(about));
}

export function fakeInputs(about: FakeSnapshot = {}): SnapshotInputs {
  const upstreams = Object.entries(about.upstreams ?? {})
    .map(([name, settings]) => [name, { ...DEFAULT_UPSTREAM, ...settings }] as const);
  const endpoints = Object.entries(about.endpoints ?? {})
    .map(([name, list]) => [name, list.map((address) => endpoint(address))] as const);
  return {
    policyRevision: "p1",
    upstreams: new Map(upstreams),
    defaultUpstream: DEFAULT_UPSTREAM,
    endpoints: new Map(endpoints),
    app: about.app,
    edge: { ...about.edge, routes: about.routes ?? [] },
    authorization: about.authorization,
    home: { trustDomain: "mesh.local", namespace: "default" },
  };
}
