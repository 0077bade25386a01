import { assertEquals } from "@std/assert";
import { FakeClock } from "../../../tests/support/fake_clock.ts";
import { MemoryFiles } from "../../../tests/support/memory_files.ts";
import { MemoryLog } from "../../../tests/support/memory_log.ts";
import { exampleInstance } from "../../../tests/support/registry_contract.ts";
import { HeldFile } from "./held_file.ts";

const DIRECTORY = "/mesh/registry";
const HEARTBEAT_MS = 2000;
const PATH = `${DIRECTORY}/user-service@user-service-10.0.0.1%3a15106.json`;

function setUp() {
  const clock = new FakeClock();
  const files = new MemoryFiles(clock);
  const log = new MemoryLog();
  const hold = (pid: number, nonce = `nonce-${pid}`, port = 15106) =>
    new HeldFile({ ...exampleInstance("user-service", 15106), port }, {
      directory: DIRECTORY,
      io: files.io(pid),
      clock,
      log: log.logger,
      heartbeatMs: HEARTBEAT_MS,
      staleMs: 8000,
      nonce,
    });
  const holder = () => JSON.parse(files.text(PATH) ?? '{"pid":null}').pid;
  return { clock, files, log, hold, holder };
}

Deno.test("HeldFile is rewritten at each heartbeat with a new time and sequence", async () => {
  const { clock, files, hold } = setUp();
  const held = hold(1);
  await held.start();
  const first = JSON.parse(files.text(PATH) ?? "");
  await clock.advance(HEARTBEAT_MS);
  const second = JSON.parse(files.text(PATH) ?? "");
  await held.stop();
  assertEquals([first.version, first.instance.port, first.pid, first.sequence], [1, 15106, 1, 0]);
  assertEquals([second.heartbeat - first.heartbeat, second.sequence], [HEARTBEAT_MS, 1]);
  assertEquals([second.since, clock.pending], [first.since, 0]);
});

Deno.test("HeldFile of two live processes with one id belongs to the newer, and both say so", async () => {
  const { clock, log, hold, holder } = setUp();
  const [older, newer] = [hold(1), hold(2, "nonce-2", 15999)];
  await older.start();
  await clock.advance(1000);
  await newer.start();
  await clock.advance(30_000);
  assertEquals(holder(), 2);
  assertEquals(log.messages("error"), [
    "this instance id is held by another live process and is taken over",
    "this instance id was taken over by a newer process",
  ]);
  assertEquals(log.lines.map(({ ours, theirs }) => [ours, theirs]), [
    ["pid 2 at 10.0.0.1:15999", "pid 1 at 10.0.0.1:15106"],
    ["pid 1 at 10.0.0.1:15106", "pid 2 at 10.0.0.1:15999"],
  ]);
  await Promise.all([older.stop(), newer.stop()]);
});

Deno.test("HeldFile belongs to the later start even when the wall clock went back between", async () => {
  const { clock, hold, holder } = setUp();
  const [older, newer] = [hold(1), hold(2)];
  await older.start();
  clock.stepEpoch(-60_000);
  await newer.start();
  await clock.advance(10_000);
  assertEquals(holder(), 2);
  await Promise.all([older.stop(), newer.stop()]);
});

Deno.test("HeldFile of two processes started in the same instant ends with one of them", async () => {
  const { clock, log, hold, holder } = setUp();
  const both = [hold(1, "b"), hold(2, "a")];
  await Promise.all(both.map((held) => held.start()));
  await clock.advance(2 * HEARTBEAT_MS);
  const winner = holder();
  await clock.advance(30_000);
  assertEquals([winner, holder()], [1, 1]);
  assertEquals(log.messages("error").length, 1);
  await Promise.all(both.map((held) => held.stop()));
});

Deno.test("HeldFile is taken back when the newer process deregisters", async () => {
  const { clock, hold, holder } = setUp();
  const [older, newer] = [hold(1), hold(2)];
  await older.start();
  await newer.start();
  await clock.advance(HEARTBEAT_MS);
  await newer.withdraw();
  await clock.advance(HEARTBEAT_MS);
  assertEquals(holder(), 1);
  await older.stop();
});

Deno.test("HeldFile is taken back when the newer process dies", async () => {
  const { clock, log, hold, holder } = setUp();
  const [older, newer] = [hold(1), hold(2)];
  await older.start();
  await newer.start();
  await clock.advance(HEARTBEAT_MS);
  await newer.stop();
  await clock.advance(6000);
  assertEquals(holder(), 2);
  await clock.advance(6000);
  assertEquals(holder(), 1);
  assertEquals(log.messages("info"), ["this instance id is ours again"]);
  await older.stop();
});

Deno.test("HeldFile takes over the file of a dead process without a complaint", async () => {
  const { clock, log, hold, holder } = setUp();
  const dead = hold(1);
  await dead.start();
  await dead.stop();
  await clock.advance(15_000);
  const held = hold(2);
  await held.start();
  assertEquals([holder(), log.lines], [2, []]);
  await held.stop();
});

Deno.test("HeldFile withdraws only what is still its own", async () => {
  const { hold, holder } = setUp();
  const [older, newer] = [hold(1), hold(2)];
  await older.start();
  await newer.start();
  await older.withdraw();
  assertEquals(holder(), 2);
  await newer.withdraw();
  await newer.withdraw();
  assertEquals(holder(), null);
});

Deno.test("HeldFile says once that the disk is full and once that it works again", async () => {
  const { clock, files, log, hold, holder } = setUp();
  files.failures.set("write", new Error("no space left on device"));
  const held = hold(1);
  await held.start();
  await clock.advance(20_000);
  assertEquals([holder(), log.lines.length], [null, 1]);
  files.failures.clear();
  await clock.advance(HEARTBEAT_MS);
  assertEquals(holder(), 1);
  assertEquals(log.lines.map((line) => line.message), [
    "writing to the registry directory failed, retrying",
    "writing to the registry directory works again",
  ]);
  await held.stop();
});

Deno.test("HeldFile overwrites garbage in its place and survives a removal that fails", async () => {
  const { files, log, hold, holder } = setUp();
  files.put(PATH, "{ half a docu");
  const held = hold(1);
  await held.start();
  assertEquals(holder(), 1);
  files.failures.set("remove", new Error("read-only file system"));
  await held.withdraw();
  assertEquals(log.messages("error"), ["an instance could not be taken out of the registry"]);
});
