import { assertEquals, assertStringIncludes } from "@std/assert";
import { runCli } from "./cli.ts";
import { FakeHost, FakeSidecar, settle } from "./fake_host.ts";
import { until } from "./test_policy.ts";

function rig() {
  const host = new FakeHost();
  const start = () => Promise.resolve(new FakeSidecar(host.events));
  const kv = async (...args: string[]) => {
    const code = await runCli(["kv", ...args], { host, start });
    const { stdout: out, stderr: err } = host;
    host.stdout = host.stderr = "";
    assertEquals(host.etcd.connections, 0);
    return { code, out, err };
  };
  return { host, kv };
}

Deno.test("kv sets, gets and deletes a key", async () => {
  const { host, kv } = rig();
  assertEquals(await kv("set", "/a", "1"), { code: 0, out: "2\n", err: "" });
  assertEquals(await kv("get", "/a"), { code: 0, out: "1\n", err: "" });
  host.stdin = "two\nlines";
  await kv("set", "/a", "-");
  assertEquals((await kv("get", "/a")).out, "two\nlines\n");
  assertEquals((await kv("delete", "/a")).code, 0);
  for (const action of ["get", "delete"]) {
    assertEquals(await kv(action, "/a"), {
      code: 66,
      out: "",
      err: "sidecar: /a: there is no such key\n",
    });
  }
});

Deno.test("kv set writes although others do, and gives up where they never stop", async () => {
  const { host, kv } = rig();
  let others = 3;
  host.etcd.beforeWrite = () => {
    if (others-- > 0) host.etcd.put("/a", "theirs");
  };
  assertEquals((await kv("set", "/a", "ours")).code, 0);
  assertEquals(host.etcd.text("/a"), "ours");
  host.etcd.beforeWrite = () => void host.etcd.put("/a", "theirs");
  assertEquals((await kv("set", "/a", "ours")).code, 75);
});

Deno.test("kv watch prints each value until it is interrupted, also past an etcd that was away", async () => {
  const { host, kv } = rig();
  const watching = kv("watch", "/a");
  await until(() => host.etcd.watches === 1);
  host.etcd.put("/a", "1");
  await settle();
  host.etcd.isAway = true;
  host.etcd.endWatches(new Error("gone"));
  await host.clock.advance(3000);
  host.etcd.put("/a", "2");
  host.etcd.isAway = false;
  await host.clock.advance(1000);
  host.etcd.put("/a", undefined);
  await settle();
  host.signal("SIGINT");
  const { code, out } = await watching;
  assertEquals(code, 0);
  assertEquals(out.trim().split("\n").map((line) => JSON.parse(line)), [
    { revision: 1, value: null },
    { revision: 2, value: "1" },
    { revision: 3, value: "2" },
    { revision: 4, value: null },
  ]);
  assertEquals([host.listenedTo, host.etcd.watches], [[], 0]);
});

Deno.test("kv says what is wrong, and that etcd is away", async () => {
  const { host, kv } = rig();
  for (const args of [[], ["gett", "/a"], ["get"], ["set", "/a"], ["get", "/a", "b"]]) {
    assertEquals((await kv(...args)).code, 64, args.join(" "));
  }
  host.etcd.isAway = true;
  const { code, err } = await kv("get", "/a");
  assertEquals(code, 69);
  assertStringIncludes(err, "etcd: connection refused");
});
