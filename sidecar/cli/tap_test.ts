import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { runCli } from "./cli.ts";
import { FakeHost, FakeSidecar } from "./fake_host.ts";
import { until } from "./test_policy.ts";

const ENTRY = {
  time: "2026-01-01T10:20:30.456Z",
  requestId: "r1",
  listener: "edge",
  method: "GET",
  path: "/api/users/1",
  status: 503,
  durationMs: 1.25,
  upstream: "user-service",
  reason: "no-endpoints",
};
const LINE = `data: ${JSON.stringify(ENTRY)}`;
const URL = "http://127.0.0.1:15000/tap";

function begin(host: FakeHost, ...args: string[]): Promise<number> {
  const start = () => Promise.resolve(new FakeSidecar(host.events));
  return runCli(["tap", ...args], { host, start });
}

Deno.test("tap prints requests until it is interrupted", async () => {
  const host = new FakeHost();
  host.pages.set(URL, [": tapping", "", LINE, "", ": still here", "", LINE, ""]);
  host.hangs = true;
  const tapping = begin(host);
  await until(() => host.stdout.split("\n").length === 3);
  host.signal("SIGINT");
  assertEquals(await tapping, 0);
  assertMatch(
    host.stdout.split("\n")[0]!,
    /^10:20:30\.456 {2}503 {2} +1\.3 ms {2}edge {6}GET \/api\/users\/1 {2}> user-service {2}\(no-endpoints\)$/,
  );
  assertEquals(host.listenedTo, []);
});

Deno.test("tap asks for what its filters say, ends after a count, and prints JSON", async () => {
  const host = new FakeHost();
  host.pages.set(`${URL}?upstream=user-service&status=5xx&path=%2Fapi`, [LINE, LINE, LINE]);
  const filters = ["--upstream", "user-service", "--status", "5xx", "--path", "/api"];
  assertEquals(await begin(host, ...filters, "--count", "2", "--json"), 0);
  assertEquals(host.stdout.trimEnd().split("\n").map((line) => JSON.parse(line)), [ENTRY, ENTRY]);
});

Deno.test("tap says what was left out, that the sidecar has ended, and that nobody is there", async () => {
  const host = new FakeHost();
  host.pages.set(URL, ["event: left-out", "data: 17", "", LINE]);
  assertEquals(await begin(host), 69);
  assertEquals(host.stderr, "sidecar: 17 requests were left out\nsidecar: the sidecar has ended\n");
  const nobody = new FakeHost();
  assertEquals(await begin(nobody), 69);
  assertStringIncludes(nobody.stderr, "connection refused");
  assertEquals(await begin(new FakeHost(), "--count", "x"), 64);
});
