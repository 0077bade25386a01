import { assertEquals } from "@std/assert";
import { FakeClock } from "./fake_clock.ts";

Deno.test("FakeClock fires timers in order of time, then of age, each at its own time", async () => {
  const clock = new FakeClock(1000);
  const fired: string[] = [];
  clock.after(20, () => fired.push(`late@${clock.now()}`));
  clock.after(10, () => fired.push(`first@${clock.now()}`));
  clock.after(10, () => fired.push(`second@${clock.now()}`));
  await clock.advance(25);
  assertEquals(fired, ["first@10", "second@10", "late@20"]);
  assertEquals([clock.now(), clock.epoch(), clock.pending], [25, 1025, 0]);
});

Deno.test("FakeClock fires a timer that a promise set while it advanced", async () => {
  const clock = new FakeClock();
  const fired: number[] = [];
  clock.after(5, async () => {
    await Promise.resolve();
    clock.after(5, () => fired.push(clock.now()));
  });
  await clock.advance(10);
  assertEquals(fired, [10]);
});

Deno.test("FakeClock repeats until disposed and steps the wall clock alone", async () => {
  const clock = new FakeClock(0);
  const fired: number[] = [];
  const timer = clock.every(10, () => fired.push(clock.now()));
  await clock.advance(35);
  clock.stepEpoch(-5000);
  timer[Symbol.dispose]();
  await clock.advance(100);
  assertEquals(fired, [10, 20, 30]);
  assertEquals([clock.now(), clock.epoch()], [135, -4865]);
});
