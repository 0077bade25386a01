import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import type { JournalEntry } from "../telemetry/journal.ts";
import { runCli } from "./cli.ts";
import { REASONS } from "./explain/reasons.ts";
import { FakeHost, FakeSidecar } from "./fake_host.ts";

const ENTRY: JournalEntry = {
  time: "2026-01-01T00:00:00.000Z",
  requestId: "r1",
  traceId: "0af7651916cd43dd8448eb211c80319c",
  listener: "edge",
  method: "GET",
  path: "/api/users/1",
  host: "shop.example",
  status: 502,
  durationMs: 3.2,
  client: "192.0.2.1",
  from: undefined,
  upstream: "user-service",
  endpoint: "10.0.0.1:80",
  attempts: 2,
  user: undefined,
  reason: "upstream-reset",
  detail: "closed before the head of a response",
  error: undefined,
};

async function explain(host: FakeHost, ...args: string[]) {
  const start = () => Promise.resolve(new FakeSidecar(host.events));
  const code = await runCli(["explain", ...args], { host, start });
  return { code, out: host.stdout, err: host.stderr };
}

function remembers(entries: readonly JournalEntry[], id = "r1"): FakeHost {
  const host = new FakeHost();
  host.admin.set(`GET http://127.0.0.1:15000/recent?id=${id}`, {
    status: 200,
    text: JSON.stringify(entries),
  });
  return host;
}

Deno.test("explain says what a reason means and what to do", async () => {
  const { code, out } = await explain(new FakeHost(), "breaker-open");
  assertEquals(code, 0);
  assertMatch(out, /^breaker-open: the circuit breaker is open.*\.\nWhat to do: .*\.\n$/);
  const { out: json } = await explain(new FakeHost(), "breaker-open", "--json");
  assertEquals(JSON.parse(json), { reason: "breaker-open", ...REASONS["breaker-open"] });
});

Deno.test("explain --list has every reason in one line", async () => {
  const { out } = await explain(new FakeHost(), "--list");
  assertEquals(out.trimEnd().split("\n").length, Object.keys(REASONS).length);
});

Deno.test("explain tells the story of a request that the sidecar remembers", async () => {
  const { code, out } = await explain(remembers([ENTRY]), "r1");
  assertEquals(code, 0);
  assertEquals(out.split("\n").slice(0, 4), [
    "GET /api/users/1 of shop.example came to the edge port from 192.0.2.1",
    "and was answered 502 after 3.2 ms, at 2026-01-01T00:00:00.000Z.",
    "It was for user-service: 2 attempts, 10.0.0.1:80 last.",
    "In detail: closed before the head of a response.",
  ]);
  assertStringIncludes(out, "upstream-reset: the upstream closed the connection");
  const { out: json } = await explain(remembers([ENTRY]), "r1", "--json");
  assertEquals(JSON.parse(json)[0].explanation, REASONS["upstream-reset"]);
});

Deno.test("explain of what an upstream answered itself points to its log and its trace", async () => {
  const { reason: _, detail: __, ...own } = ENTRY;
  const { out } = await explain(
    remembers([{ ...own, reason: undefined, detail: undefined }]),
    "r1",
  );
  assertStringIncludes(out, `the upstream's own: look at its log, or at trace ${ENTRY.traceId}.`);
});

Deno.test("explain shows nothing that a terminal would obey", async () => {
  const { out } = await explain(remembers([{ ...ENTRY, detail: "a\x1b[2Jb" }]), "r1");
  assertStringIncludes(out, "a\\x1b[2Jb");
});

Deno.test("explain says that it knows nothing, what was meant, and that nobody answers", async () => {
  const unknown = await explain(remembers([], "breaker-opn"), "breaker-opn");
  assertEquals(unknown.code, 66);
  assertStringIncludes(unknown.err, 'did you mean "breaker-open"?');
  assertEquals((await explain(new FakeHost(), "r1")).code, 69);
  assertEquals((await explain(new FakeHost())).code, 64);
  assertEquals((await explain(new FakeHost(), "a", "b")).code, 64);
  const host = new FakeHost();
  host.admin.set("GET http://127.0.0.1:15000/recent?id=r1", { status: 200, text: "<html>" });
  assertEquals((await explain(host, "r1")).code, 69);
});
