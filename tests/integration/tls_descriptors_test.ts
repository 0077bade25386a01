// A mesh port that has run out of descriptors goes on accepting once there are some again.
import { assert, assertEquals } from "@std/assert";
import { join } from "node:path";
import { TestProcess } from "./support/processes.ts";
import { inTime, until } from "./support/until.ts";
import { Wire } from "./support/wire.ts";

const ROOT = new URL("../..", import.meta.url).pathname;
const MAX_DESCRIPTORS = 64;

Deno.test("a mesh port outlives a lack of descriptors", async () => {
  const main = join(ROOT, "tests/integration/support/mesh_port_main.ts");
  const limited = `ulimit -n ${MAX_DESCRIPTORS}; exec "$0" run --no-check --allow-all "$1"`;
  await using child = new TestProcess({
    command: "sh",
    args: ["-c", limited, Deno.execPath(), main],
    cwd: ROOT,
  });
  const port = Number(
    await until("its port", () => child.lines.find((line) => line.startsWith("port "))?.slice(5)),
  );
  // The kernel takes them all in; the process has descriptors for a part of them.
  const crowd = await Promise.all(
    Array.from({ length: MAX_DESCRIPTORS * 2 }, () => Wire.dial(port)),
  );
  const answers = crowd.map(async (wire) => {
    await wire.write("hello");
    return await wire.readBytes(5).then(() => true, () => false);
  });
  assert(await Promise.race(answers), "the first one is answered");
  for (const wire of crowd) wire.close();
  await Promise.all(answers);
  await until("an answer", async () => {
    using wire = await Wire.dial(port);
    await wire.write("again");
    const answer = await inTime("an answer", wire.readBytes(5), 1000);
    return new TextDecoder().decode(answer) === "again";
    // Seven seconds until it is noticed, and as long again for each try that finds no descriptor yet.
  }, 60_000);
  await until(
    "a word about it",
    () => child.lines.some((line) => line.includes("stopped accepting")),
  );
  assertEquals(child.hasExited, false);
});
