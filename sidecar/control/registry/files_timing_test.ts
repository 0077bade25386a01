import { assertEquals, assertRejects } from "@std/assert";
import { FakeClock } from "../../../tests/support/fake_clock.ts";
import { MemoryFiles } from "../../../tests/support/memory_files.ts";
import { MemoryLog } from "../../../tests/support/memory_log.ts";
import { exampleInstance } from "../../../tests/support/registry_contract.ts";
import { Seen } from "../../../tests/support/seen.ts";
import type { Endpoint } from "../../snapshot/snapshot.ts";
import { FilesRegistry } from "./files.ts";

const DIRECTORY = "/mesh/registry";
const STALE_MS = 8000;
const POLL_MS = 900;
const USER = exampleInstance("user-service", 15106);
const USER_FILE = `${DIRECTORY}/user-service@user-service-10.0.0.1%3a15106.json`;

interface Mesh extends AsyncDisposable {
  readonly clock: FakeClock;
  readonly files: MemoryFiles;
  readonly log: MemoryLog;
  /** A process of its own on the shared directory. */
  open(): FilesRegistry;
}

function mesh(): Mesh {
  const clock = new FakeClock();
  const files = new MemoryFiles(clock);
  const log = new MemoryLog();
  const opened: FilesRegistry[] = [];
  return {
    clock,
    files,
    log,
    open() {
      const io = files.io(100 + opened.length);
      const nonce = `process-${opened.length}`;
      const registry = new FilesRegistry({
        directory: DIRECTORY,
        clock,
        io,
        log: log.logger,
        nonce,
      });
      opened.push(registry);
      return registry;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(opened.map((registry) => registry.close()));
      assertEquals([clock.pending, files.watches], [0, 0]);
    },
  };
}

function watch(registry: FilesRegistry, service = "user-service"): Seen<readonly Endpoint[]> {
  const seen = new Seen<readonly Endpoint[]>();
  registry.watch(service, seen.add);
  return seen;
}

function counts(seen: Seen<readonly Endpoint[]>): number[] {
  return seen.all.map((endpoints) => endpoints.length);
}

Deno.test("FilesRegistry drops an instance that was killed, within ten seconds of its last heartbeat", async () => {
  await using on = mesh();
  const killed = on.open();
  await killed.register(USER);
  const seen = watch(on.open());
  await on.clock.advance(3000);
  await killed.close();
  const lastHeartbeatMs = 2000;
  await on.clock.advance(lastHeartbeatMs + STALE_MS - 3000 - 1);
  assertEquals(counts(seen), [1]);
  await on.clock.advance(2 * POLL_MS);
  assertEquals(counts(seen), [1, 0]);
});

Deno.test("FilesRegistry reports one change for a living instance, however long it beats", async () => {
  await using on = mesh();
  await on.open().register(USER);
  const seen = watch(on.open());
  await on.clock.advance(300_000);
  assertEquals(counts(seen), [1]);
});

Deno.test("FilesRegistry keeps living instances when the wall clock steps either way", async () => {
  await using on = mesh();
  await on.open().register(USER);
  const seen = watch(on.open());
  await on.clock.advance(5000);
  on.clock.stepEpoch(3_600_000);
  await on.clock.advance(20_000);
  on.clock.stepEpoch(-7_200_000);
  await on.clock.advance(20_000);
  assertEquals(counts(seen), [1]);
});

Deno.test("FilesRegistry sees a newcomer by its file event, without waiting for a poll", async () => {
  await using on = mesh();
  const seen = watch(on.open());
  await on.clock.advance(0);
  const registration = await on.open().register(USER);
  await on.clock.advance(30);
  assertEquals(counts(seen), [0, 1]);
  await registration.deregister();
  await on.clock.advance(30);
  assertEquals(counts(seen), [0, 1, 0]);
});

Deno.test("FilesRegistry sees what comes and goes by polling where nothing can be watched", async () => {
  await using on = mesh();
  on.files.failures.set("watch", new Error("no inotify here"));
  const seen = watch(on.open());
  await on.clock.advance(0);
  const registration = await on.open().register(USER);
  await on.clock.advance(POLL_MS);
  await registration.deregister();
  await on.clock.advance(POLL_MS);
  assertEquals(counts(seen), [0, 1, 0]);
  await on.clock.advance(120_000);
  assertEquals(on.log.messages("error"), ["watching a directory failed, retrying"]);
});

Deno.test("FilesRegistry stops the watcher that drowns in events and tries a new one later", async () => {
  await using on = mesh();
  watch(on.open());
  await on.clock.advance(POLL_MS);
  assertEquals(on.files.watches, 1);
  for (let i = 0; i <= 500; i++) on.files.put(`${DIRECTORY}/.noise`, "x");
  await on.clock.advance(POLL_MS);
  assertEquals(on.files.watches, 0);
  await on.clock.advance(20_000);
  assertEquals(on.files.watches, 1);
});

Deno.test("FilesRegistry keeps the last answer while the directory cannot be read, however long", async () => {
  await using on = mesh();
  await on.open().register(USER);
  const seen = watch(on.open());
  await on.clock.advance(1000);
  on.files.failures.set("list", new Error("permission denied"));
  await on.clock.advance(60_000);
  const late = watch(on.open());
  await on.clock.advance(1000);
  assertEquals([counts(seen), counts(late)], [[1], []]);
  on.files.failures.clear();
  await on.clock.advance(3000);
  assertEquals([counts(seen), counts(late)], [[1], [1]]);
});

Deno.test("FilesRegistry keeps every instance when the directory is deleted and makes it again", async () => {
  await using on = mesh();
  await on.open().register(USER);
  const seen = watch(on.open());
  await on.clock.advance(1000);
  on.files.deleteDirectory(DIRECTORY);
  await on.clock.advance(60_000);
  assertEquals(counts(seen), [1]);
  assertEquals(on.files.names(DIRECTORY).length, 1);
  assertEquals(on.log.lines, []);
});

Deno.test("FilesRegistry drops a killed instance also when the directory was deleted meanwhile", async () => {
  await using on = mesh();
  const killed = on.open();
  await killed.register(USER);
  const seen = watch(on.open());
  await on.clock.advance(1000);
  await killed.close();
  on.files.deleteDirectory(DIRECTORY);
  await on.clock.advance(STALE_MS + 2 * POLL_MS);
  assertEquals(counts(seen), [1, 0]);
});

Deno.test("FilesRegistry removes the file of a dead instance after a minute, also of a service nobody watches", async () => {
  await using on = mesh();
  const killed = on.open();
  await killed.register(USER);
  await killed.close();
  on.files.put(`${DIRECTORY}/.user-service@x.json.0123abcd.tmp`, "{");
  await on.open().register(exampleInstance("order-service", 15206));
  await on.clock.advance(59_000);
  assertEquals(on.files.names(DIRECTORY).length, 3);
  await on.clock.advance(41_000);
  assertEquals(on.files.names(DIRECTORY), [
    "order-service@order-service-10.0.0.1%3a15206.json",
  ]);
});

Deno.test("FilesRegistry never removes a file that is not of its making", async () => {
  await using on = mesh();
  watch(on.open());
  on.files.put(`${DIRECTORY}/README`, "not ours");
  on.files.put(`${DIRECTORY}/user-service@x.json`, "{}");
  await on.clock.advance(300_000);
  assertEquals(on.files.names(DIRECTORY), ["README", "user-service@x.json"]);
});

Deno.test("FilesRegistry looks once for the watches of one moment and reads only what changed", async () => {
  await using on = mesh();
  await on.open().register(USER);
  const registry = on.open();
  for (let i = 0; i < 50; i++) watch(registry);
  await on.clock.advance(0);
  on.files.counts.clear();
  await on.clock.advance(1900);
  assertEquals([on.files.counts.get("list"), on.files.counts.get("read")], [2, undefined]);
  assertEquals(on.files.counts.get("write"), undefined);
});

Deno.test("FilesRegistry that only announces reads nothing but its own file", async () => {
  await using on = mesh();
  const io = on.open();
  await io.register(USER);
  on.files.counts.clear();
  await on.clock.advance(10_000);
  assertEquals([...on.files.counts], [["stat", 5], ["read", 5], ["write", 5]]);
});

Deno.test("FilesRegistry does nothing after close, and can still deregister", async () => {
  await using on = mesh();
  const registry = on.open();
  const registration = await registry.register(USER);
  await registry.close();
  watch(registry);
  await registry.register(exampleInstance("order-service", 15206));
  assertEquals(on.files.text(USER_FILE) === undefined, false);
  await registration.deregister();
  assertEquals(on.files.names(DIRECTORY), []);
});

Deno.test("FilesRegistry refuses an instance that does not fit in a file", async () => {
  await using on = mesh();
  const registry = on.open();
  await assertRejects(() => registry.register({ ...USER, id: "x".repeat(300) }), RangeError);
  const meta = { note: "x".repeat(70_000) };
  await assertRejects(() => registry.register({ ...USER, meta }), RangeError);
  assertEquals(on.files.names(DIRECTORY), []);
});

Deno.test("FilesRegistry moves an instance whose id is registered under another service", async () => {
  await using on = mesh();
  const registry = on.open();
  await registry.register(USER);
  await registry.register({ ...USER, service: "order-service" });
  const users = watch(registry);
  const orders = watch(registry, "order-service");
  await on.clock.advance(0);
  assertEquals([counts(users), counts(orders)], [[0], [1]]);
});
