import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { endpoint, fakeInputs, fakeRoute } from "../../tests/support/fake_snapshot.ts";
import { compileSnapshot, isSameEndpoints, type SnapshotInputs } from "./compile.ts";

const APP = { http: { host: "127.0.0.1", port: 8001 }, timeoutMs: 15_000 };

function recompile(before: SnapshotInputs, change: Partial<SnapshotInputs>) {
  const first = compileSnapshot(before);
  return { first, second: compileSnapshot({ ...before, ...change }, first, before) };
}

Deno.test("compileSnapshot makes a cluster of each service that policy names or the registry knows", () => {
  const inputs = fakeInputs({
    endpoints: { both: ["10.0.0.1:1"], found: ["10.0.0.2:1"] },
    upstreams: { both: { timeoutMs: 1 }, named: { timeoutMs: 2, bind: { host: "::1", port: 9 } } },
  });
  const { clusters } = compileSnapshot(inputs);
  assertEquals([...clusters.keys()].sort(), ["both", "found", "named"]);
  assertEquals(clusters.get("both")?.timeoutMs, 1);
  assertEquals(clusters.get("both")?.endpoints.map(({ id }) => id), ["10.0.0.1:1"]);
  assertEquals(clusters.get("found")?.timeoutMs, inputs.defaultUpstream.timeoutMs);
  assertEquals(clusters.get("named")?.endpoints, []);
  assertEquals(clusters.get("named")?.bind, { host: "::1", port: 9 });
});

Deno.test("compileSnapshot makes the app a cluster of one endpoint, and none where there is no app", () => {
  const { app } = compileSnapshot(fakeInputs({ app: APP }));
  assertEquals(app?.endpoints.map(({ host, port }) => [host, port]), [["127.0.0.1", 8001]]);
  assertEquals(app?.timeoutMs, 15_000);
  assertEquals(compileSnapshot(fakeInputs()).app, undefined);
});

Deno.test("compileSnapshot freezes what it makes", () => {
  const snapshot = compileSnapshot(fakeInputs({ endpoints: { a: ["10.0.0.1:1"] }, app: APP }));
  assert(Object.isFrozen(snapshot) && Object.isFrozen(snapshot.clusters.get("a")));
  assert(Object.isFrozen(snapshot.app) && Object.isFrozen(snapshot.app?.endpoints));
});

Deno.test("compileSnapshot counts revisions up from one", () => {
  const { first, second } = recompile(fakeInputs(), {});
  assertEquals([first.revision, second.revision], [1, 2]);
});

Deno.test("compileSnapshot shares every part that did not change with the snapshot before", () => {
  const inputs = fakeInputs({
    endpoints: { a: ["10.0.0.1:1"], b: ["10.0.0.2:1"] },
    upstreams: { a: { bind: { host: "127.0.0.1", port: 9101 } } },
    app: APP,
    routes: [fakeRoute("/x")],
  });
  // Equal, but not the same objects: what a registry or a policy source hands over again.
  const again = fakeInputs({
    endpoints: { a: ["10.0.0.1:1"], b: ["10.0.0.2:1", "10.0.0.3:1"] },
    upstreams: { a: { bind: { host: "127.0.0.1", port: 9101 } } },
    app: { ...APP },
    routes: [fakeRoute("/x")],
  });
  const { first, second } = recompile(inputs, again);
  assertStrictEquals(second.clusters.get("a"), first.clusters.get("a")!);
  assertStrictEquals(second.app, first.app!);
  assertStrictEquals(second.routes, first.routes);
  assert(second.clusters.get("b") !== first.clusters.get("b"));
});

Deno.test("compileSnapshot makes a part anew when any of it changed", () => {
  const inputs = fakeInputs({ endpoints: { a: ["10.0.0.1:1"] }, upstreams: { a: {} }, app: APP });
  const settings = recompile(inputs, fakeInputs({ upstreams: { a: { timeoutMs: 1 } } }));
  assertEquals(settings.second.clusters.get("a")?.timeoutMs, 1);
  const tags = new Map([["a", [endpoint("10.0.0.1:1", { tags: ["v2"] })]]]);
  assertEquals(
    recompile(inputs, { endpoints: tags }).second.clusters.get("a")?.endpoints[0]?.tags,
    ["v2"],
  );
  const app = { ...APP, timeoutMs: 1 };
  assertEquals(recompile(inputs, { app }).second.app?.timeoutMs, 1);
  const routes = [fakeRoute("/y")];
  const { first, second } = recompile(inputs, { edge: { routes } });
  assert(first.routes !== second.routes);
});

Deno.test("compileSnapshot shares what an edge does part by part", () => {
  const cors = {
    origins: ["*"],
    methods: [],
    headers: [],
    exposeHeaders: [],
    credentials: false,
    maxAgeMs: 0,
  };
  const jwt = {
    issuers: [],
    clockSkewMs: 0,
    claimHeaders: new Map([["user_id", "x-user-id"]]),
    tokenFrom: [],
    requiredClaims: new Map(),
  };
  const inputs = fakeInputs({ edge: { cors, jwt } });
  const same = recompile(inputs, fakeInputs({ edge: structuredClone({ cors, jwt }) }));
  assertStrictEquals(same.second.edge, same.first.edge);
  const other = { ...jwt, claimHeaders: new Map([["sub", "x-user-id"]]) };
  const { first, second } = recompile(
    inputs,
    fakeInputs({ edge: { cors: { ...cors }, jwt: other } }),
  );
  assertStrictEquals(second.edge?.cors, first.edge!.cors);
  assertEquals(second.edge?.jwt, other);
  assertEquals(recompile(inputs, { edge: undefined }).second.edge, undefined);
});

Deno.test("compileSnapshot drops a cluster that nobody names any more", () => {
  const inputs = fakeInputs({ upstreams: { a: {} } });
  assertEquals(recompile(inputs, { upstreams: new Map() }).second.clusters.size, 0);
});

Deno.test("isSameEndpoints looks at every field and at the order", () => {
  const one = endpoint("10.0.0.1:1", { tags: ["v1"], meta: { zone: "a" } });
  assert(isSameEndpoints([one], [{ ...one, tags: ["v1"], meta: { zone: "a" } }]));
  const others = [{ id: "x" }, { host: "10.0.0.9" }, { port: 2 }, { tags: [] }, { meta: {} }];
  for (const other of others) assert(!isSameEndpoints([one], [{ ...one, ...other }]));
  const two = endpoint("10.0.0.2:1");
  assert(!isSameEndpoints([one, two], [two, one]));
  assert(!isSameEndpoints([one], []));
});
