import { assertEquals } from "@std/assert";
import {
  endpoint,
  fakeInputs,
  fakeRoute,
  type FakeSnapshot,
} from "../../tests/support/fake_snapshot.ts";
import { compileSnapshot, type SnapshotInputs } from "./compile.ts";
import { diffSnapshots } from "./diff.ts";

function diff(before: FakeSnapshot, change: Partial<SnapshotInputs>) {
  const inputs = fakeInputs(before);
  const first = compileSnapshot(inputs);
  return diffSnapshots(first, compileSnapshot({ ...inputs, ...change }, first, inputs));
}

Deno.test("diffSnapshots of the same inputs says that nothing changed", () => {
  assertEquals(diff({ endpoints: { a: ["10.0.0.1:1"] } }, {}), {
    addedClusters: [],
    removedClusters: [],
    endpoints: new Map(),
    isPolicyChanged: false,
    isSame: true,
  });
});

Deno.test("diffSnapshots without a snapshot before says that everything came", () => {
  const change = diffSnapshots(
    undefined,
    compileSnapshot(fakeInputs({ endpoints: { a: ["10.0.0.1:1"], b: [] } })),
  );
  assertEquals(change.addedClusters, ["a", "b"]);
  assertEquals([...change.endpoints], [["a", { added: ["10.0.0.1:1 (10.0.0.1:1)"], removed: [] }]]);
  assertEquals([change.isPolicyChanged, change.isSame], [true, false]);
});

Deno.test("diffSnapshots names clusters and endpoints that came and went", () => {
  const { endpoints } = fakeInputs({ endpoints: { a: ["10.0.0.2:1"], c: ["10.0.0.3:1"] } });
  const change = diff({ endpoints: { a: ["10.0.0.1:1"], b: ["10.0.0.1:1"] } }, { endpoints });
  assertEquals([change.addedClusters, change.removedClusters], [["c"], ["b"]]);
  assertEquals([...change.endpoints], [
    ["a", { added: ["10.0.0.2:1 (10.0.0.2:1)"], removed: ["10.0.0.1:1 (10.0.0.1:1)"] }],
    ["b", { added: [], removed: ["10.0.0.1:1 (10.0.0.1:1)"] }],
    ["c", { added: ["10.0.0.3:1 (10.0.0.3:1)"], removed: [] }],
  ]);
  assertEquals(change.isSame, false);
});

Deno.test("diffSnapshots takes an endpoint with another address under its id for another endpoint", () => {
  const endpoints = new Map([["a", [endpoint("10.0.0.1:1", { port: 2 })]]]);
  const change = diff({ endpoints: { a: ["10.0.0.1:1"] } }, { endpoints });
  assertEquals([...change.endpoints], [
    ["a", { added: ["10.0.0.1:1 (10.0.0.1:2)"], removed: ["10.0.0.1:1 (10.0.0.1:1)"] }],
  ]);
});

Deno.test("diffSnapshots calls nothing the same where any part is another, also without a new address", () => {
  const before = {
    endpoints: { a: ["10.0.0.1:1"] },
    app: { http: { host: "::1", port: 1 }, timeoutMs: 1 },
  };
  const changes: Partial<SnapshotInputs>[] = [
    { endpoints: new Map([["a", [endpoint("10.0.0.1:1", { tags: ["v2"] })]]]) },
    { endpoints: new Map([["a", [endpoint("10.0.0.1:1", { meta: { version: "v2" } })]]]) },
    { app: { http: { host: "::1", port: 1 }, timeoutMs: 2 } },
    { app: undefined },
    { edge: { routes: [fakeRoute("/x")] } },
    { edge: undefined },
    { policyRevision: "p2" },
    { authorization: { mode: "enforce", default: "deny", audit: "off", rules: [] } },
    { upstreams: fakeInputs({ upstreams: { a: { timeoutMs: 1 } } }).upstreams },
  ];
  for (const change of changes) {
    assertEquals(diff(before, change).isSame, false, Object.keys(change)[0]);
  }
});
