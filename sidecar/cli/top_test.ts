import { assertEquals, assertMatch } from "@std/assert";
import { runCli } from "./cli.ts";
import { FakeHost, FakeSidecar } from "./fake_host.ts";
import { countsOf, rowsOf } from "./top.ts";

function metrics(well: number, failed: number): string {
  const of = (status: number, reason: string, count: number) =>
    `mesh_requests_total{listener="edge",upstream="user-service",status="${status}",reason="${reason}"} ${count}\n`;
  const bucket = (le: string, count: number) =>
    `mesh_request_duration_seconds_bucket{listener="edge",upstream="user-service",le="${le}"} ${count}\n`;
  return "# HELP mesh_requests_total x\n" + of(200, "none", well) +
    of(503, "no-endpoints", failed) +
    of(404, "route-not-found", 0) + bucket("0.001", well) + bucket("0.1", well) +
    bucket("+Inf", well + failed) + 'other_metric{a="b"} 7\n';
}

Deno.test("rowsOf compares two looks at the metrics", () => {
  const rows = rowsOf(countsOf(metrics(100, 0)), countsOf(metrics(190, 10)), 2);
  assertEquals(rows, [{
    listener: "edge",
    upstream: "user-service",
    perSecond: 50,
    failed: 0.1,
    p50: 1,
    p99: Infinity,
  }]);
  assertEquals(rowsOf(new Map(), countsOf(metrics(4, 0)), 1)[0]?.perSecond, 4);
  assertEquals(rowsOf(countsOf(metrics(1, 0)), countsOf(metrics(1, 0)), 1)[0]?.p50, undefined);
});

Deno.test("top prints a table, once or as JSON", async () => {
  const host = new FakeHost();
  const url = "GET http://127.0.0.1:15000/metrics";
  host.admin.set(url, { status: 200, text: metrics(100, 0) });
  const start = () => Promise.resolve(new FakeSidecar(host.events));
  const once = async (...args: string[]) => {
    host.stdout = "";
    let isOver = false;
    const running = runCli(["top", "--once", ...args], { host, start }).finally(() =>
      isOver = true
    );
    while (!isOver) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      await host.clock.advance(1000);
    }
    assertEquals(await running, 0);
    return host.stdout;
  };
  assertMatch(
    await once(),
    /^PORT +SERVICE +REQ\/S +FAILED +P50 +P99\nedge +user-service +0\.0 +0\.0 % +- +-\n$/,
  );
  assertEquals(JSON.parse(await once("--json"))[0].listener, "edge");
  host.admin.clear();
  assertEquals(await runCli(["top"], { host, start }), 69);
  assertEquals(await runCli(["top", "--interval", "soon"], { host, start }), 64);
});
