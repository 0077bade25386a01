import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { FakeClock, settle } from "../../tests/support/fake_clock.ts";
import { FakeRegistry } from "../../tests/support/fake_registry.ts";
import { DEFAULT_UPSTREAM, endpoint, fakeRoute } from "../../tests/support/fake_snapshot.ts";
import { MemoryLog } from "../../tests/support/memory_log.ts";
import { outcome } from "../../tests/support/scripted_upstream.ts";
import type { LoginConfig, Policy, RouteConfig } from "../config/bootstrap.ts";
import { defaultUpstream } from "../config/build.ts";
import { ConfigError } from "../errors.ts";
import type { Snapshot } from "../snapshot/snapshot.ts";
import type { PolicyListener, PolicySource } from "./policy/source.ts";
import { Reconciler, type ReconcilerOptions } from "./reconcile.ts";

const INSIDE = defaultUpstream({ isEdge: false });

function policy(timeouts: Record<string, number> = {}, inboundMs = 15_000): Policy {
  const upstreams = Object.entries(timeouts)
    .map(([name, timeoutMs]) => [name, { ...INSIDE, timeoutMs }] as const);
  return { upstreams: new Map(upstreams), inbound: { timeoutMs: inboundMs } };
}

/** Says at its start what it was given, and later what a test makes it say. */
class FakePolicySource implements PolicySource {
  listener: PolicyListener | undefined;
  isClosed = false;

  constructor(private readonly first: Policy) {}

  start(listener: PolicyListener): Promise<void> {
    this.listener = listener;
    listener.update({ revision: "p1", policy: this.first });
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.isClosed = true;
    return Promise.resolve();
  }
}

function rig(options: Partial<ReconcilerOptions> & { readonly first?: Policy } = {}) {
  const { first = policy(), ...more } = options;
  const clock = new FakeClock();
  const registry = new FakeRegistry();
  const source = new FakePolicySource(first);
  const log = new MemoryLog();
  const reconciler = new Reconciler({
    registry,
    policySource: source,
    defaultUpstream: DEFAULT_UPSTREAM,
    app: undefined,
    edge: { routes: [] },
    home: () => ({ trustDomain: "mesh.local", namespace: "default" }),
    clock,
    log: log.logger,
    ...more,
  }, policy());
  const published: Snapshot[] = [];
  reconciler.store.subscribe((snapshot) => published.push(snapshot));
  /** Starts it and answers for every service that it watches. */
  const start = async (): Promise<void> => {
    const started = reconciler.start();
    await settle();
    for (const service of registry.watched) registry.report(service, `${service}.a:80`);
    await started;
    await settle();
    published.length = 0;
  };
  const addresses = (service: string) =>
    reconciler.store.current.clusters.get(service)?.endpoints.map(({ id }) => id);
  return { clock, registry, source, log, reconciler, published, start, addresses };
}

function loginBy(service: string): LoginConfig {
  const bucket = { rate: { count: 1, perMs: 1 }, burst: 1 };
  return {
    path: "/login",
    claims: new Map(),
    expiresInMs: 1000,
    verify: { kind: "service", service, path: "/check" },
    rateLimit: { user: bucket, client: bucket },
    signing: { kind: "secret", secret: "", algorithm: "HS256" },
  };
}

const ROUTES: readonly RouteConfig[] = [fakeRoute("/a", { to: "a" }), fakeRoute("/b", { to: "b" })];

Deno.test("Reconciler has a snapshot of the defaults before anything is known", () => {
  const app = { http: { host: "127.0.0.1", port: 8001 } };
  const { reconciler } = rig({ app });
  const { current } = reconciler.store;
  assertEquals([current.policyRevision, current.clusters.size], ["defaults", 0]);
  assertEquals(current.app?.timeoutMs, 15_000);
});

Deno.test("Reconciler.start asks for every service that routes, configuration and policy name, each once", async () => {
  const routes = [...ROUTES, fakeRoute("/a/x", { to: "a" })];
  const { registry, start } = rig({
    edge: { routes, login: loginBy("verifier") },
    first: policy({ p: 1, a: 2 }),
  });
  await start();
  assertEquals(registry.watched.sort(), ["a", "b", "p", "verifier"]);
});

Deno.test("Reconciler takes what an edge does from the policy, and from the bootstrap where it says nothing", async () => {
  const { registry, source, start, reconciler } = rig({
    edge: { routes: ROUTES, login: loginBy("verifier") },
    first: policy({ p: 1 }),
  });
  await start();
  const before = reconciler.store.current.routes;
  const gateway = { routes: [fakeRoute("/z", { to: "z" })] };
  source.listener!.update({ revision: "p2", policy: { ...policy({ q: 1 }), gateway } });
  await settle();
  assert(["q", "z"].every((service) => registry.watched.includes(service)));
  const { routes, edge } = reconciler.store.current;
  assertEquals([routes === before, edge?.login], [false, undefined]);
  source.listener!.update({ revision: "p3", policy: policy({}) });
  await settle();
  assertEquals(reconciler.store.current.edge?.login, loginBy("verifier"));
});

Deno.test("Reconciler gives a sidecar that is no edge no routes", async () => {
  const { source, start, reconciler } = rig({ edge: undefined });
  await start();
  const before = reconciler.store.current.routes;
  const gateway = { routes: ROUTES };
  source.listener!.update({ revision: "p2", policy: { ...policy(), gateway } });
  await settle();
  assertEquals(reconciler.store.current.edge, undefined);
  assertStrictEquals(reconciler.store.current.routes, before);
});

Deno.test("Reconciler.start is over when the policy is in force and every service has been answered for", async () => {
  const { reconciler, registry, addresses, clock } = rig({
    edge: { routes: ROUTES },
    first: policy({ a: 7 }),
  });
  const started = reconciler.start();
  await settle();
  registry.report("a", "10.0.0.1:80");
  assertEquals((await outcome(started)).is, "pending");
  registry.report("b");
  await started;
  assertEquals([addresses("a"), addresses("b")], [["10.0.0.1:80"], []]);
  assertEquals(reconciler.store.current.clusters.get("a")?.timeoutMs, 7);
  assertEquals(reconciler.store.current.policyRevision, "p1");
  assertEquals(clock.pending, 0);
});

Deno.test("Reconciler.start waits a second for a registry that does not answer, and goes on without it", async () => {
  const { reconciler, registry, addresses, clock } = rig({ edge: { routes: ROUTES } });
  const started = reconciler.start();
  await settle();
  registry.report("a", "10.0.0.1:80");
  await clock.advance(999);
  assertEquals((await outcome(started)).is, "pending");
  await clock.advance(1);
  await started;
  assertEquals(addresses("a"), ["10.0.0.1:80"]);
  registry.report("b", "10.0.0.2:80");
  await settle();
  assertEquals(addresses("b"), ["10.0.0.2:80"], "the answer still counts when it comes");
  assertEquals(clock.pending, 0);
});

Deno.test("Reconciler makes one snapshot of everything that changes in one tick", async () => {
  const { registry, source, published, start, reconciler } = rig({ edge: { routes: ROUTES } });
  await start();
  registry.report("a", "10.0.0.1:80");
  registry.report("b", "10.0.0.2:80");
  registry.report("a", "10.0.0.1:80", "10.0.0.3:80");
  source.listener!.update({ revision: "p2", policy: policy({ a: 9 }) });
  assertEquals(published.length, 0);
  await settle();
  assertEquals(published.length, 1);
  const { current } = reconciler.store;
  assertEquals(current.clusters.get("a")?.endpoints.length, 2);
  assertEquals([current.clusters.get("a")?.timeoutMs, current.policyRevision], [9, "p2"]);
});

Deno.test("Reconciler publishes nothing when nothing changed", async () => {
  const { registry, source, published, start, reconciler } = rig({ edge: { routes: ROUTES } });
  await start();
  const before = reconciler.store.current;
  registry.report("a", "a.a:80");
  source.listener!.update({ revision: "p1", policy: policy() });
  await reconciler.discover("a");
  await settle();
  assertEquals(published, []);
  assertStrictEquals(reconciler.store.current, before);
});

Deno.test("Reconciler publishes an endpoint whose tags or meta changed under the same address", async () => {
  const { registry, published, start } = rig({ edge: { routes: ROUTES } });
  await start();
  registry.report("a", endpoint("a.a:80", { tags: ["v2"] }));
  await settle();
  registry.report("a", endpoint("a.a:80", { tags: ["v2"], meta: { protocols: "http2" } }));
  await settle();
  assertEquals(published.map((snapshot) => snapshot.clusters.get("a")?.endpoints[0]?.tags), [
    ["v2"],
    ["v2"],
  ]);
});

Deno.test("Reconciler shares every part that did not change with the snapshot before", async () => {
  const app = { http: { host: "127.0.0.1", port: 8001 } };
  const { registry, start, reconciler } = rig({ edge: { routes: ROUTES }, app });
  await start();
  const before = reconciler.store.current;
  registry.report("a", "10.0.0.9:80");
  await settle();
  const after = reconciler.store.current;
  assertEquals(after.revision > before.revision, true);
  assertStrictEquals(after.clusters.get("b"), before.clusters.get("b")!);
  assertStrictEquals(after.routes, before.routes);
  assertStrictEquals(after.app, before.app!);
  assert(after.clusters.get("a") !== before.clusters.get("a"));
});

Deno.test("Reconciler watches what a new policy names, and keeps what it names no more", async () => {
  const { registry, source, start, addresses, reconciler } = rig({ first: policy({ old: 1 }) });
  await start();
  source.listener!.update({ revision: "p2", policy: policy({ fresh: 2 }) });
  assertEquals(registry.watched.sort(), ["fresh", "old"]);
  registry.report("fresh", "10.0.0.1:80");
  await settle();
  assertEquals(addresses("fresh"), ["10.0.0.1:80"]);
  assertEquals(reconciler.store.current.clusters.get("old")?.timeoutMs, DEFAULT_UPSTREAM.timeoutMs);
});

Deno.test("Reconciler puts the policy's timeout on calls to the app", async () => {
  const { source, start, reconciler } = rig({ app: { http: { host: "127.0.0.1", port: 8001 } } });
  await start();
  source.listener!.update({ revision: "p2", policy: policy({}, 77) });
  await settle();
  assertEquals(reconciler.store.current.app?.timeoutMs, 77);
});

Deno.test("Reconciler keeps a policy's problem and the good policy until the next update, even of the same revision", async () => {
  const { source, start, reconciler, published } = rig({ first: policy({ a: 1 }) });
  await start();
  assertEquals(reconciler.policyProblem, undefined);
  const problem = { revision: "p2", error: new ConfigError([]) };
  source.listener!.problem(problem);
  await settle();
  assertStrictEquals(reconciler.policyProblem, problem);
  assertEquals(reconciler.store.current.policyRevision, "p1");
  source.listener!.update({ revision: "p1", policy: policy({ a: 1 }) });
  await settle();
  assertEquals(reconciler.policyProblem, undefined);
  assertEquals(published, []);
});

Deno.test("Reconciler.discover makes a service known by its first use", async () => {
  const { registry, start, reconciler, addresses } = rig();
  await start();
  const known = reconciler.discover("user-service");
  assertEquals(registry.watched, ["user-service"]);
  assertEquals((await outcome(known)).is, "pending");
  registry.report("user-service", "10.0.0.1:80");
  await known;
  assertEquals(addresses("user-service"), ["10.0.0.1:80"], "in force when it resolves");
});

Deno.test("Reconciler.discover asks once for a service, however many wait for it", async () => {
  const { registry, start, reconciler, published } = rig();
  await start();
  const waiting = Promise.all(Array.from({ length: 50 }, () => reconciler.discover("a")));
  registry.report("a", "10.0.0.1:80");
  await waiting;
  await settle();
  assertEquals([registry.watched, published.length], [["a"], 1]);
});

Deno.test("Reconciler.discover gives up after a second, and hears the answer later all the same", async () => {
  const { registry, start, reconciler, clock, addresses } = rig();
  await start();
  const known = reconciler.discover("a");
  await clock.advance(999);
  assertEquals((await outcome(known)).is, "pending");
  await clock.advance(1);
  await known;
  assertEquals(addresses("a"), undefined);
  registry.report("a", "10.0.0.1:80");
  await settle();
  assertEquals(addresses("a"), ["10.0.0.1:80"]);
  assertEquals(clock.pending, 0);
});

Deno.test("Reconciler.discover watches a thousand services and no more, so that made-up names fill no registry", async () => {
  const { registry, start, reconciler } = rig({ edge: { routes: ROUTES } });
  await start();
  const asked: Promise<void>[] = [];
  for (let i = 0; i < 2000; i++) {
    asked.push(reconciler.discover(`made-up-${i}`));
    registry.report(`made-up-${i}`);
  }
  await Promise.all(asked);
  assertEquals(registry.watched.length, 1000);
  assertEquals(reconciler.store.current.clusters.size, 1000);
  const real = reconciler.discover("real");
  registry.report("real", "10.0.0.8:80");
  await real;
  assertEquals(
    reconciler.store.current.clusters.get("real")?.endpoints[0]?.id,
    "10.0.0.8:80",
    "a made-up name makes room",
  );
  assertEquals(registry.watched.length, 1000);
  registry.report("a", "10.0.0.7:80");
  await reconciler.discover("a");
  assertEquals(
    reconciler.store.current.clusters.get("a")?.endpoints[0]?.id,
    "10.0.0.7:80",
    "those known go on",
  );
});

Deno.test("Reconciler logs what came and went, and which policy is in force, without taking the sidecar's own fields", async () => {
  const { registry, source, start, log } = rig({ edge: { routes: ROUTES } });
  await start();
  log.lines.length = 0;
  registry.report("a", "10.0.0.1:80");
  source.listener!.update({ revision: "p2", policy: policy() });
  await settle();
  const lines = log.lines.map(({ time: _time, level: _level, ...rest }) => rest);
  assertEquals(lines, [
    {
      message: "endpoints changed",
      upstream: "a",
      added: ["10.0.0.1:80 (10.0.0.1:80)"],
      removed: ["a.a:80 (a.a:80)"],
    },
    { message: "policy in force", revision: "p2" },
  ] as never);
});

Deno.test("Reconciler.close ends every watch and the policy source", async () => {
  const { registry, source, start, reconciler } = rig({ edge: { routes: ROUTES } });
  await start();
  await reconciler.close();
  assertEquals([registry.watched, source.isClosed], [[], true]);
});
