import { assertEquals, assertMatch } from "@std/assert";
import { FakeClock } from "../../../tests/support/fake_clock.ts";
import { MemoryFiles } from "../../../tests/support/memory_files.ts";
import { MemoryLog } from "../../../tests/support/memory_log.ts";
import { Seen } from "../../../tests/support/seen.ts";
import type { Policy } from "../../config/bootstrap.ts";
import { ConfigError } from "../../errors.ts";
import { systemClock } from "../../lib/clock.ts";
import { SILENT } from "../../telemetry/log.ts";
import { denoFilesIo } from "../files_io.ts";
import { FilePolicySource } from "./file.ts";
import type { PolicyListener } from "./source.ts";

const PATH = "/etc/mesh/policy.yaml";

/** Documents of these tests are `timeout N`; `bug` makes the parser itself fail. */
function parse(text: string, file: string): Policy {
  if (text === "bug") throw new TypeError("a bug of the parser");
  const timeoutMs = Number(/^timeout (\d+)$/.exec(text)?.[1] ?? NaN);
  if (!Number.isNaN(timeoutMs)) return { upstreams: new Map(), inbound: { timeoutMs } };
  const message = `expected "timeout N", not "${text}"`;
  throw new ConfigError([{ file, line: 1, column: 1, path: "", message }]);
}

/** Writes reports as words: the timeout of an accepted policy, `!` and the message of a problem. */
function recorder() {
  const seen = new Seen<string>();
  const revisions: string[] = [];
  const listener: PolicyListener = {
    update({ revision, policy }) {
      revisions.push(revision);
      seen.add(`timeout ${policy.inbound.timeoutMs}`);
    },
    problem({ revision, error }) {
      revisions.push(revision);
      seen.add(`! ${error.problems[0]?.message}`);
    },
  };
  return { seen, reports: seen.all, revisions, listener };
}

async function withSource(
  first: string | Uint8Array<ArrayBuffer> | null,
  body: (
    on: ReturnType<typeof recorder> & { clock: FakeClock; files: MemoryFiles },
  ) => Promise<void>,
): Promise<void> {
  const clock = new FakeClock();
  const files = new MemoryFiles(clock);
  const log = new MemoryLog();
  files.put("/etc/mesh/bootstrap.yaml", "");
  if (first !== null) files.put(PATH, first);
  const source = new FilePolicySource({
    path: PATH,
    parse: (text, file) => Promise.resolve().then(() => parse(text, file)),
    io: files.io(1),
    clock,
    log: log.logger,
  });
  const record = recorder();
  await source.start(record.listener);
  await body({ ...record, clock, files });
  await source.close();
  await source.close();
  assertEquals([clock.pending, files.watches], [0, 0]);
}

/** Hashing runs outside of the fake clock, so a later report is waited for. */
async function reportsOf(seen: Seen<string>, count: number): Promise<readonly string[]> {
  await seen.until(() => seen.all.length >= count);
  return seen.all;
}

Deno.test("FilePolicySource reports the file's policy before start resolves, under a hash of its text", async () => {
  await withSource("timeout 1", async ({ reports, revisions, clock }) => {
    assertEquals(reports, ["timeout 1"]);
    assertMatch(revisions[0] ?? "", /^[0-9a-f]{12}$/);
    await clock.advance(60_000);
    assertEquals(reports.length, 1);
  });
});

Deno.test("FilePolicySource takes an edit over when it has been quiet for 100 ms", async () => {
  await withSource("timeout 1", async ({ seen, reports, revisions, clock, files }) => {
    files.put(PATH, "timeout 2");
    await clock.advance(99);
    assertEquals(reports, ["timeout 1"]);
    await clock.advance(1);
    assertEquals(await reportsOf(seen, 2), ["timeout 1", "timeout 2"]);
    assertEquals(new Set(revisions).size, 2);
  });
});

Deno.test("FilePolicySource finds by polling an edit that no watcher told, even of equal size and time", async () => {
  await withSource("timeout 1", async ({ seen, clock, files }) => {
    files.isMute = true;
    files.put(PATH, "timeout 2");
    await clock.advance(1100);
    assertEquals(await reportsOf(seen, 2), ["timeout 1", "timeout 2"]);
  });
});

Deno.test("FilePolicySource never sees the empty file of an editor that truncates and then writes", async () => {
  await withSource("timeout 1", async ({ seen, clock, files }) => {
    for (const part of ["", "time", "timeout", "timeout 3"]) {
      files.put(PATH, part);
      await clock.advance(60);
    }
    await clock.advance(1000);
    assertEquals(await reportsOf(seen, 2), ["timeout 1", "timeout 3"]);
  });
});

Deno.test("FilePolicySource never misses the file while an editor replaces it", async () => {
  await withSource("timeout 1", async ({ seen, clock, files }) => {
    files.delete(PATH);
    await clock.advance(50);
    files.put(PATH, "timeout 4");
    await clock.advance(1000);
    assertEquals(await reportsOf(seen, 2), ["timeout 1", "timeout 4"]);
  });
});

Deno.test("FilePolicySource refuses a bad document once, keeps the last good and says when it is over", async () => {
  await withSource("timeout 1", async ({ seen, reports, revisions, clock, files }) => {
    files.put(PATH, "timeuot 2");
    await clock.advance(100);
    await reportsOf(seen, 2);
    await clock.advance(60_000);
    files.put(PATH, "timeout 1");
    await clock.advance(100);
    await reportsOf(seen, 3);
    const bad = '! expected "timeout N", not "timeuot 2"';
    assertEquals(reports, ["timeout 1", bad, "timeout 1"]);
    assertEquals(revisions[0], revisions[2]);
  });
});

Deno.test("FilePolicySource starts without its file, says so, and takes it when it appears", async () => {
  await withSource(null, async ({ seen, reports, revisions, clock, files }) => {
    assertEquals(reports, ["! there is no such file; the policy defaults apply"]);
    assertEquals(revisions, ["missing"]);
    await clock.advance(10_000);
    files.put(PATH, "timeout 5");
    await clock.advance(100);
    assertEquals((await reportsOf(seen, 2))[1], "timeout 5");
  });
});

Deno.test("FilePolicySource keeps the last good when the file disappears and names it", async () => {
  await withSource("timeout 1", async ({ seen, reports, revisions, clock, files }) => {
    files.delete(PATH);
    await clock.advance(10_000);
    assertEquals(reports[1], `! there is no such file; revision ${revisions[0]} stays in force`);
    assertEquals(reports.length, 2);
    files.put(PATH, "timeout 1");
    await clock.advance(100);
    assertEquals((await reportsOf(seen, 3))[2], "timeout 1");
  });
});

Deno.test("FilePolicySource reports a file that is unreadable, too large or not text as a problem", async () => {
  for (const content of [new Uint8Array([0xff]), new Uint8Array(1024 * 1024 + 1)]) {
    await withSource(content, ({ reports, revisions }) => {
      assertEquals(revisions, ["unreadable"]);
      assertMatch(reports[0] ?? "", /^! cannot be read: it is (not UTF-8|larger)/);
      return Promise.resolve();
    });
  }
  await withSource("timeout 1", async ({ reports, clock, files }) => {
    files.failures.set("read", new Error("permission denied"));
    await clock.advance(10_000);
    assertEquals(reports.length, 2);
    assertMatch(reports[1] ?? "", /^! cannot be read: permission denied; revision/);
  });
});

Deno.test("FilePolicySource survives a parser that throws something else", async () => {
  await withSource("bug", ({ reports }) => {
    assertEquals(reports, ["! a bug of the parser"]);
    return Promise.resolve();
  });
});

Deno.test("FilePolicySource on a real file follows replacing, truncating and removing", async () => {
  const directory = await Deno.makeTempDir();
  const path = `${directory}/policy.yaml`;
  await Deno.writeTextFile(path, "timeout 1");
  const seen = new Seen<string>();
  const source = new FilePolicySource({
    path,
    parse: (text, file) => Promise.resolve().then(() => parse(text, file)),
    io: denoFilesIo,
    clock: systemClock,
    log: SILENT,
  });
  await source.start({
    update: ({ policy }) => seen.add(`timeout ${policy.inbound.timeoutMs}`),
    problem: ({ revision }) => seen.add(revision),
  });
  await Deno.writeTextFile(`${directory}/new`, "timeout 2");
  await Deno.rename(`${directory}/new`, path);
  await seen.until((report) => report === "timeout 2");
  await Deno.writeTextFile(path, "");
  await Deno.writeTextFile(path, "timeout 3");
  await seen.until((report) => report === "timeout 3");
  await Deno.remove(path);
  await seen.until((report) => report === "missing");
  await source.close();
  assertEquals(seen.all, ["timeout 1", "timeout 2", "timeout 3", "missing"]);
  await Deno.remove(directory, { recursive: true });
});
