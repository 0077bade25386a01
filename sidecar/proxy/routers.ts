// Where a request goes, for each kind of listener: the edge asks the route table, the outbound side the Host, a
// dedicated port and the inbound side know already.
import { ProxyError } from "../errors.ts";
import { isGrpcRequest } from "../grpc/media_type.ts";
import { ambiguousPath, normalizeTarget, pathOf } from "../http/path.ts";
import type { RouteInput } from "../snapshot/route_table.ts";
import type { Cluster, Snapshot } from "../snapshot/snapshot.ts";
import type { SnapshotStore } from "../snapshot/store.ts";
import type { Exchange } from "./exchange.ts";
import { noEndpoints } from "./refusals.ts";
import type { Router } from "./pipeline.ts";

/** The suffix under which services may be called where a bare name will not do. */
const MESH_SUFFIX = ".mesh";

const SERVICE_NAME = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/;

let lastAuthority = "";
let lastHost = "";

/** As `readHostOf`, which is not asked again for what it was asked last: a client tends to name one host. */
export function hostOf(authority: string): string {
  if (authority !== lastAuthority) {
    lastHost = readHostOf(authority);
    lastAuthority = authority;
  }
  return lastHost;
}

/** Host without port and without the dot of a fully qualified name, in lower case. */
function readHostOf(authority: string): string {
  const end = authority.startsWith("[") ? authority.indexOf("]") + 1 : authority.indexOf(":");
  const host = (end <= 0 ? authority : authority.slice(0, end)).toLowerCase();
  return host.endsWith(".") ? host.slice(0, -1) : host;
}

/** Puts the path of every request at the edge into its one spelling before any rule looks at it. */
export class PathNormalizer implements Router {
  route(exchange: Exchange): undefined {
    const { request } = exchange;
    if (request.form === "authority") throw connectRefused();
    if (request.form === "asterisk") return;
    const target = normalizeTarget(request.target);
    if (target === null) throw ambiguousPath();
    request.target = target;
  }
}

/** The gateway's routes. */
export class EdgeRouter implements Router {
  route(exchange: Exchange): undefined {
    const { request, snapshot } = exchange;
    const path = pathOf(request.target);
    const input: RouteInput = {
      host: hostOf(request.authority),
      path,
      method: request.method,
      header: (name) => request.headers.get(name),
    };
    const match = snapshot.routes.match(input);
    if (match.kind === "none") {
      throw new ProxyError("route-not-found", "not found", { side: "downstream" });
    }
    if (match.kind === "method-not-allowed") {
      const allow = match.allow.join(", ");
      throw new ProxyError("method-not-allowed", `only ${allow}`, {
        side: "downstream",
        fields: { allow },
      });
    }
    exchange.askedPath = path;
    exchange.route = match.rule;
    exchange.upstream = match.rule.to;
    request.target = match.path + request.target.slice(path.length);
    // That nobody is there is for the forwarder to say: whoever has no token learns that first.
    exchange.cluster = snapshot.clusters.get(match.rule.to) ??
      emptyCluster(snapshot, match.rule.to);
    exchange.timeoutMs = match.rule.timeoutMs ?? exchange.cluster.timeoutMs;
  }
}

/** A service of which the registry has said nothing yet. */
function emptyCluster(snapshot: Snapshot, name: string): Cluster {
  return { ...snapshot.defaultUpstream, name, endpoints: [] };
}

/** The cluster of a service that configuration names; it is watched from the start. */
function clusterOf(snapshot: Snapshot, name: string): Cluster {
  const cluster = snapshot.clusters.get(name);
  if (cluster === undefined) throw noEndpoints(name);
  return cluster;
}

/** Makes a service known that nobody has asked for before; resolves when the registry has answered, or has had its time. */
export type Discover = (service: string) => Promise<void>;

/** The app names the service it wants: `user-service`, `user-service.mesh`, or as a forward proxy's target. */
export class OutboundRouter implements Router {
  readonly #store: SnapshotStore;
  readonly #discover: Discover;

  constructor(store: SnapshotStore, discover: Discover) {
    this.#store = store;
    this.#discover = discover;
  }

  route(exchange: Exchange): undefined | Promise<undefined> {
    if (exchange.request.form === "authority") throw connectRefused();
    const name = serviceName(exchange.request.authority);
    const cluster = exchange.snapshot.clusters.get(name);
    if (cluster === undefined) return this.#firstUse(exchange, name);
    take(exchange, cluster);
  }

  async #firstUse(exchange: Exchange, name: string): Promise<undefined> {
    await this.#discover(name);
    exchange.snapshot = this.#store.current;
    take(exchange, clusterOf(exchange.snapshot, name));
  }
}

/** The service that an authority means. Throws ProxyError where it cannot be one. */
function serviceName(authority: string): string {
  const host = hostOf(authority);
  const name = host.endsWith(MESH_SUFFIX) ? host.slice(0, -MESH_SUFFIX.length) : host;
  if (!SERVICE_NAME.test(name)) {
    throw new ProxyError(
      "route-not-found",
      `no such service: call SERVICE or SERVICE.mesh, not ${JSON.stringify(host)}`,
      { side: "downstream" },
    );
  }
  return name;
}

/** A port dedicated to one upstream: whatever Host says, the request goes there. */
export class DedicatedRouter implements Router {
  readonly #service: string;

  constructor(service: string) {
    this.#service = service;
  }

  route(exchange: Exchange): undefined {
    if (exchange.request.form === "authority") throw connectRefused();
    take(exchange, clusterOf(exchange.snapshot, this.#service));
  }
}

/** Everything that comes in is for the app, and gRPC for where the app has it. */
export class InboundRouter implements Router {
  route(exchange: Exchange): undefined {
    if (exchange.request.form === "authority") throw connectRefused();
    const { app: main, grpcApp } = exchange.snapshot;
    const app = grpcApp !== undefined && isGrpcRequest(exchange.request) ? grpcApp : main;
    if (app === undefined) throw noEndpoints("app");
    take(exchange, app);
  }
}

/** Only now the upstream has its name in logs and metrics: names that nobody bears would fill them. */
function take(exchange: Exchange, cluster: Cluster): void {
  exchange.cluster = cluster;
  exchange.upstream = cluster.name;
  exchange.timeoutMs = cluster.timeoutMs;
}

function connectRefused(): ProxyError {
  return new ProxyError("not-implemented", "CONNECT is not offered here", { side: "downstream" });
}
