import { assertEquals } from "@std/assert";
import { settle } from "../../tests/support/fake_clock.ts";
import { LatestRun } from "./latest_run.ts";

/** A job that ends when told to. */
function gated() {
  const gates: (() => void)[] = [];
  let running = 0;
  let most = 0;
  const job = async () => {
    most = Math.max(most, ++running);
    await new Promise<void>((resolve) => gates.push(resolve));
    running--;
  };
  return { job, gates, most: () => most };
}

Deno.test("LatestRun makes one more run of all calls that come during one, never two at once", async () => {
  const { job, gates, most } = gated();
  const runs = new LatestRun(job);
  const first = runs.run();
  const atHandover = first.then(() => runs.run());
  const more = [runs.run(), runs.run(), runs.run()];
  gates[0]?.();
  await settle();
  gates[1]?.();
  await Promise.all([...more, atHandover]);
  assertEquals([gates.length, most()], [2, 1]);
});

Deno.test("LatestRun is idle when neither a run nor a waiting one is left", async () => {
  const { job, gates } = gated();
  const runs = new LatestRun(job);
  await runs.idle();
  void runs.run();
  void runs.run().then(() => order.push("second run"));
  const order: string[] = [];
  const idle = runs.idle().then(() => order.push("idle"));
  gates[0]?.();
  await settle();
  gates[1]?.();
  await idle;
  assertEquals(order, ["second run", "idle"]);
});
