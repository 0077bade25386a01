import { assertEquals } from "@std/assert";
import { FakeClock } from "../../../tests/support/fake_clock.ts";
import { MemoryFiles } from "../../../tests/support/memory_files.ts";
import { MemoryLog } from "../../../tests/support/memory_log.ts";
import { LastGood } from "./last_good.ts";

const PATH = "/cache/policy.json";

function rig() {
  const files = new MemoryFiles(new FakeClock());
  const log = new MemoryLog();
  return { files, log, lastGood: new LastGood(PATH, files.io(1), log.logger) };
}

Deno.test("LastGood recalls what it remembered, absent documents included", async () => {
  const { lastGood, log } = rig();
  for (
    const documents of [
      { revision: "3+7", base: "a: 1", own: "b: 2" },
      { revision: "none", base: undefined, own: undefined },
    ]
  ) {
    await lastGood.remember(documents);
    assertEquals(await lastGood.recall(), documents);
  }
  assertEquals(log.lines, []);
});

Deno.test("LastGood without a file recalls nothing, and does not complain", async () => {
  const { lastGood, log } = rig();
  assertEquals(await lastGood.recall(), undefined);
  assertEquals(log.lines, []);
});

Deno.test("LastGood recalls nothing from a file that is not its own, and says so", async () => {
  const contents = [
    "",
    "null",
    '{"version":2,"revision":"1"}',
    '{"version":1,"revision":1}',
    '{"version":1,"revision":"1","own":[]}',
    " ".repeat(4 * 1024 * 1024 + 1),
  ];
  for (const content of contents) {
    const { files, lastGood, log } = rig();
    files.put(PATH, content);
    assertEquals(await lastGood.recall(), undefined);
    assertEquals(log.messages("warn"), ["the remembered policy cannot be used"]);
  }
});

Deno.test("LastGood says once that it cannot write, and once that it can again", async () => {
  const { files, lastGood, log } = rig();
  const documents = { revision: "1", base: undefined, own: "a: 1" };
  files.failures.set("write", new Error("read-only file system"));
  await lastGood.remember(documents);
  await lastGood.remember(documents);
  files.failures.clear();
  await lastGood.remember(documents);
  assertEquals(log.lines.map(({ message }) => message), [
    "writing the policy in force to disk failed, retrying",
    "writing the policy in force to disk works again",
  ]);
  assertEquals((await lastGood.recall())?.revision, "1");
});
