// Inputs to snapshot: pure, so the same inputs always mean the same mesh.
import type { InboundJwtSettings } from "../identity/jwt/settings.ts";
import type { Home } from "../identity/spiffe.ts";
import { Authorization } from "./authorization.ts";
import type { AuthorizationSettings } from "./authorization_settings.ts";
import { RouteTable } from "./route_table.ts";
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
  readonly routes: readonly Route[];
  /** Who may call the local app; left out: everybody. */
  readonly authorization?: AuthorizationSettings | undefined;
  /** Where the callers that rules name without more are at home. */
  readonly home: Home;
  readonly inboundJwt?: InboundJwtSettings | undefined;
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
  const isSameRoutes = previousInputs !== undefined && previousInputs.routes === inputs.routes;
  return Object.freeze({
    revision: (previous?.revision ?? 0) + 1,
    policyRevision: inputs.policyRevision,
    clusters,
    defaultUpstream: inputs.defaultUpstream,
    ...compileApps(inputs.app, previous),
    authorization: compileAuthorization(inputs, previous?.authorization),
    inboundJwt: keepJwt(previous?.inboundJwt, inputs.inboundJwt),
    routes: isSameRoutes && previous !== undefined
      ? previous.routes
      : new RouteTable(inputs.routes),
  });
}

const NO_ENDPOINTS: readonly Endpoint[] = Object.freeze([]);

const ROUND_ROBIN = Object.freeze({ algorithm: "round-robin" } as const);

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
  if (previous === undefined) return next;
  const isSame =
    JSON.stringify({ ...previous, endpoints: [] }) === JSON.stringify({ ...next, endpoints: [] }) &&
    isSameEndpoints(previous.endpoints, next.endpoints);
  return isSame ? previous : next;
}

/** A policy that was read anew is another object also where it says the same. */
function keepJwt(
  previous: InboundJwtSettings | undefined,
  next: InboundJwtSettings | undefined,
): InboundJwtSettings | undefined {
  const textOf = (settings: InboundJwtSettings | undefined): string =>
    JSON.stringify(settings, (_, value) => value instanceof Map ? [...value] : value) ?? "";
  return textOf(previous) === textOf(next) ? previous : next;
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
