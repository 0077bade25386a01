import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { settle } from "./fake_host.ts";
import { BETTER, type Ended, GOOD, KEY, rig, until } from "./test_policy.ts";

/** Ten instances of which one has the trial; each second every instance reports what `rates` says. */
async function trial(
  rates: (passedS: number, isTried: boolean) => { requests: number; failures: number },
  options: readonly string[] = ["--canary", "10%", "--canary-for", "30s"],
  error: string | null = null,
): Promise<Ended & { readonly text: string | undefined; readonly seconds: number }> {
  const { host, put, says } = rig();
  host.etcd.put(KEY, GOOD);
  const ids = Array.from({ length: 10 }, (_, index) => `orders-${index}`);
  for (const id of ids) says(id, 2);
  let isOver = false;
  const putting = put("better.yaml", ...options).finally(() => isOver = true);
  await until(() => host.etcd.text("/mesh/canary/orders") !== undefined);
  let seconds = 0;
  for (; !isOver && seconds < 100; seconds++) {
    await settle();
    const canary = JSON.parse(host.etcd.text("/mesh/canary/orders") ?? "null");
    for (const id of ids) {
      const isTried = canary?.instances.includes(id) === true;
      const traffic = rates(seconds, isTried);
      const revision = isTried
        ? host.etcd.revisionOf("/mesh/canary/orders")
        : host.etcd.revisionOf(KEY);
      says(id, revision, isTried ? error : null, { traffic });
    }
    await host.clock.advance(1000);
  }
  const ended = await putting;
  assertEquals(host.etcd.text("/mesh/canary/orders"), undefined);
  assertEquals(host.listenedTo, []);
  return { ...ended, text: host.etcd.text(KEY), seconds };
}

Deno.test("policy put --canary promotes what does not fail more than elsewhere", async () => {
  const { code, out, text, seconds } = await trial((passed) => ({
    requests: passed * 100,
    failures: passed,
  }));
  assertEquals([code, text], [0, BETTER]);
  assertStringIncludes(out, "on trial at 1 of 10 instances: orders-0\n");
  assertMatch(out, /the trial went well: .* \(1\.0 %\) with it, .* \(1\.0 %\) without\n/);
  assertStringIncludes(out, "10 of 10 instances accepted it\n");
  assertEquals(seconds >= 30 && seconds < 40, true, `${seconds} s`);
});

Deno.test("policy put --canary takes back what fails more, at once", async () => {
  const { code, err, text, seconds } = await trial((passed, isTried) => ({
    requests: passed * 100,
    failures: isTried ? passed * 5 : passed,
  }));
  assertEquals([code, text], [65, GOOD]);
  assertMatch(err, /taken back, it fails: .* \(5\.0 %\) with it, .* \(1\.0 %\) without\n$/);
  assertEquals(seconds < 6, true, `${seconds} s`);
});

Deno.test("policy put --canary takes back what an instance refuses", async () => {
  const { code, err, text } = await trial(
    () => ({ requests: 0, failures: 0 }),
    undefined,
    "no such file",
  );
  assertEquals([code, text], [65, GOOD]);
  assertStringIncludes(err, "taken back, orders-0 refused it: no such file");
});

Deno.test("policy put --canary takes back what nothing can be said of", async () => {
  const { code, err, text } = await trial((passed) => ({
    requests: Math.ceil(passed / 10),
    failures: 0,
  }));
  assertEquals([code, text], [65, GOOD]);
  assertMatch(err, /too little to go by, \d requests where 20 are needed/);
});

Deno.test("policy put --canary wants somebody to compare with, and no other trial", async () => {
  const { host, put, says } = rig();
  says("orders-1", "none");
  const alone = await put("good.yaml", "--canary", "10%");
  assertEquals(alone.code, 64);
  assertStringIncludes(alone.err, "--canary compares instances, and of orders there is 1");
  says("orders-2", "none");
  host.etcd.put("/mesh/canary/orders", "{}");
  const second = await put("good.yaml", "--canary", "10%");
  assertEquals(second.code, 75);
  assertStringIncludes(second.err, "another policy of orders is on trial");
});

Deno.test("policy put --canary that is interrupted takes it back", async () => {
  const { host, put, says } = rig();
  for (const id of ["orders-1", "orders-2"]) says(id, "none");
  const putting = put("good.yaml", "--canary", "50%");
  await until(() => host.etcd.text("/mesh/canary/orders") !== undefined);
  await host.clock.advance(1500);
  assertEquals(host.etcd.text("/mesh/canary/orders") === undefined, false);
  host.signal("SIGINT");
  await host.clock.advance(1000);
  const { code, err } = await putting;
  assertEquals(code, 65);
  assertStringIncludes(err, "taken back, interrupted");
  assertEquals(host.etcd.text("/mesh/canary/orders"), undefined);
});
