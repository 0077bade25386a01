// Inputs to snapshot: pure, so the same inputs always mean the same mesh.
import type { InboundJwtSettings } from "../identity/jwt/settings.ts";
import type { Home } from "../identity/spiffe.ts";
import { Authorization } from "./authorization.ts";
import type { AuthorizationSettings } from "./authorization_settings.ts";
import type { ConcurrencySettings } from "./concurrency_settings.ts";
import { isSame, keepSame } from "./keep.ts";
import { type InboundRateLimitSettings, RateLimitRule } from "./rate_limit_rule.ts";
import { RouteTable } from "./route_table.ts";
import type { EdgeSettings } from "./edge_settings.ts";
import type { Cluster, Endpoint, Route, Snapshot, UpstreamSettings } from "./snapshot.ts";

interface Address {
  readonly host: string;
  readonly port: number;
}

/** Where the local app listens, for HTTP/1.1 and for HTTP/2. */
export interface AppInputs {
  readonly http?: Address | undefined;
  readonly grpc?: Address | undefined;
  readonly timeoutMs: number;
}

/** Everything a snapshot is made of. */
export interface SnapshotInputs {
  readonly policyRevision: string;
  readonly upstreams: ReadonlyMap<string, UpstreamSettings>;
  readonly defaultUpstream: UpstreamSettings;
  /** What the registry last said of each watched service. */
  readonly endpoints: ReadonlyMap<string, readonly Endpoint[]>;
  readonly app: AppInputs | undefined;
  /** What the gateway does; left out where there is none. */
  readonly edge?: EdgeSettings | undefined;
  /** Who may call the local app; left out: everybody. */
  readonly authorization?: AuthorizationSettings | undefined;
  /** Where the callers that rules name without more are at home. */
  readonly home: Home;
  readonly inboundJwt?: InboundJwtSettings | undefined;
  readonly inboundRateLimits?: readonly InboundRateLimitSettings[] | undefined;
  readonly inboundConcurrency?: ConcurrencySettings | undefined;
}

/** What did not change is shared with `previous`, so that identity of a part means that it stayed. */
export function compileSnapshot(
  inputs: SnapshotInputs,
  previous?: Snapshot,
  previousInputs?: SnapshotInputs,
): Snapshot {
  const clusters = new Map<string, Cluster>();
  for (const name of new Set([...inputs.upstreams.keys(), ...inputs.endpoints.keys()])) {
    const settings = inputs.upstreams.get(name) ?? inputs.defaultUpstream;
    const cluster = compileCluster(name, settings, inputs.endpoints.get(name) ?? NO_ENDPOINTS);
    clusters.set(name, keep(previous?.clusters.get(name), cluster));
  }
  return Object.freeze({
    revision: (previous?.revision ?? 0) + 1,
    policyRevision: inputs.policyRevision,
    clusters,
    defaultUpstream: inputs.defaultUpstream,
    ...compileApps(inputs.app, previous),
    authorization: compileAuthorization(inputs, previous?.authorization),
    // A policy that was read anew is another object also where it says the same.
    inboundJwt: keepSame(previous?.inboundJwt, inputs.inboundJwt),
    inboundRateLimits: compileRateLimits(inputs.inboundRateLimits, previous?.inboundRateLimits),
    inboundConcurrency: keepSame(previous?.inboundConcurrency, inputs.inboundConcurrency),
    edge: compileEdge(inputs.edge, previous?.edge),
    routes: compileRoutes(inputs.edge, previous, previousInputs?.edge),
  });
}

const NO_ROUTES: readonly Route[] = Object.freeze([]);

/** Part by part, so that what stayed keeps what it has learnt: tokens that were checked, tries to log in. */
function compileEdge(
  edge: EdgeSettings | undefined,
  previous: Snapshot["edge"],
): Snapshot["edge"] {
  if (edge === undefined) return undefined;
  const cors = keepSame(previous?.cors, edge.cors);
  const jwt = keepSame(previous?.jwt, edge.jwt);
  const login = keepSame(previous?.login, edge.login);
  if (previous !== undefined && previous.cors === cors && previous.jwt === jwt) {
    if (previous.login === login) return previous;
  }
  return Object.freeze({
    ...(cors === undefined ? {} : { cors }),
    ...(jwt === undefined ? {} : { jwt }),
    ...(login === undefined ? {} : { login }),
  });
}

function compileRoutes(
  edge: EdgeSettings | undefined,
  previous: Snapshot | undefined,
  previousEdge: EdgeSettings | undefined,
): Snapshot["routes"] {
  const routes = edge?.routes ?? NO_ROUTES;
  const before = previousEdge?.routes ?? NO_ROUTES;
  return previous !== undefined && isSame(before, routes)
    ? previous.routes
    : new RouteTable(routes);
}

const NO_RATE_LIMITS: readonly RateLimitRule[] = Object.freeze([]);

function compileRateLimits(
  settings: readonly InboundRateLimitSettings[] | undefined,
  previous: readonly RateLimitRule[] | undefined,
): readonly RateLimitRule[] {
  if (settings === undefined) return NO_RATE_LIMITS;
  if (previous !== undefined && isSame(previous.map((rule) => rule.settings), settings)) {
    return previous;
  }
  if (settings.length === 0) return NO_RATE_LIMITS;
  return Object.freeze(settings.map((each) => new RateLimitRule(each)));
}

const NO_ENDPOINTS: readonly Endpoint[] = Object.freeze([]);

const ROUND_ROBIN = Object.freeze(
  {
    algorithm: "round-robin",
    slowStartMs: 0,
    panicThreshold: 0,
    isZoneAware: false,
  } as const,
);

function compileCluster(
  name: string,
  settings: UpstreamSettings,
  endpoints: readonly Endpoint[],
): Cluster {
  return Object.freeze({ ...settings, name, endpoints });
}

/** An app with one address has everything there. */
function compileApps(
  app: AppInputs | undefined,
  previous: Snapshot | undefined,
): Pick<Snapshot, "app" | "grpcApp"> {
  const { http, grpc, timeoutMs = 0 } = app ?? {};
  const http1 = http && compileApp(http, "http1", timeoutMs);
  const http2 = grpc && compileApp(grpc, "http2", timeoutMs);
  const [main, other] = http1 === undefined ? [http2, undefined] : [http1, http2];
  return {
    app: main && keep(previous?.app, main),
    grpcApp: other && keep(previous?.grpcApp, other),
  };
}

function compileApp(
  { host, port }: Address,
  protocol: Cluster["protocol"],
  timeoutMs: number,
): Cluster {
  const endpoint: Endpoint = Object.freeze({ id: "app", host, port, tags: [], meta: {} });
  return Object.freeze({
    name: "app",
    protocol,
    tls: "none",
    loadBalancer: ROUND_ROBIN,
    timeoutMs,
    endpoints: Object.freeze([endpoint]),
  });
}

function compileAuthorization(
  { authorization, home }: SnapshotInputs,
  previous: Authorization | undefined,
): Authorization | undefined {
  if (authorization === undefined) return undefined;
  const next = new Authorization(authorization, home);
  // Callers stand there in full, so that the same text is the same home too.
  const isSame = JSON.stringify(previous?.settings) === JSON.stringify(next.settings);
  return isSame ? previous : next;
}

function keep(previous: Cluster | undefined, next: Cluster): Cluster {
  if (previous === undefined || !isSameEndpoints(previous.endpoints, next.endpoints)) return next;
  return isSame({ ...previous, endpoints: [] }, { ...next, endpoints: [] }) ? previous : next;
}

/** Whether two sorted endpoint lists say the same. */
export function isSameEndpoints(a: readonly Endpoint[], b: readonly Endpoint[]): boolean {
  if (a === b) return true;
  return a.length === b.length && a.every((endpoint, index) => isSameEndpoint(endpoint, b[index]!));
}

function isSameEndpoint(a: Endpoint, b: Endpoint): boolean {
  return a === b ||
    a.id === b.id && a.host === b.host && a.port === b.port &&
      JSON.stringify([a.tags, a.meta]) === JSON.stringify([b.tags, b.meta]);
}
