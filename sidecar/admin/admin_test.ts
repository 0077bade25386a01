import { assert, assertEquals, assertMatch } from "@std/assert";
import { fakeSnapshot } from "../../tests/support/fake_snapshot.ts";
import { Journal, type JournalEntry } from "../telemetry/journal.ts";
import { adminHandler, type AdminViews, healthHandler } from "./admin.ts";

const VIEWS: AdminViews = {
  version: "1.2.3",
  service: { name: "user-service", id: "user-service-15006" },
  uptimeMs: () => 12_499,
  snapshot: () => fakeSnapshot(),
  policyProblem: () => undefined,
  pending: () => [],
  appHealth: () => ({ isHealthy: true, detail: "/health answered 200" }),
  isRegistered: () => true,
  isInMaintenance: () => false,
  setMaintenance: () => Promise.resolve(true),
  registry: () => undefined,
  listeners: () => [{ name: "inbound", address: "127.0.0.1:15006", connections: 3 }],
  clusterViews: () => [],
  endpointStats: () => [],
  journal: new Journal(),
  metrics: () => "# HELP a A.\n# TYPE a counter\na 1\n",
};

const OPEN = { isLoopback: false };

/** What is read comes at once. */
function ask(path: string, views: Partial<AdminViews> = {}, method = "GET"): Response {
  const headers = { host: "127.0.0.1:15000" };
  const request = new Request(`http://127.0.0.1:15000${path}`, { method, headers });
  return adminHandler({ ...VIEWS, ...views }, { isLoopback: true })(request) as Response;
}

function askHealth(path: string, views: Partial<AdminViews> = {}): Response {
  return healthHandler({ ...VIEWS, ...views })(new Request(`http://127.0.0.1:15021${path}`));
}

Deno.test("admin lists its pages, and every page that it lists is there", async () => {
  const list = await ask("/").text();
  const paths = list.trimEnd().split("\n").map((line) => line.split(" ")[0]!);
  const pages = [
    "/healthz",
    "/readyz",
    "/metrics",
    "/snapshot",
    "/endpoints",
    "/stats",
    "/recent",
    "/tap",
  ];
  assertEquals(paths, [...pages, "/drain", "/undrain"]);
  for (const path of pages) {
    const response = ask(path);
    assertEquals(response.status, 200, path);
    await response.body?.cancel();
  }
});

Deno.test("admin answers 404 where there is no page and 405 to whoever wants to change something", async () => {
  const nothing = ask("/nothing");
  assertEquals([nothing.status, await nothing.text()], [404, "no page /nothing; see /\n"]);
  for (const method of ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"]) {
    const response = ask("/snapshot", {}, method);
    assertEquals([response.status, response.headers.get("allow")], [405, "GET, HEAD"]);
  }
  assertEquals(ask("/snapshot?x=1", {}, "HEAD").status, 200);
});

Deno.test("/healthz says that the process is alive whatever else is the matter", () => {
  const ill = { pending: () => ["app"], appHealth: () => ({ isHealthy: false, detail: "x" }) };
  assertEquals(ask("/healthz", ill).status, 200);
});

Deno.test("/readyz is 503 with what is pending until nothing is", async () => {
  const pending = ask("/readyz", { pending: () => ["registry", "app"] });
  assertEquals([pending.status, await pending.json()], [
    503,
    { status: "pending", pending: ["registry", "app"] },
  ]);
  const ready = ask("/readyz");
  assertEquals([ready.status, await ready.json()], [200, { status: "ready" }]);
});

Deno.test("/metrics is Prometheus text", async () => {
  const response = ask("/metrics");
  assertMatch(response.headers.get("content-type")!, /^text\/plain; version=0\.0\.4/);
  assertEquals(await response.text(), VIEWS.metrics("prometheus"));
});

Deno.test("/snapshot shows what is in force, and why a newer policy is not", async () => {
  const snapshot = fakeSnapshot({
    endpoints: { "user-service": ["10.0.0.1:80"] },
    app: { http: { host: "127.0.0.1", port: 8001 }, timeoutMs: 15_000 },
  });
  const problem = { revision: "p2", message: "policy.yaml:1:1: unknown key" };
  const page = await ask("/snapshot", { snapshot: () => snapshot, policyProblem: () => problem })
    .json();
  assertEquals([page.version, page.service, page.revision], ["1.2.3", VIEWS.service, 1]);
  assertEquals(page.policy, { revision: "p1", problem });
  assertEquals(page.app.endpoints[0].port, 8001);
  assertEquals(page.app.health, { isHealthy: true, detail: "/health answered 200" });
  assertEquals(page.clusters[0].endpoints[0].host, "10.0.0.1");
  assertEquals([page.isRegistered, page.defaultUpstream.timeoutMs], [true, 5000]);
});

Deno.test("/snapshot of an edge without an app or trouble says so", async () => {
  const page = await ask("/snapshot", { appHealth: () => undefined }).json();
  assertEquals([page.app, page.policy.problem, page.clusters], [null, null, []]);
});

Deno.test("/snapshot shows the rules of authorization as they are compiled, callers in full", async () => {
  const rules = [{ name: "r", action: "allow", from: ["a", "*"], claims: { b: [1] } }] as const;
  const authorization = { mode: "dry-run", default: "deny", audit: "all", rules } as const;
  const snapshot = fakeSnapshot({ authorization });
  const page = await ask("/snapshot", { snapshot: () => snapshot }).json();
  const from = ["spiffe://mesh.local/ns/default/svc/a", "*"];
  assertEquals(page.authorization, { ...authorization, rules: [{ ...rules[0], from }] });
  assertEquals((await ask("/snapshot").json()).authorization, null);
});

Deno.test("/snapshot shows how things stand with a registry that can be away", async () => {
  const registry = { isUp: false, source: "cache", ageMs: 12_400, error: "no answer" } as const;
  const page = await ask("/snapshot", { registry: () => registry }).json();
  assertEquals(page.registry, { isUp: false, source: "cache", ageS: 12, error: "no answer" });
  assertEquals((await ask("/snapshot").json()).registry, null);
});

Deno.test("/drain and /undrain turn the switch for whoever is no browser", async () => {
  const turned: boolean[] = [];
  let isInMaintenance = false;
  const views: AdminViews = {
    ...VIEWS,
    isInMaintenance: () => isInMaintenance,
    setMaintenance: (isOn) => {
      isInMaintenance = isOn;
      turned.push(isOn);
      return Promise.resolve(true);
    },
  };
  const act = (path: string, init: RequestInit) =>
    adminHandler(views, OPEN)(new Request(`http://127.0.0.1:15000${path}`, init));
  const drained = await act("/drain", { method: "POST" });
  assertEquals(await drained.json(), { maintenance: true, isRegistered: true });
  assertEquals(askHealth("/health", views).status, 503);
  assertEquals((await act("/undrain", { method: "POST" })).status, 200);
  assertEquals(askHealth("/health", views).status, 200);
  assertEquals((await act("/drain", { method: "GET" })).status, 405);
  for (const name of ["origin", "sec-fetch-site"]) {
    const headers = { [name]: "https://evil.example" };
    assertEquals((await act("/drain", { method: "POST", headers })).status, 403, name);
  }
  assertEquals(turned, [true, false]);
  const edge = adminHandler({ ...views, setMaintenance: () => Promise.resolve(false) }, OPEN);
  const request = new Request("http://127.0.0.1:15000/drain", { method: "POST" });
  assertEquals((await edge(request)).status, 409);
});

Deno.test("/endpoints shows clusters with their endpoints", async () => {
  const snapshot = fakeSnapshot({ endpoints: { a: ["10.0.0.1:80", "10.0.0.2:80"] } });
  const page = await ask("/endpoints", { snapshot: () => snapshot }).json();
  assertEquals(page.map(({ name }: { name: string }) => name), ["a"]);
  assertEquals(page[0].endpoints.map(({ host }: { host: string }) => host), [
    "10.0.0.1",
    "10.0.0.2",
  ]);
});

Deno.test("/stats shows connections, pools and the time since the start", async () => {
  const stats = [{
    cluster: "a",
    address: "10.0.0.1:80",
    protocol: "http1" as const,
    idle: 1,
    busy: 2,
    pending: 3,
  }];
  assertEquals(await ask("/stats", { endpointStats: () => stats }).json(), {
    uptimeS: 12,
    listeners: [{ name: "inbound", address: "127.0.0.1:15006", connections: 3 }],
    upstreams: [],
    endpoints: stats,
  });
});

Deno.test("/health is the app's real state", async () => {
  const well = askHealth("/health");
  assertEquals([well.status, await well.json()], [200, {
    status: "ok",
    app: "/health answered 200",
  }]);
  const ill = askHealth("/health", {
    appHealth: () => ({ isHealthy: false, detail: "/health answered 500" }),
  });
  assertEquals([ill.status, await ill.json()], [503, {
    status: "unavailable",
    app: "/health answered 500",
  }]);
});

Deno.test("/health of an edge without an app is the process itself", async () => {
  const response = askHealth("/health", { appHealth: () => undefined });
  assertEquals([response.status, await response.json()], [200, { status: "ok" }]);
});

Deno.test("/ready is 503 until nothing is pending, and the port has no other page", async () => {
  assertEquals(askHealth("/ready", { pending: () => ["draining"] }).status, 503);
  assertEquals(askHealth("/ready").status, 200);
  for (const path of ["/", "/metrics", "/snapshot", "/healthz"]) {
    const response = askHealth(path);
    assertEquals(response.status, 404);
    assert((await response.text()).includes("/ready"));
  }
});

function failure(more: Partial<JournalEntry>): JournalEntry {
  return {
    time: "2026-01-01T00:00:00.000Z",
    requestId: "r1",
    traceId: undefined,
    listener: "edge",
    method: "GET",
    path: "/api/users/1",
    host: "shop.example",
    status: 503,
    durationMs: 1,
    client: "192.0.2.1",
    from: undefined,
    upstream: "user-service",
    endpoint: undefined,
    attempts: 0,
    user: undefined,
    reason: "no-endpoints",
    detail: "no healthy instances found for service: user-service",
    error: undefined,
    ...more,
  };
}

Deno.test("/recent shows the last failures that the filters want", async () => {
  const journal = new Journal();
  journal.record(failure({}), true);
  journal.record(
    failure({ requestId: "r2", status: 502, reason: "upstream-reset", traceId: "t2" }),
    true,
  );
  journal.record(
    failure({ requestId: "r3", path: "/other", upstream: undefined, listener: "inbound" }),
    true,
  );
  const ids = async (query: string) =>
    (await ask(`/recent${query}`, { journal }).json()).map(({ requestId }: JournalEntry) =>
      requestId
    );
  assertEquals(await ids(""), ["r3", "r2", "r1"]);
  assertEquals(await ids("?id=r2"), ["r2"]);
  assertEquals(await ids("?id=t2"), ["r2"]);
  assertEquals(await ids("?status=502"), ["r2"]);
  assertEquals(await ids("?status=5xx&path=/api"), ["r2", "r1"]);
  assertEquals(await ids("?reason=no-endpoints&upstream=user-service"), ["r1"]);
  assertEquals(await ids("?listener=inbound"), ["r3"]);
  assertEquals(await ids("?status=4xx"), []);
});

Deno.test("/tap streams exchanges as they end, and ends when the sidecar does", async () => {
  const journal = new Journal();
  const response = ask("/tap?status=2xx", { journal });
  assertEquals(response.headers.get("content-type"), "text/event-stream");
  journal.record(failure({}), true);
  journal.record(failure({ requestId: "well", status: 200, reason: undefined }), false);
  journal.end();
  const events = (await response.text()).split("\n\n").filter((event) =>
    event.startsWith("data: ")
  );
  assertEquals(events.map((event) => JSON.parse(event.slice(6)).requestId), ["well"]);
});

Deno.test("/tap leaves out what a slow reader has no room for, says so, and forgets who left", async () => {
  const journal = new Journal();
  const reader = ask("/tap", { journal }).body!.getReader();
  for (let n = 0; n < 3000; n++) journal.record(failure({ requestId: String(n) }), true);
  let count = 0;
  const decoder = new TextDecoder();
  for (; count < 1001; count++) await reader.read();
  journal.record(failure({}), true);
  let text = "";
  while (!text.includes("left-out")) text += decoder.decode((await reader.read()).value);
  assertMatch(text, /event: left-out\ndata: [12]\d\d\d\n/);
  await reader.cancel();
  assertEquals(journal.isFollowed, false);
});

Deno.test("admin on loopback answers to names of loopback only, and tells browsers to keep out", () => {
  const of = (host: string, isLoopback = true) => {
    const request = new Request("http://x/healthz", { headers: { host } });
    return (adminHandler(VIEWS, { isLoopback })(request) as Response).status;
  };
  for (const host of ["localhost:15000", "127.0.0.1", "127.9.9.9:1", "[::1]:15000"]) {
    assertEquals(of(host), 200, host);
  }
  for (const host of ["evil.example", "localhost.evil.example", "10.0.0.1:15000", ""]) {
    assertEquals(of(host), 421, host);
  }
  assertEquals(of("sidecar:15000", false), 200);
  const { headers } = ask("/snapshot");
  assertEquals(headers.get("x-content-type-options"), "nosniff");
  assertMatch(headers.get("content-security-policy") ?? "", /default-src 'none'/);
});

Deno.test("/metrics is OpenMetrics for whoever accepts it", async () => {
  const request = new Request("http://localhost/metrics", {
    headers: { accept: "application/openmetrics-text;version=1.0.0,text/plain;q=0.5" },
  });
  const views = { ...VIEWS, metrics: (exposition: string) => `${exposition}\n` };
  const response = await adminHandler(views, OPEN)(request);
  assertMatch(
    response.headers.get("content-type") ?? "",
    /^application\/openmetrics-text; version=1\.0\.0/,
  );
  assertEquals(await response.text(), "openmetrics\n");
});
