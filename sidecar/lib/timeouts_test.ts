import { assertEquals, assertLess } from "@std/assert";
import { FakeClock } from "../../tests/support/fake_clock.ts";
import type { Clock } from "./clock.ts";
import { Timeouts } from "./timeouts.ts";

/** A clock that counts the timers set on it. */
function countingClock(clock: FakeClock): Clock & { readonly set: number } {
  let set = 0;
  return {
    get set() {
      return set;
    },
    now: () => clock.now(),
    epoch: () => clock.epoch(),
    every: (ms, callback) => clock.every(ms, callback),
    after: (ms, callback) => {
      set++;
      return clock.after(ms, callback);
    },
  };
}

Deno.test("Timeouts fires each timeout when its time has passed and not before", async () => {
  const clock = new FakeClock();
  const timeouts = new Timeouts(clock);
  const fired: string[] = [];
  timeouts.after(100, () => fired.push(`a at ${clock.now()}`));
  await clock.advance(40);
  timeouts.after(100, () => fired.push(`b at ${clock.now()}`));
  timeouts.after(20, () => fired.push(`c at ${clock.now()}`));
  await clock.advance(1000);
  assertEquals(fired, ["c at 60", "a at 100", "b at 140"]);
  assertEquals(clock.pending, 0);
});

Deno.test("Timeouts does not fire what was cleared, and a clear may come twice or too late", async () => {
  const clock = new FakeClock();
  const timeouts = new Timeouts(clock);
  let fired = 0;
  const early = timeouts.after(100, () => fired++);
  const late = timeouts.after(100, () => fired++);
  early.clear();
  early.clear();
  await clock.advance(100);
  assertEquals(fired, 1);
  late.clear();
  timeouts.after(100, () => fired++);
  await clock.advance(100);
  assertEquals(fired, 2, "clearing too late must not eat another one");
  assertEquals(clock.pending, 0);
});

Deno.test("Timeouts does not fire what is cleared by one that expires at the same moment", async () => {
  const clock = new FakeClock();
  const timeouts = new Timeouts(clock);
  const fired: string[] = [];
  timeouts.after(100, () => {
    fired.push("first");
    second.clear();
  });
  const second = timeouts.after(100, () => fired.push("second"));
  timeouts.after(100, () => fired.push("third"));
  await clock.advance(100);
  assertEquals(fired, ["first", "third"]);
  timeouts.after(100, () => fired.push("next"));
  await clock.advance(100);
  assertEquals(fired, ["first", "third", "next"]);
});

Deno.test("Timeouts takes a new timeout of the same duration from within one that fires", async () => {
  const clock = new FakeClock();
  const timeouts = new Timeouts(clock);
  const fired: number[] = [];
  const again = (): void => {
    fired.push(clock.now());
    if (fired.length < 3) timeouts.after(50, again);
  };
  timeouts.after(50, again);
  await clock.advance(500);
  assertEquals(fired, [50, 100, 150]);
  assertEquals(clock.pending, 0);
});

Deno.test("Timeouts waits with one timer for all timeouts of one duration", async () => {
  const clock = countingClock(new FakeClock());
  const timeouts = new Timeouts(clock);
  for (let i = 0; i < 10_000; i++) timeouts.after(100, () => {}).clear();
  assertEquals(clock.set, 1);
  await Promise.resolve();
});

Deno.test("Timeouts fires in order when a timer comes early, by waiting for the rest", async () => {
  const fake = new FakeClock();
  const early: Clock = {
    now: () => fake.now(),
    epoch: () => fake.epoch(),
    every: (ms, callback) => fake.every(ms, callback),
    after: (ms, callback) => fake.after(ms > 1 ? ms - 0.5 : ms, callback),
  };
  const fired: number[] = [];
  new Timeouts(early).after(100, () => fired.push(fake.now()));
  await fake.advance(99.9);
  assertEquals(fired, []);
  await fake.advance(5);
  assertEquals(fired.length, 1);
  assertEquals(fired[0]! >= 100, true);
});

Deno.test("Timeouts holds no more cleared entries than live ones, give or take a few", async () => {
  const clock = new FakeClock();
  const timeouts = new Timeouts(clock);
  const kept = Array.from({ length: 100 }, () => timeouts.after(1000, () => {}));
  let looked = 0;
  for (let i = 0; i < 10_000; i++) {
    const timeout = timeouts.after(1000, () => {});
    timeout.clear();
    // What is still held is looked at when the time is up.
    Object.defineProperty(timeout, "callback", { get: () => void looked++ });
  }
  looked = 0;
  await clock.advance(1000);
  assertLess(looked, kept.length + 64);
});

Deno.test("Timeouts keeps no timer once everything of a duration has fired, whatever the duration", async () => {
  const clock = new FakeClock();
  const timeouts = new Timeouts(clock);
  let fired = 0;
  for (let ms = 1; ms <= 500; ms++) timeouts.after(ms, () => fired++);
  await clock.advance(500);
  assertEquals(fired, 500);
  assertEquals(clock.pending, 0);
});

Deno.test("Timeouts.dispose forgets everything", async () => {
  const clock = new FakeClock();
  const timeouts = new Timeouts(clock);
  let fired = 0;
  const one = timeouts.after(100, () => fired++);
  timeouts.after(200, () => fired++);
  timeouts.dispose();
  one.clear();
  assertEquals(clock.pending, 0);
  await clock.advance(1000);
  assertEquals(fired, 0);
});
