import { assertEquals, assertMatch } from "@std/assert";
import type { Clock } from "../lib/clock.ts";
import { LoopLag } from "./loop_lag.ts";
import { Metrics } from "./metrics.ts";

Deno.test("LoopLag shows the longest lateness since the last look, and stops", () => {
  let now = 0;
  let tick: () => void = () => {};
  let isRunning = true;
  const clock: Clock = {
    now: () => now,
    epoch: () => now,
    after: () => ({ [Symbol.dispose]: () => {} }),
    every: (_, callback) => {
      tick = callback;
      return { [Symbol.dispose]: () => void (isRunning = false) };
    },
  };
  const metrics = new Metrics();
  const lag = new LoopLag(metrics, clock);
  const shown = () => Number(/^mesh_event_loop_lag_seconds (.*)$/m.exec(metrics.render())?.[1]);
  for (const at of [100, 200, 450, 550]) {
    now = at;
    tick();
  }
  assertEquals([shown(), shown()], [0.15, 0]);
  lag[Symbol.dispose]();
  assertEquals(isRunning, false);
  assertMatch(metrics.render(), /# TYPE mesh_event_loop_lag_seconds gauge/);
});
