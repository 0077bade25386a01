// A mesh port that has run out of descriptors goes on accepting once there are some again.
import { assert, assertEquals } from "@std/assert";
import { join } from "node:path";
import { TestProcess } from "./support/processes.ts";
import { inTime, until } from "./support/until.ts";
import { Wire } from "./support/wire.ts";

const ROOT = new URL("../..", import.meta.url).pathname;
const MAX_DESCRIPTORS = 64;
/** It looks after itself every five seconds; many times that, for a busy machine. */
const PATIENCE_MS = 60_000;

Deno.test("a mesh port outlives a lack of descriptors", async () => {
  const main = join(ROOT, "tests/integration/support/mesh_port_main.ts");
  const limited = `ulimit -n ${MAX_DESCRIPTORS}; exec "$0" run --no-check --allow-all "$1"`;
  await using child = new TestProcess({
    command: "sh",
    args: ["-c", limited, Deno.execPath(), main],
    cwd: ROOT,
  });
  const says = (what: string, text: string) =>
    until(what, () => {
      if (child.hasExited) assert(false, `it ended: ${child.lines.join("\n")}`);
      return child.lines.find((line) => line.includes(text));
    }, PATIENCE_MS);
  const port = Number((await says("its port", "port ")).slice("port ".length));
  // The kernel takes them all in; the process has descriptors for a part of them.
  const crowd = await Promise.all(
    Array.from({ length: MAX_DESCRIPTORS * 2 }, () => Wire.dial(port)),
  );
  const answers = crowd.map(async (wire) => {
    await wire.write("hello").catch(() => {});
    return await wire.readBytes(5).then(() => true, () => false);
  });
  assert(await Promise.any(answers.map(orReject)), "one is answered");
  // It hears nothing, wants to know why, and has no descriptor left for that either.
  await says("the lack of descriptors", "EMFILE");
  for (const wire of crowd) wire.close();
  await Promise.all(answers);
  await says("the port opened anew", "had stopped accepting and was opened anew");
  await until("an answer", async () => {
    using wire = await Wire.dial(port);
    await wire.write("again");
    return new TextDecoder().decode(await inTime("an answer", wire.readBytes(5))) === "again";
  });
  assertEquals(child.hasExited, false);
});

async function orReject(answer: Promise<boolean>): Promise<true> {
  if (await answer) return true;
  throw new Error("no answer");
}
