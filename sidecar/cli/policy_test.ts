import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { BETTER, GOOD, KEY, rig, until } from "./test_policy.ts";

Deno.test("policy put writes what get prints, with its history, and says that nobody runs", async () => {
  const { host, policy, put } = rig();
  const { code, out, err } = await put("good.yaml", "--message", "first");
  assertEquals([code, err], [0, ""]);
  assertEquals(
    out,
    "--- nothing\n+++ new\n@@ -0,0 +1,2 @@\n+upstreams:\n+  users: { timeout: 2s }\n" +
      "orders: revision 2 is written\nno instance runs; those that start will take it\n",
  );
  assertEquals(host.etcd.text(KEY), GOOD);
  assertEquals(await policy("get", "orders"), { code: 0, out: GOOD, err: "" });
  const history = JSON.parse((await policy("history", "orders", "--json")).out);
  const time = new Date(host.clock.epoch()).toISOString();
  assertEquals(history, [{ revision: 2, author: "ann", message: "first", time, text: GOOD }]);
  assertMatch(
    (await policy("history", "orders")).out,
    /^REVISION +TIME +AUTHOR +DOCUMENT +MESSAGE\n2 +2026-.*Z +ann +3 lines +first\n$/,
  );
});

Deno.test("policy put changes nothing where the document is the same", async () => {
  const { put, host } = rig();
  await put("good.yaml");
  const { code, out } = await put("good.yaml");
  assertEquals([code, out, host.etcd.revision], [
    0,
    "orders: nothing to change at revision 2\n",
    2,
  ]);
});

Deno.test("policy put refuses what no instance would take, before anything is written", async () => {
  const { host, put } = rig();
  host.files.set("bad.yaml", "upstreams:\n  users: { timeout: 2 }\n");
  const { code, err } = await put("bad.yaml");
  assertEquals(code, 65);
  assertMatch(
    err,
    /^\/mesh\/policy\/orders:2:21: upstreams\.users\.timeout: is a number, expected /,
  );
  assertEquals(host.etcd.text(KEY), undefined);
});

Deno.test("policy put checks a document together with what it is merged with", async () => {
  const { host, put, policy } = rig();
  host.etcd.put("/mesh/policy/_default", "upstreams: { users: { timeout: 1s } }");
  host.files.set("retry.yaml", "upstreams: { users: { retry: { perTryTimeout: 2s } } }");
  assertEquals((await put("retry.yaml")).code, 65);
  host.etcd.put(KEY, "upstreams: { users: { retry: { perTryTimeout: 900ms } } }");
  host.files.set("default.yaml", "upstreams: { users: { timeout: 800ms } }");
  const { code, err } = await policy("put", "_default", "default.yaml", "--yes");
  assertEquals(code, 65);
  assertStringIncludes(err, "/mesh/policy/orders:1:47: upstreams.users.retry.perTryTimeout: ");
});

Deno.test("policy put asks a person, and writes nothing without a yes", async () => {
  const { host, policy } = rig();
  host.isInteractive = true;
  host.answers.push("n", "y");
  const { code, out } = await policy("put", "orders", "good.yaml");
  assertEquals(code, 0);
  assertMatch(out, /Put this into force for orders\? \[y\/N\]Nothing was written\.\n$/);
  assertEquals(host.etcd.text(KEY), undefined);
  await policy("put", "orders", "good.yaml");
  assertEquals(host.etcd.text(KEY), GOOD);
});

Deno.test("policy put without a person or --yes is a usage error", async () => {
  const { host, policy } = rig();
  const { code, err } = await policy("put", "orders", "good.yaml");
  assertEquals([code, host.etcd.text(KEY)], [64, undefined]);
  assertStringIncludes(err, "expected --yes");
});

Deno.test("policy put takes stdin, and shows colours to a terminal", async () => {
  const { host, put } = rig();
  host.stdin = GOOD;
  host.hasColour = true;
  const { out } = await put("-");
  assertStringIncludes(out, "\x1b[32m+upstreams:\x1b[0m\n");
  assertEquals(host.etcd.text(KEY), GOOD);
});

Deno.test("policy put refuses to overwrite what somebody else has written meanwhile", async () => {
  const { host, put } = rig();
  await put("good.yaml");
  host.etcd.beforeWrite = () => {
    host.etcd.beforeWrite = undefined;
    host.etcd.put(KEY, "inbound: { timeout: 1s }");
  };
  const { code, err } = await put("better.yaml");
  assertEquals(code, 75);
  assertStringIncludes(err, "somebody else has changed it meanwhile; nothing was written");
  assertEquals(host.etcd.text(KEY), "inbound: { timeout: 1s }");
});

Deno.test("policy put waits for every instance and says who took it", async () => {
  const { host, put, says } = rig();
  says("orders-1", "none");
  says("orders-2", "none");
  const putting = put("good.yaml");
  await until(() => host.etcd.text(KEY) !== undefined);
  await host.clock.advance(1000);
  const { revision } = host.etcd;
  says("orders-1", revision);
  says("orders-2", `1+${revision}`);
  await host.clock.advance(200);
  const { code, out } = await putting;
  assertEquals(code, 0);
  assertMatch(out, /orders-1 {2}accepted\norders-2 {2}accepted\n2 of 2 instances accepted it\n$/);
});

Deno.test("policy put tells a refusal with its reason, and who does not answer", async () => {
  const { host, put, says } = rig();
  for (const id of ["orders-1", "orders-2", "orders-3"]) says(id, "none");
  const putting = put("good.yaml", "--wait", "3s");
  await until(() => host.etcd.text(KEY) !== undefined);
  await host.clock.advance(1000);
  const { revision } = host.etcd;
  says("orders-1", revision, "gone.proto: no such file\x1b[2J");
  says("orders-2", revision);
  await host.clock.advance(2500);
  const { code, out } = await putting;
  assertEquals(code, 65);
  assertStringIncludes(out, "orders-1  refused: gone.proto: no such file\\x1b[2J\n");
  assertStringIncludes(
    out,
    "orders-3  has not answered within 3 s\n1 of 3 instances accepted it\n",
  );
  assertStringIncludes(out, "undo: sidecar policy rollback orders\n");
});

Deno.test("policy put does not wait for instances that somebody else's change has reached meanwhile", async () => {
  const { host, put, says } = rig();
  says("orders-1", "none");
  const putting = put("good.yaml");
  await until(() => host.etcd.text(KEY) !== undefined);
  const newer = host.etcd.put(KEY, "inbound: { timeout: 1s }");
  says("orders-1", newer);
  await host.clock.advance(400);
  const { code, out } = await putting;
  assertEquals(code, 0);
  assertStringIncludes(
    out,
    `orders-1  has a newer one already, revision ${newer}\n0 of 1 instances`,
  );
});

Deno.test("policy put is not done while an instance does not answer", async () => {
  const { host, put, says } = rig();
  says("orders-1", "none");
  const putting = put("good.yaml");
  await until(() => host.etcd.text(KEY) !== undefined);
  await host.clock.advance(10_500);
  assertEquals((await putting).code, 69);
});

Deno.test("policy rollback puts an earlier document into force, and in the end none", async () => {
  const { host, policy, put } = rig();
  await put("good.yaml");
  assertEquals((await policy("rollback", "orders", "--yes")).code, 0);
  assertEquals(host.etcd.text(KEY), undefined);
  await put("better.yaml");
  const { code } = await policy("rollback", "orders", "2", "--yes");
  assertEquals([code, host.etcd.text(KEY)], [0, GOOD]);
  const history = JSON.parse((await policy("history", "orders", "--json")).out);
  assertEquals(
    history.map(({ message, text }: { message: string; text: string | null }) => [message, text]),
    [["", GOOD], ["rollback to nothing", null], ["", BETTER], ["rollback to 2", GOOD]],
  );
  const unknown = await policy("rollback", "orders", "77", "--yes");
  assertEquals([unknown.code, unknown.err], [
    66,
    "sidecar: orders: history does not have revision 77\n",
  ]);
  assertEquals((await policy("rollback", "nobody", "--yes")).code, 66);
});

Deno.test("policy history keeps the last hundred changes", async () => {
  const { host, put } = rig();
  for (let turn = 0; turn < 110; turn++) {
    host.stdin = `upstreams: { users: { timeout: ${turn + 1}ms } }\n`;
    await host.clock.advance(1);
    assertEquals((await put("-")).code, 0);
  }
  const keys = host.etcd.keys("/mesh/history/orders/");
  assertEquals(keys.length, 100);
  assertStringIncludes(host.etcd.text(keys.at(-1)!)!, "timeout: 110ms");
});

Deno.test("policy get and diff show an earlier revision", async () => {
  const { host, policy, put } = rig();
  await put("good.yaml");
  await host.clock.advance(1);
  await put("better.yaml");
  assertEquals((await policy("get", "orders", "--revision", "2")).out, GOOD);
  assertEquals(JSON.parse((await policy("get", "orders", "--json")).out), {
    service: "orders",
    revision: 3,
    text: BETTER,
  });
  assertEquals(await policy("diff", "orders", "better.yaml"), { code: 0, out: "", err: "" });
  const { code, out } = await policy("diff", "orders", "better.yaml", "--revision", "2");
  assertEquals([code, out], [
    1,
    "--- revision 2\n+++ better.yaml\n@@ -1,2 +1,2 @@\n upstreams:\n-  users: { timeout: 2s }\n" +
    "+  users: { timeout: 3s }\n",
  ]);
  assertEquals((await policy("get", "nobody")).code, 66);
  assertEquals((await policy("diff", "orders", "good.yaml", "--revision", "9")).code, 66);
});

Deno.test("policy status shows instances of one service or of all", async () => {
  const { host, policy, says } = rig();
  says("orders-1", "2+3", "bad");
  host.etcd.put(
    "/mesh/status/users/users-1",
    '{"revision":"none","accepted":true,"error":null,"since":"x"}',
  );
  host.etcd.put("/mesh/status/users/users-2", "rubbish");
  const { out } = await policy("status");
  assertMatch(
    out,
    /^SERVICE +INSTANCE +REVISION +STATE +SINCE\norders +orders-1 +2\+3 +refused +2026.* bad\nusers +users-1 +none +accepted +x\n$/,
  );
  const one = JSON.parse((await policy("status", "users", "--json")).out);
  assertEquals(one.map(({ id }: { id: string }) => id), ["users-1"]);
});

Deno.test("policy finds etcd by the bootstrap file, or by its options", async () => {
  const { host, policy } = rig();
  host.files.set("ca.pem", "CA");
  host.files.set(
    "sidecar.yaml",
    "service: { name: orders, app: { http: 127.0.0.1:8001 } }\nlisteners: { inbound: 127.0.0.1:1 }\n" +
      "registry: { files: {} }\npolicySource: { etcd: { endpoints: [https://e:2379], prefix: /shop, ca: ca.pem } }\n",
  );
  host.etcd.put("/shop/policy/orders", GOOD);
  assertEquals((await policy("get", "orders", "--config", "sidecar.yaml")).out, GOOD);
  host.variables.set("ETCD_PASSWORD", "s3cret");
  const options = ["--etcd", "http://a:1,http://b:2", "--prefix", "/shop", "--username", "mesh"];
  assertEquals((await policy("get", "orders", ...options)).out, GOOD);
  assertEquals((await policy("get", "orders")).code, 66);
  assertEquals(
    host.accesses.map(({ endpoints, username, password, tls }) => ({
      endpoints: endpoints.join(),
      username,
      password,
      tls,
    })),
    [
      { endpoints: "https://e:2379", username: undefined, password: undefined, tls: { ca: "CA" } },
      { endpoints: "http://a:1,http://b:2", username: "mesh", password: "s3cret", tls: {} },
      { endpoints: "http://127.0.0.1:2379", username: undefined, password: undefined, tls: {} },
    ],
  );
});

Deno.test("policy says what is wrong with its command line", async () => {
  const { host, policy } = rig();
  host.files.set(
    "plain.yaml",
    "service: { name: a, app: { http: 127.0.0.1:8001 } }\nlisteners: { inbound: 127.0.0.1:1 }\nregistry: { files: {} }\n",
  );
  const wrong: readonly (readonly [string[], string])[] = [
    [[], "missing action"],
    [["putt"], 'unknown action "putt"'],
    [["get"], "missing SERVICE"],
    [["get", "Orders"], "is no service name"],
    [["get", "a", "b"], 'unexpected argument "b"'],
    [["put", "a"], "missing FILE"],
    [["put", "a", "good.yaml", "--canary", "100%"], "expected a share such as 10%"],
    [["put", "a", "good.yaml", "--canary", "0%"], "expected a share such as 10%"],
    [["put", "a", "good.yaml", "--wait", "soon"], "--wait"],
    [["get", "a", "--revision", "x"], "is no revision"],
    [["get", "a", "--etcd", "localhost"], "--etcd"],
    [["get", "a", "--prefix", "mesh"], "--prefix"],
    [["get", "a", "--key", "k"], "go together"],
    [["get", "a", "--key", "k", "--certificate", "c"], "--certificate without --ca"],
    [["get", "a", "--config", "plain.yaml"], "has no policySource.etcd"],
    [["get", "a", "--config", "plain.yaml", "--prefix", "/x"], "--config and --prefix"],
  ];
  for (const [args, message] of wrong) {
    const { code, err } = await policy(...args);
    assertEquals(code, 64, args.join(" "));
    assertStringIncludes(err, message);
  }
  assertEquals((await policy("put", "a", "missing.yaml")).code, 66);
});

Deno.test("policy says that etcd is away", async () => {
  const { host, policy } = rig();
  host.etcd.isAway = true;
  assertEquals(await policy("get", "orders"), {
    code: 69,
    out: "",
    err: "sidecar: etcd: connection refused\n",
  });
});
