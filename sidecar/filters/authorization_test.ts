import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { type FakeExchange, fakeExchange } from "../../tests/support/fake_exchange.ts";
import { fakeInputs } from "../../tests/support/fake_snapshot.ts";
import { MemoryLog } from "../../tests/support/memory_log.ts";
import { parsePrometheus } from "../../tests/support/prometheus.ts";
import { ProxyError } from "../errors.ts";
import { rescue } from "../proxy/rescue.ts";
import type {
  AuthorizationRule,
  AuthorizationSettings,
} from "../snapshot/authorization_settings.ts";
import { compileSnapshot } from "../snapshot/compile.ts";
import type { Snapshot } from "../snapshot/snapshot.ts";
import { Metrics } from "../telemetry/metrics.ts";
import { Authorize } from "./authorization.ts";

const ORDER = "spiffe://mesh.local/ns/default/svc/order-service";
const READS: AuthorizationRule = {
  name: "orders-read",
  action: "allow",
  from: ["order-service"],
  methods: ["GET"],
  paths: ["/users/*"],
};
const NO_ADMIN: AuthorizationRule = { name: "no-admin", action: "deny", paths: ["/users/admin/*"] };

function snapshotWith(
  rules: readonly AuthorizationRule[],
  more: Partial<AuthorizationSettings> = {},
): Snapshot {
  const settings = { mode: "enforce", default: "deny", audit: "refused" } as const;
  return compileSnapshot({ ...fakeInputs(), authorization: { ...settings, ...more, rules } });
}

function rig() {
  const { logger, lines } = new MemoryLog();
  const metrics = new Metrics();
  const filter = new Authorize(logger, metrics);
  const ask = (snapshot: Snapshot, { peer, ...about }: FakeExchange & { identity?: string }) => {
    const identity = about.identity;
    const exchange = fakeExchange({
      listener: "inbound",
      snapshot,
      peer: peer ?? { host: "10.0.0.9", port: 1, ...(identity === undefined ? {} : { identity }) },
      ...about,
    });
    exchange.requestId = "r1";
    filter.onRequest(exchange);
    return exchange;
  };
  const refused = (snapshot: Snapshot, about: FakeExchange & { identity?: string }) =>
    assertThrows(() => ask(snapshot, about), ProxyError);
  const samples = (name: string) =>
    Object.fromEntries(parsePrometheus(metrics.render()).get(name)!.samples);
  return { filter, ask, refused, lines, samples };
}

Deno.test("Authorize lets everything pass, as it came, where there are no rules", () => {
  const { ask, lines } = rig();
  const exchange = ask(compileSnapshot(fakeInputs()), { target: "/a/../b" });
  assertEquals(exchange.request.target, "/a/../b");
  assertEquals(lines, []);
});

Deno.test("Authorize lets in whom a rule allows and names the rule, or whom none allows, in what it refuses", () => {
  const { ask, refused } = rig();
  const snapshot = snapshotWith([READS, NO_ADMIN]);
  ask(snapshot, { identity: ORDER, target: "/users/1?x=/users/admin/" });
  const cases: [FakeExchange & { identity?: string }, string][] = [
    [{ identity: ORDER, target: "/users/admin/x" }, "refused by rule no-admin"],
    [{ target: "/users/1?secret=1" }, "no rule allows anonymous GET /users/1"],
    [
      { identity: ORDER, method: "POST", target: "/users" },
      "no rule allows order-service POST /users",
    ],
    [
      { identity: ORDER.replace("default", "shop"), target: "/users" },
      "no rule allows spiffe://mesh.local/ns/shop/svc/order-service GET /users",
    ],
  ];
  for (const [about, message] of cases) {
    const error = refused(snapshot, about);
    assertEquals([error.kind, error.message], ["forbidden", message]);
  }
});

Deno.test("what Authorize refuses is 403 with the rule's name, and PERMISSION_DENIED to a gRPC caller", () => {
  const { refused } = rig();
  const error = refused(snapshotWith([NO_ADMIN]), { target: "/users/admin" });
  const http = rescue(error);
  assertEquals(http.status, 403);
  assertEquals(http.headers.get("x-mesh-reason"), "forbidden");
  const body = new TextDecoder().decode(http.body.whole());
  assertEquals(body, '{"error":"refused by rule no-admin"}');
  const { headers } = rescue(error, "grpc");
  assertEquals([headers.get("grpc-status"), headers.get("grpc-message")], [
    "7",
    "refused by rule no-admin",
  ]);
  assertEquals(headers.get("x-mesh-reason"), "forbidden");
});

Deno.test("Authorize says no more than the beginning of a long path or method", () => {
  const { refused, lines } = rig();
  const long = "x".repeat(5000);
  const { message } = refused(snapshotWith([READS]), { method: long, target: `/${long}` });
  assert(message.length < 500);
  assert(JSON.stringify(lines[0]).length < 700);
});

Deno.test("Authorize refuses a path that could be read in two ways where rules read paths, and only there", () => {
  const { ask, refused } = rig();
  for (
    const target of [
      "/users/../admin",
      "/users/%2e%2e/x",
      "/users%2fadmin",
      "/users\\x",
      "/a/..;/b",
    ]
  ) {
    const { kind, message } = refused(snapshotWith([READS]), { identity: ORDER, target });
    assertEquals(kind, "bad-request", target);
    assertEquals(message, "bad request: the path has dot segments or escaped separators");
    const methods = snapshotWith([{ name: "a", action: "allow", methods: ["GET"] }]);
    assertEquals(ask(methods, { target }).request.target, target);
  }
});

Deno.test("Authorize compares a path in its one spelling, and hands that on", () => {
  const { ask, refused } = rig();
  const snapshot = snapshotWith([READS, NO_ADMIN]);
  for (
    const target of ["/users/%61dmin/x", "//users//admin/x", "/users/admin/", "/users/admin;a=b"]
  ) {
    const error = refused(snapshot, { identity: ORDER, target });
    assertEquals(error.message, "refused by rule no-admin", target);
  }
  const { request } = ask(snapshot, { identity: ORDER, target: "//users/%41?a=%41" });
  assertEquals(request.target, "/users/A?a=%41");
});

Deno.test("Authorize takes the target of CONNECT and * for no path", () => {
  const { refused } = rig();
  const snapshot = snapshotWith([{ name: "all", action: "allow", paths: ["/*"] }]);
  assertEquals(
    refused(snapshot, { method: "OPTIONS", form: "asterisk", target: "*" }).kind,
    "forbidden",
  );
  const connect = { method: "CONNECT", form: "authority", target: "a:1" } as const;
  assertEquals(refused(snapshot, connect).kind, "forbidden");
});

Deno.test("Authorize takes claims from the token that was found good", () => {
  const { ask, refused } = rig();
  const snapshot = snapshotWith([{ name: "staff", action: "allow", claims: { role: ["staff"] } }]);
  ask(snapshot, { caller: { subject: "alice", claims: { role: ["staff", "buyer"] } } });
  assertEquals(refused(snapshot, { caller: { subject: "a", claims: {} } }).kind, "forbidden");
  assertEquals(refused(snapshot, {}).kind, "forbidden");
});

Deno.test("a dry run refuses nobody, changes nothing, and says what it would have refused", () => {
  const { ask, lines, samples } = rig();
  const snapshot = snapshotWith([READS], { mode: "dry-run" });
  for (const target of ["//users/1", "/a/../b"]) {
    assertEquals(ask(snapshot, { target }).request.target, target);
  }
  const { time: _, level, ...line } = lines[0]!;
  assertEquals([level, line], [
    "info",
    {
      message: "authorization",
      rule: "default",
      action: "deny",
      from: "anonymous",
      peer: "10.0.0.9:1",
      method: "GET",
      path: "//users/1",
      requestId: "r1",
      dryRun: true,
    } as unknown as typeof line,
  ]);
  assertEquals(lines[1]!["rule"], "ambiguous-path");
  const counted = samples("mesh_authorization_total");
  const series = (rule: string) =>
    `mesh_authorization_total{decision="refused",rule="${rule}",dry_run="true"}`;
  assertEquals([counted[series("default")], counted[series("ambiguous-path")]], [1, 1]);
});

Deno.test("audit leaves a line for what was refused, for everything, or for nothing; never the query", () => {
  const linesOf = (audit: AuthorizationSettings["audit"]) => {
    const { ask, refused, lines } = rig();
    const snapshot = snapshotWith([READS], { audit });
    ask(snapshot, { identity: ORDER, target: "/users/1?token=hidden" });
    refused(snapshot, { target: "/users/1?token=hidden" });
    assert(!JSON.stringify(lines).includes("hidden"));
    return lines.map(({ rule, action, from }) => [rule, action, from]);
  };
  const [allowed, denied] = [["orders-read", "allow", ORDER], ["default", "deny", "anonymous"]];
  assertEquals(linesOf("all"), [allowed, denied]);
  assertEquals(linesOf("refused"), [denied]);
  assertEquals(linesOf("off"), []);
});

Deno.test("a flood leaves so many lines a second, counts the others, and hides nothing of the other kind", () => {
  const { ask, refused, lines, samples } = rig();
  const snapshot = snapshotWith([READS], { audit: "all" });
  for (let i = 0; i < 1000; i++) ask(snapshot, { identity: ORDER, target: "/users/1" });
  assertEquals(lines.length, 100);
  refused(snapshot, {});
  assertEquals(lines.at(-1)!["action"], "deny");
  ask(snapshot, { identity: ORDER, target: "/users/1", startedAt: 1000 });
  assertEquals(lines.at(-1)!["suppressed"], 900);
  ask(snapshot, { identity: ORDER, target: "/users/1", startedAt: 1000 });
  assertEquals("suppressed" in lines.at(-1)!, false);
  assertEquals(samples("mesh_authorization_unlogged_total"), {
    'mesh_authorization_unlogged_total{decision="allowed"}': 900,
    'mesh_authorization_unlogged_total{decision="refused"}': 0,
  });
});

Deno.test("every decision is counted under the rules of its own snapshot, whatever callers send", () => {
  const { ask, refused, samples } = rig();
  const before = snapshotWith([READS]);
  const after = snapshotWith([{ ...READS, name: "renamed" }]);
  ask(before, { identity: ORDER, target: "/users/1" });
  ask(after, { identity: ORDER, target: "/users/2" });
  ask(before, { identity: ORDER, target: "/users/3" });
  for (let i = 0; i < 50; i++) refused(after, { method: `M${i}`, target: `/${i}` });
  const counted = samples("mesh_authorization_total");
  const series = (decision: string, rule: string) =>
    `mesh_authorization_total{decision="${decision}",rule="${rule}",dry_run="false"}`;
  assertEquals(counted[series("allowed", "orders-read")], 2);
  assertEquals(counted[series("allowed", "renamed")], 1);
  assertEquals(counted[series("refused", "default")], 50);
  assertEquals(Object.keys(counted).length, 4);
});

Deno.test("Authorize answers at once, so that nothing happens between a decision and its use", () => {
  const { filter } = rig();
  const exchange = fakeExchange({ snapshot: snapshotWith([], { default: "allow" }) });
  assertStrictEquals(filter.onRequest(exchange), undefined);
});
