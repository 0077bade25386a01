import { assertEquals } from "@std/assert";
import { FakeClock } from "../../../../tests/support/fake_clock.ts";
import { MemoryFiles } from "../../../../tests/support/memory_files.ts";
import { MemoryLog } from "../../../../tests/support/memory_log.ts";
import { endpointOf } from "../endpoints.ts";
import { EndpointCache } from "./endpoint_cache.ts";

const PATH = "cache/consul-a.json";
const DAY_MS = 24 * 3_600_000;

function rig() {
  const clock = new FakeClock();
  const files = new MemoryFiles(clock);
  const log = new MemoryLog();
  const open = () => new EndpointCache({ path: PATH, io: files.io(1), clock, log: log.logger });
  return { clock, files, log, open };
}

function endpoints(...ports: number[]) {
  return ports.map((port) =>
    endpointOf({ id: `a-${port}`, service: "a", host: "10.0.0.1", port, tags: ["t"], meta: {} })
  );
}

async function portsOf(cache: EndpointCache, service = "a") {
  return (await cache.recall(service))?.map(({ port }) => port);
}

Deno.test("EndpointCache remembers what was live across a restart, and how old it is", async () => {
  const { clock, open } = rig();
  const first = open();
  first.remember("a", endpoints(1, 2));
  await clock.advance(2000);
  await first.close();
  await clock.advance(60_000);
  const second = open();
  assertEquals(await portsOf(second), [1, 2]);
  assertEquals(second.ageMs("a"), 62_000);
  assertEquals(await portsOf(second, "b"), undefined);
  await second.close();
  assertEquals(clock.pending, 0);
});

Deno.test("EndpointCache writes a burst of changes once, and what is confirmed keeps its youth", async () => {
  const { clock, files, open } = rig();
  const cache = open();
  for (let port = 1; port <= 20; port++) cache.remember("a", endpoints(port));
  await clock.advance(1000);
  assertEquals(files.counts.get("write"), 1);
  for (let minute = 0; minute < 5; minute++) {
    cache.confirm();
    await clock.advance(60_000);
  }
  assertEquals(cache.ageMs("a") <= 60_000, true);
  await cache.close();
});

Deno.test("EndpointCache forgets after a day", async () => {
  const { clock, open } = rig();
  const first = open();
  first.remember("a", endpoints(1));
  await first.close();
  await clock.advance(DAY_MS + 1);
  assertEquals(await portsOf(open()), undefined);
});

Deno.test("EndpointCache does without a file that is broken, foreign or cannot be read, and says so", async () => {
  for (const text of ["{", "[]", '{"version":2,"services":{}}']) {
    const { files, log, open } = rig();
    files.put(PATH, text);
    assertEquals(await portsOf(open()), undefined, text);
    assertEquals(log.lines.map(({ message }) => message), [
      "the remembered endpoints cannot be used",
    ]);
  }
  const { files, open } = rig();
  const good = { id: "a-1", host: "10.0.0.1", port: 1, tags: [], meta: {} };
  files.put(
    PATH,
    JSON.stringify({
      version: 1,
      services: {
        a: { seenAt: Date.UTC(2026, 0, 1), endpoints: [good] },
        b: { seenAt: Date.UTC(2026, 0, 1), endpoints: [{ ...good, port: "1" }] },
      },
    }),
  );
  const cache = open();
  assertEquals([await portsOf(cache), await portsOf(cache, "b")], [[1], undefined]);
});

Deno.test("EndpointCache goes on when it cannot be written, and says so once", async () => {
  const { clock, files, log, open } = rig();
  files.failures.set("write", new Error("disk full"));
  const cache = open();
  for (let turn = 1; turn <= 3; turn++) {
    cache.remember("a", endpoints(turn));
    await clock.advance(1000);
  }
  assertEquals(log.lines.length, 1);
  assertEquals(await portsOf(cache), [3]);
  files.failures.clear();
  await cache.close();
});
