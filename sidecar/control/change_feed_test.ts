import { assertEquals } from "@std/assert";
import { FakeClock, settle } from "../../tests/support/fake_clock.ts";
import { MemoryFiles } from "../../tests/support/memory_files.ts";
import { MemoryLog } from "../../tests/support/memory_log.ts";
import { ChangeFeed } from "./change_feed.ts";
import type { FileChange } from "./files_io.ts";

const DIRECTORY = "/mesh";

function setUp() {
  const files = new MemoryFiles(new FakeClock());
  const log = new MemoryLog();
  const changes: FileChange[] = [];
  const feed = new ChangeFeed({
    directory: DIRECTORY,
    io: files.io(1),
    log: log.logger,
    onChange: (change) => changes.push(change),
  });
  files.put(`${DIRECTORY}/a`, "1");
  return { files, log, changes, feed };
}

Deno.test("ChangeFeed forwards changes between arm and close", async () => {
  const { files, changes, feed } = setUp();
  feed.arm();
  feed.arm();
  files.put(`${DIRECTORY}/a`, "2");
  files.delete(`${DIRECTORY}/a`);
  await feed.close();
  feed.arm();
  files.put(`${DIRECTORY}/a`, "3");
  assertEquals(changes, [{ kind: "changed", name: "a" }, { kind: "removed", name: "a" }]);
  assertEquals(files.watches, 0);
});

Deno.test("ChangeFeed says once that a directory cannot be watched, and recovers when asked again", async () => {
  const { files, log, feed } = setUp();
  files.failures.set("watch", new Error("too many watches"));
  for (let i = 0; i < 5; i++) feed.rearm();
  files.failures.clear();
  feed.arm();
  assertEquals(files.watches, 1);
  assertEquals(log.lines.map((line) => line.level), ["error", "info"]);
  await feed.close();
});

Deno.test("ChangeFeed survives a watcher that ends by itself and can be armed again", async () => {
  const { files, log, feed } = setUp();
  feed.arm();
  files.endWatches(new Error("the kernel gave up"));
  await settle();
  assertEquals(log.messages("error"), ["watching a directory failed, retrying"]);
  feed.arm();
  assertEquals(files.watches, 1);
  await feed.close();
});

Deno.test("ChangeFeed stops watching at the first tick after too many events, and not before", async () => {
  const { files, feed } = setUp();
  feed.arm();
  for (let i = 0; i < 500; i++) files.put(`${DIRECTORY}/a`, "2");
  feed.tick();
  assertEquals(files.watches, 1);
  for (let i = 0; i < 501; i++) files.put(`${DIRECTORY}/a`, "2");
  feed.tick();
  assertEquals(files.watches, 0);
  await feed.close();
});
