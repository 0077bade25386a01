import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { FakeClock } from "../../../tests/support/fake_clock.ts";
import { MemoryFiles } from "../../../tests/support/memory_files.ts";
import { MemoryLog } from "../../../tests/support/memory_log.ts";
import { exampleInstance } from "../../../tests/support/registry_contract.ts";
import { DirectoryView } from "./directory_view.ts";
import { fileNameOf, serialize } from "./instance_file.ts";

const DIRECTORY = "/mesh/registry";
const POLL_MS = 1000;
const STALE_MS = 8000;
const USER = new Set(["user-service"]);
const INSTANCE = exampleInstance("user-service", 15106);
const NAME = fileNameOf(INSTANCE.service, INSTANCE.id);
const PATH = `${DIRECTORY}/${NAME}`;

function setUp() {
  const clock = new FakeClock();
  const files = new MemoryFiles(clock);
  const log = new MemoryLog();
  const view = new DirectoryView({
    directory: DIRECTORY,
    io: files.io(1),
    clock,
    log: log.logger,
    staleMs: STALE_MS,
    pollMs: POLL_MS,
    heartbeatMs: 3 * POLL_MS,
  });
  let sequence = 0;
  const beat = (heartbeat = clock.epoch(), port = 15106) => {
    const instance = { ...INSTANCE, port };
    const beat = { pid: 1, nonce: "n", since: 1, heartbeat, sequence: sequence++ };
    files.put(PATH, serialize({ instance, ...beat }));
  };
  const ports = () => view.endpointsOf("user-service")?.map((endpoint) => endpoint.port);
  /** Polls for `ms` and tells the ports after each look. */
  const pollFor = async (ms: number) => {
    const seen = [];
    for (let passed = 0; passed < ms; passed += POLL_MS) {
      await clock.advance(POLL_MS);
      await view.look(USER);
      seen.push(ports()?.length ?? -1);
    }
    return seen;
  };
  return { clock, files, log, view, beat, ports, pollFor };
}

Deno.test("DirectoryView knows nothing before its first look and answers [] for an empty directory", async () => {
  const { view, ports } = setUp();
  assertEquals(ports(), undefined);
  assertEquals(await view.look(USER), "gone");
  assertEquals(ports(), []);
  assertEquals(await view.look(USER), "seen");
});

Deno.test("DirectoryView counts a file silent for staleMs as dead, and alive again at its next beat", async () => {
  const { view, beat, ports, pollFor } = setUp();
  beat();
  await view.look(USER);
  assertEquals(await pollFor(STALE_MS), [1, 1, 1, 1, 1, 1, 1, 0]);
  beat();
  await view.look(USER);
  assertEquals(ports(), [15106]);
});

Deno.test("DirectoryView does not show an old file at first sight, and no clock keeps it out once it beats", async () => {
  const { clock, view, beat, pollFor } = setUp();
  beat(clock.epoch() - 86_400_000);
  await view.look(USER);
  assertEquals(await pollFor(2000), [0, 0]);
  beat(clock.epoch() - 86_400_000);
  assertEquals(await pollFor(2000), [1, 1]);
});

Deno.test("DirectoryView does not take its own absence for the silence of others", async () => {
  const { clock, view, beat, ports } = setUp();
  beat();
  await view.look(USER);
  await clock.advance(3_600_000);
  await view.look(USER);
  assertEquals(ports(), [15106]);
});

Deno.test("DirectoryView answers with the same array until an endpoint really changes", async () => {
  const { clock, view, beat, ports } = setUp();
  beat();
  await view.look(USER);
  const before = view.endpointsOf("user-service");
  await clock.advance(POLL_MS);
  beat();
  await view.look(USER);
  assertStrictEquals(view.endpointsOf("user-service"), before);
  beat(clock.epoch(), 15999);
  view.touch(NAME);
  await view.look(USER);
  assertEquals(ports(), [15999]);
});

Deno.test("DirectoryView spares a living file until its next beat is near, unless it was touched", async () => {
  const { clock, files, view, beat, ports } = setUp();
  beat();
  await view.look(USER);
  beat(clock.epoch(), 15999);
  files.counts.clear();
  await clock.advance(POLL_MS);
  await view.look(USER);
  assertEquals([files.counts.get("stat"), ports()], [undefined, [15106]]);
  await clock.advance(POLL_MS);
  await view.look(USER);
  assertEquals([files.counts.get("stat"), ports()], [1, [15999]]);
});

Deno.test("DirectoryView warns once about each file it ignores, however often it looks", async () => {
  const { files, log, view, ports, pollFor } = setUp();
  files.put(`${DIRECTORY}/README`, "hello");
  files.put(`${DIRECTORY}/user-service@huge.json`, new Uint8Array(65 * 1024));
  files.put(`${DIRECTORY}/user-service@half.json`, '{"version":1,"inst');
  files.put(`${DIRECTORY}/user-service@other.json`, serializeForeign());
  files.put(`${DIRECTORY}/user-service@link.json`, "elsewhere", false);
  files.put(`${DIRECTORY}/.hidden`, "");
  files.put(`${DIRECTORY}/order-service@unwatched.json`, "garbage");
  await view.look(USER);
  await pollFor(20_000);
  files.put(`${DIRECTORY}/user-service@half.json`, '{"version":1,"instance"');
  await pollFor(2000);
  assertEquals(ports(), []);
  assertEquals(log.lines.map((line) => [line["file"], line["reason"]]).sort(), [
    ["README", "not a file of a registry"],
    ["user-service@half.json", "not JSON"],
    ["user-service@huge.json", "more than 65536 bytes"],
    ["user-service@link.json", "not a file of a registry"],
    ["user-service@other.json", "its name is that of another instance"],
  ]);
});

function serializeForeign(): string {
  return serialize({
    instance: INSTANCE,
    pid: 1,
    nonce: "n",
    since: 1,
    heartbeat: 1,
    sequence: 0,
  });
}

Deno.test("DirectoryView takes a good file that became garbage as silent, not as gone", async () => {
  const { files, view, beat, ports, pollFor } = setUp();
  beat();
  await view.look(USER);
  files.put(PATH, "");
  assertEquals(await pollFor(STALE_MS), [1, 1, 1, 1, 1, 1, 1, 0]);
  beat();
  await view.look(USER);
  assertEquals(ports(), [15106]);
});

Deno.test("DirectoryView keeps what it knows of a file that cannot be read", async () => {
  const { files, log, view, beat, pollFor } = setUp();
  beat();
  await view.look(USER);
  files.failures.set("stat", new Error("permission denied"));
  assertEquals(new Set(await pollFor(30_000)), new Set([1]));
  assertEquals(log.messages("warn").length, 1);
});

Deno.test("DirectoryView passes on what listing throws and keeps every answer", async () => {
  const { files, view, beat, ports } = setUp();
  beat();
  await view.look(USER);
  files.failures.set("list", new Error("input/output error"));
  await assertRejects(() => view.look(USER), Error, "input/output error");
  assertEquals(ports(), [15106]);
});

Deno.test("DirectoryView drops a removed file at the next look and a vanished directory's after staleMs", async () => {
  const { files, view, beat, ports, pollFor } = setUp();
  beat();
  await view.look(USER);
  files.deleteDirectory(DIRECTORY);
  assertEquals(await pollFor(STALE_MS), [1, 1, 1, 1, 1, 1, 1, 0]);
  beat();
  await view.look(USER);
  files.delete(PATH);
  await view.look(USER);
  assertEquals(ports(), []);
});

Deno.test("DirectoryView forgets a service that is no longer wanted", async () => {
  const { view, beat, ports } = setUp();
  beat();
  await view.look(USER);
  await view.look(new Set(["order-service"]));
  assertEquals([ports(), view.endpointsOf("order-service")], [undefined, []]);
});
