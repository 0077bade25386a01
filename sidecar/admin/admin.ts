// The admin port: what the sidecar knows and does, for people and for scrapers; and the switch that keeps it out of the mesh.
import type { Snapshot } from "../snapshot/snapshot.ts";
import type { Journal } from "../telemetry/journal.ts";
import type { Exposition } from "../telemetry/metrics.ts";
import type { ClusterView, EndpointStats } from "../upstream/upstreams.ts";
import { filterOf, isWanted, tapResponse } from "./journal_pages.ts";

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
  /** An operator keeps the instance out of the mesh. */
  isInMaintenance(): boolean;
  /** Resolves when the registry knows; to false where there is nothing that could be kept out. */
  setMaintenance(isOn: boolean): Promise<boolean>;
  /** Undefined for a registry that cannot be away. */
  registry(): RegistryView | undefined;
  listeners(): readonly {
    readonly name: string;
    readonly address: string;
    readonly connections: number;
  }[];
  endpointStats(): readonly EndpointStats[];
  /** How clusters do that were used. */
  clusterViews(): readonly ClusterView[];
  metrics(exposition: Exposition): string;
  readonly journal: Journal;
}

/** How things stand between the sidecar and its registry. */
export interface RegistryView {
  readonly isUp: boolean;
  /** `cache`: endpoints that an earlier run left on disk are in use. */
  readonly source: "live" | "cache";
  /** How long nobody has confirmed the endpoints in use; undefined: the registry was never heard. */
  readonly ageMs: number | undefined;
  readonly error?: string;
}

const PAGES: Readonly<Record<string, string>> = {
  "/healthz": "200 while the process is alive",
  "/readyz": "200 when ready; 503 with what is pending",
  "/metrics": "Prometheus text, or OpenMetrics with trace ids for whoever accepts it",
  "/snapshot": "the state of the mesh in force, and why a newer policy is not",
  "/endpoints": "clusters with their endpoints",
  "/stats": "connections and pools",
  "/recent": "the last failures; ?id= ?reason= ?upstream= ?listener= ?path= ?status=",
  "/tap": "requests as they end, as server-sent events; the same filters",
};

/** What POST does, and to what. */
const ACTIONS: Readonly<Record<string, { readonly isOn: boolean; readonly what: string }>> = {
  "/drain": { isOn: true, what: "keeps this instance out of the mesh; it goes on with its calls" },
  "/undrain": { isOn: false, what: "lets it in again" },
};

/** A port on loopback answers to nothing but names of loopback. */
export function adminHandler(
  views: AdminViews,
  { isLoopback }: { readonly isLoopback: boolean },
): (request: Request) => Response | Promise<Response> {
  return (request) => {
    const host = request.headers.get("host") ?? "";
    if (isLoopback && !LOOPBACK_HOST.test(host)) {
      return text(`not for ${JSON.stringify(host)}: this port is asked as localhost\n`, 421);
    }
    const response = answer(request);
    return response instanceof Promise ? response.then(hardened) : hardened(response);
  };

  function answer(request: Request): Response | Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    const action = ACTIONS[pathname];
    if (action !== undefined) return act(request, action.isOn, views);
    if (request.method !== "GET" && request.method !== "HEAD") {
      return new Response("only GET\n", { status: 405, headers: { allow: "GET, HEAD" } });
    }
    switch (pathname) {
      case "/":
        return text(listOfPages());
      case "/healthz":
        return text("ok\n");
      case "/readyz":
        return readiness(views.pending());
      case "/metrics":
        return metrics(request, views);
      case "/snapshot":
        return json(describeSnapshot(views));
      case "/endpoints":
        return json(describeEndpoints(views.snapshot()));
      case "/stats":
        return json(describeStats(views));
      case "/recent": {
        const filter = filterOf(searchParams);
        return json(views.journal.failures().filter((entry) => isWanted(entry, filter)));
      }
      case "/tap":
        return tapResponse(views.journal, filterOf(searchParams));
      default:
        return text(`no page ${pathname}; see /\n`, 404);
    }
  }
}

/** No page of the web may show, script or remember what stands here. */
function hardened(response: Response): Response {
  const { headers } = response;
  headers.set("x-content-type-options", "nosniff");
  headers.set("content-security-policy", "default-src 'none'; frame-ancestors 'none'");
  headers.set("referrer-policy", "no-referrer");
  headers.set("cache-control", "no-store");
  return response;
}

/** A name that somebody else's DNS points at this machine (DNS rebinding) is not how a loopback port is asked for. */
const LOOPBACK_HOST = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/i;

/** OpenMetrics for whoever asks for it by name, as Prometheus does. */
function metrics({ headers }: Request, views: AdminViews): Response {
  const isOpen = headers.get("accept")?.includes("application/openmetrics-text") === true;
  const type = isOpen
    ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
    : "text/plain; version=0.0.4";
  const text = views.metrics(isOpen ? "openmetrics" : "prometheus");
  return new Response(text, { headers: { "content-type": type } });
}

function listOfPages(): string {
  const pages = Object.entries(PAGES).map(([path, what]) => `${path.padEnd(12)} ${what}\n`);
  const actions = Object.entries(ACTIONS).map(([path, { what }]) =>
    `${path.padEnd(12)} POST: ${what}\n`
  );
  return [...pages, ...actions].join("");
}

async function act(request: Request, isOn: boolean, views: AdminViews): Promise<Response> {
  if (request.method !== "POST") {
    return new Response("only POST\n", { status: 405, headers: { allow: "POST" } });
  }
  // Every browser says where a POST comes from, and no page of the web has a say here.
  if (request.headers.has("origin") || request.headers.has("sec-fetch-site")) {
    return text("not for browsers\n", 403);
  }
  if (!await views.setMaintenance(isOn)) return text("there is no app beside this sidecar\n", 409);
  return json({ maintenance: views.isInMaintenance(), isRegistered: views.isRegistered() });
}

/** `/health` and `/ready` for orchestrators and registries. `/health` is the app's real state. */
export function healthHandler(views: AdminViews): (request: Request) => Response {
  return (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/ready") return readiness(views.pending());
    if (pathname !== "/health") return text("see /health and /ready\n", 404);
    const health = views.appHealth();
    if (views.isInMaintenance()) return json({ status: "maintenance" }, 503);
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
    isInMaintenance: views.isInMaintenance(),
    authorization: snapshot.authorization?.settings ?? null,
    registry: describeRegistry(views.registry()),
    clusters: describeEndpoints(snapshot),
    upstreams: views.clusterViews(),
    defaultUpstream: snapshot.defaultUpstream,
  };
}

function describeRegistry(registry: RegistryView | undefined): unknown {
  if (registry === undefined) return null;
  const { isUp, source, ageMs, error } = registry;
  const ageS = ageMs === undefined ? null : Math.round(ageMs / 1000);
  return { isUp, source, ageS, error: error ?? null };
}

function describeEndpoints(snapshot: Snapshot): unknown {
  return [...snapshot.clusters.values()];
}

function describeStats(views: AdminViews): unknown {
  return {
    uptimeS: Math.round(views.uptimeMs() / 1000),
    listeners: views.listeners(),
    upstreams: views.clusterViews(),
    endpoints: views.endpointStats(),
  };
}

function text(body: string, status = 200): Response {
  return new Response(body, { status, headers: { "content-type": "text/plain; charset=utf-8" } });
}

function json(value: unknown, status = 200): Response {
  const plain = (_: string, part: unknown) => part instanceof Map ? Object.fromEntries(part) : part;
  return new Response(JSON.stringify(value, plain, 2) + "\n", {
    status,
    headers: { "content-type": "application/json" },
  });
}
