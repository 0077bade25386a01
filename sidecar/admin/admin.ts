// The admin port: what the sidecar knows and does, for people and for scrapers. Reads views, changes nothing.
import type { Snapshot } from "../snapshot/snapshot.ts";
import type { EndpointStats } from "../upstream/upstreams.ts";

/** What still keeps the sidecar from being ready, and whether it is alive; all of it read at the moment of asking. */
export interface AdminViews {
  readonly version: string;
  readonly service: { readonly name: string; readonly id: string };
  /** Since the start. */
  uptimeMs(): number;
  snapshot(): Snapshot;
  /** Why the newest policy is not in force. */
  policyProblem(): { readonly revision: string; readonly message: string } | undefined;
  /** Names of what is not done yet; empty means ready. */
  pending(): readonly string[];
  appHealth(): { readonly isHealthy: boolean; readonly detail: string } | undefined;
  isRegistered(): boolean;
  listeners(): readonly {
    readonly name: string;
    readonly address: string;
    readonly connections: number;
  }[];
  endpointStats(): readonly EndpointStats[];
  metrics(): string;
}

const PAGES: Readonly<Record<string, string>> = {
  "/healthz": "200 while the process is alive",
  "/readyz": "200 when ready; 503 with what is pending",
  "/metrics": "Prometheus text",
  "/snapshot": "the state of the mesh in force, and why a newer policy is not",
  "/endpoints": "clusters with their endpoints",
  "/stats": "connections and pools",
};

export function adminHandler(views: AdminViews): (request: Request) => Response {
  return (request) => {
    const { pathname } = new URL(request.url);
    if (request.method !== "GET" && request.method !== "HEAD") {
      return new Response("only GET\n", { status: 405, headers: { allow: "GET, HEAD" } });
    }
    switch (pathname) {
      case "/":
        return text(
          Object.entries(PAGES).map(([path, what]) => `${path.padEnd(12)} ${what}\n`).join(""),
        );
      case "/healthz":
        return text("ok\n");
      case "/readyz":
        return readiness(views.pending());
      case "/metrics":
        return new Response(views.metrics(), {
          headers: { "content-type": "text/plain; version=0.0.4" },
        });
      case "/snapshot":
        return json(describeSnapshot(views));
      case "/endpoints":
        return json(describeEndpoints(views.snapshot()));
      case "/stats":
        return json(describeStats(views));
      default:
        return text(`no page ${pathname}; see /\n`, 404);
    }
  };
}

/** `/health` and `/ready` for orchestrators and registries. `/health` is the app's real state. */
export function healthHandler(views: AdminViews): (request: Request) => Response {
  return (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/ready") return readiness(views.pending());
    if (pathname !== "/health") return text("see /health and /ready\n", 404);
    const health = views.appHealth();
    if (health === undefined) return json({ status: "ok" });
    const status = health.isHealthy ? 200 : 503;
    return json({ status: health.isHealthy ? "ok" : "unavailable", app: health.detail }, status);
  };
}

function readiness(pending: readonly string[]): Response {
  if (pending.length === 0) return json({ status: "ready" });
  return json({ status: "pending", pending }, 503);
}

function describeSnapshot(views: AdminViews): unknown {
  const snapshot = views.snapshot();
  return {
    version: views.version,
    service: views.service,
    revision: snapshot.revision,
    policy: { revision: snapshot.policyRevision, problem: views.policyProblem() ?? null },
    app: snapshot.app === undefined ? null : { ...snapshot.app, health: views.appHealth() ?? null },
    isRegistered: views.isRegistered(),
    authorization: snapshot.authorization?.settings ?? null,
    clusters: describeEndpoints(snapshot),
    defaultUpstream: snapshot.defaultUpstream,
  };
}

function describeEndpoints(snapshot: Snapshot): unknown {
  return [...snapshot.clusters.values()];
}

function describeStats(views: AdminViews): unknown {
  return {
    uptimeS: Math.round(views.uptimeMs() / 1000),
    listeners: views.listeners(),
    endpoints: views.endpointStats(),
  };
}

function text(body: string, status = 200): Response {
  return new Response(body, { status, headers: { "content-type": "text/plain; charset=utf-8" } });
}

function json(value: unknown, status = 200): Response {
  return new Response(JSON.stringify(value, null, 2) + "\n", {
    status,
    headers: { "content-type": "application/json" },
  });
}
