// The sidecar in its places: as edge, before the app, behind it, and both in a row.
import { ROOT } from "../../deploy/build/bundle.ts";
import { join } from "node:path";
import type { Child } from "./children.ts";
import { freePort } from "./client.ts";
import { identityOf, type ServiceName } from "./pki.ts";
import { type Peer, type PeerKind, type Place, samePath, startServer } from "./place.ts";

/** More than any load here asks for: the limiter counts and refuses nothing. */
const HIGH_RATE = { rate: "10000000/s", burst: 10_000_000 };

/** As its peers are run here. */
const PLAIN = { identity: { mode: "off" } };

type Document = Readonly<Record<string, unknown>>;

/** Starts a sidecar and resolves when the port that `document` gives its place to listens. */
function startSidecar(
  place: Place,
  name: string,
  document: (port: number) => Document,
): Promise<{ readonly child: Child; readonly port: number }> {
  return startServer(place, {
    name,
    program: place.sidecar,
    args: (file) => ["run", "--config", file],
    config: (port) => JSON.stringify(document(port)),
  });
}

function loopback(port: number): string {
  return `127.0.0.1:${port}`;
}

function listeners(ports: { readonly inbound?: number; readonly outbound?: number }): Document {
  const { inbound = freePort(), outbound = freePort() } = ports;
  return {
    inbound: loopback(inbound),
    outbound: loopback(outbound),
    admin: loopback(freePort()),
    health: loopback(freePort()),
  };
}

function userService(port: number): Document {
  return { static: { "user-service": [loopback(port)] } };
}

function app({ protocol, backendPort }: Place): Document {
  return { [protocol === "http1" ? "http" : "grpc"]: loopback(backendPort) };
}

/** The backend announces nothing; where it speaks HTTP/2 alone, policy must say so. */
function policy({ protocol }: Place): Document {
  return { upstreams: { "user-service": { protocol: protocol === "http2" ? "http2" : "auto" } } };
}

async function startEdge(place: Place, name: string, withJwt: boolean): Promise<Peer> {
  const route = (path: string) => ({
    match: { path: `/api/${path}/*` },
    to: "user-service",
    rewrite: `/${path}/*`,
  });
  const calls = { match: { path: "/user.UserService/*" }, to: "user-service" };
  const gateway = withJwt
    ? {
      jwt: { secret: place.secret },
      routes: [route("users"), { ...route("orders"), auth: "jwt", rateLimit: HIGH_RATE }],
    }
    : { routes: [route("users"), route("orders"), calls] };
  const { child, port } = await startSidecar(place, name, (port) => ({
    service: { name: "edge", address: "127.0.0.1" },
    listeners: listeners({}),
    ...PLAIN,
    registry: userService(place.backendPort),
    policy: policy(place),
    gateway: { bind: loopback(port), ...gateway },
  }));
  const path = (path: string) => path.startsWith("/users/") ? toApi(path, withJwt) : path;
  return { name, port, path, processes: [child] };
}

/** The same at the backend; only the route that asks for a token is another. */
function toApi(path: string, withJwt: boolean): string {
  return `/api${withJwt ? path.replace("/users/", "/orders/") : path}`;
}

function startOutbound(place: Place, name: string, upstreamPort: number) {
  return startSidecar(place, name, (port) => ({
    service: { name: "order-service", address: "127.0.0.1", app: app(place) },
    listeners: listeners({ outbound: port }),
    ...PLAIN,
    registry: userService(upstreamPort),
    policy: policy(place),
  }));
}

function startInbound(place: Place, name: string) {
  return startSidecar(place, name, (port) => ({
    service: { name: "user-service", address: "127.0.0.1", app: app(place) },
    listeners: listeners({ inbound: port }),
    ...PLAIN,
    registry: { static: {} },
  }));
}

/** Strict, with what pki.ts made; the names in it say who is who. */
function secured(place: Place, service: ServiceName): Document {
  return { identity: { files: identityOf(place, service) } };
}

/** The order service's sidecar, which calls the user service by mTLS at `upstreamPort`. */
export function startMeshOutbound(place: Place, name: string, upstreamPort: number) {
  return startSidecar(place, name, (port) => ({
    service: { name: "order-service", address: "127.0.0.1", app: app(place) },
    listeners: listeners({ outbound: port }),
    ...secured(place, "order-service"),
    registry: userService(upstreamPort),
    policy: policy(place),
  }));
}

/** The user service's sidecar, which lets in whom the mesh knows. */
export function startMeshInbound(place: Place, name: string) {
  return startSidecar(place, name, (port) => ({
    service: { name: "user-service", address: "127.0.0.1", app: app(place) },
    listeners: listeners({ inbound: port }),
    ...secured(place, "user-service"),
    registry: { static: {} },
  }));
}

export const EDGE: PeerKind = {
  name: "edge",
  title: "sidecar, edge route",
  start: (place) => startEdge(place, EDGE.name, false),
};

export const EDGE_JWT: PeerKind = {
  name: "edge-jwt",
  title: "sidecar, edge route with JWT and rate limit",
  start: (place) => startEdge(place, EDGE_JWT.name, true),
};

export const OUTBOUND: PeerKind = {
  name: "outbound",
  title: "sidecar, outbound",
  async start(place) {
    const { child, port } = await startOutbound(place, OUTBOUND.name, place.backendPort);
    return { name: OUTBOUND.name, port, path: samePath, processes: [child] };
  },
};

export const PATH: PeerKind = {
  name: "path",
  title: "two sidecars, outbound to inbound",
  async start(place) {
    const inbound = await startInbound(place, `${PATH.name}-inbound`);
    const outbound = await startOutbound(place, `${PATH.name}-outbound`, inbound.port);
    const processes = [outbound.child, inbound.child];
    return { name: PATH.name, port: outbound.port, path: samePath, processes };
  },
};

/** Those that do what one proxy does: promises speak of them. */
export const ONE_HOP: readonly PeerKind[] = [EDGE, OUTBOUND];

/** The edge of another build, for a change to be measured beside what was before. */
export function baseline(sidecar: string): PeerKind {
  const name = "baseline";
  return {
    name,
    title: "baseline, edge route",
    start: (place) => startEdge({ ...place, sidecar }, name, false),
  };
}

/** A proxy without policies, limits or checks, run by Deno from one file: what the runtime alone costs. */
export function prototype(file: string): PeerKind {
  const name = "prototype";
  return {
    name,
    title: "prototype, policies off",
    async start(place) {
      const { child, port } = await startServer(place, {
        name,
        program: Deno.execPath(),
        args: (config) => prototypeArgs(file, config),
        config: (port) => JSON.stringify([`port=${port}`, `up=${place.backendPort}`]),
      });
      return { name, port, path: samePath, processes: [child] };
    },
  };
}

/** Its settings are arguments; it finds its packages by our import map. */
function prototypeArgs(file: string, config: string): string[] {
  const settings: string[] = JSON.parse(Deno.readTextFileSync(config));
  const flags = ["--no-check", "--allow-net=127.0.0.1", "--allow-env"];
  return ["run", "--config", join(ROOT, "deno.json"), ...flags, file, ...settings];
}
