import { assert, assertEquals } from "@std/assert";
import * as fc from "fast-check";
import { Gcra } from "./gcra.ts";
import { TokenBucket } from "./token_bucket.ts";

function assertAlmostEquals(actual: number, expected: number, tolerance: number): void {
  assert(Math.abs(actual - expected) <= tolerance, `${actual}, expected ${expected}`);
}

/** 10 at once, 10 a second. */
const TEN = { tokensPerMs: 0.01, burst: 10 };

Deno.test("Gcra lets through a burst, and then one each interval", () => {
  const gcra = new Gcra();
  const takes = (nowMs: number) => {
    let count = 0;
    while (gcra.take(TEN, nowMs)) count++;
    return count;
  };
  assertEquals([takes(5000), takes(5099), takes(5100), takes(5350)], [10, 0, 1, 2]);
  assertEquals(gcra.remaining, 0);
  assertAlmostEquals(gcra.msUntilNext(TEN), 50, 0.001);
  assertAlmostEquals(gcra.msUntilFull(TEN), 950, 0.001);
});

Deno.test("Gcra takes what costs more only where there is room for all of it", () => {
  const gcra = new Gcra();
  assertEquals(gcra.take(TEN, 0, 7), true);
  assertEquals([gcra.take(TEN, 0, 4), gcra.remaining], [false, 3]);
  assertAlmostEquals(gcra.msUntilNext(TEN, 4), 100, 0.001);
  assertEquals(gcra.take(TEN, 100, 4), true);
  assertEquals(gcra.take(TEN, 1e9, 11), false, "more than it ever holds");
});

Deno.test("Gcra and TokenBucket decide alike, whatever comes", () => {
  const steps = fc.array(
    fc.record({ waitMs: fc.integer({ min: 0, max: 3000 }), cost: fc.integer({ min: 1, max: 6 }) }),
    { maxLength: 60 },
  );
  const measure = fc.record({
    tokensPerMs: fc.constantFrom(0.001, 0.01, 0.125, 1),
    burst: fc.integer({ min: 1, max: 20 }),
  });
  fc.assert(fc.property(measure, steps, (measure, steps) => {
    const gcra = new Gcra();
    const bucket = new TokenBucket(measure, 0);
    let now = 0;
    for (const { waitMs, cost } of steps) {
      now += waitMs;
      assertEquals(gcra.take(measure, now, cost), bucket.take(measure, now, cost));
      assertEquals(gcra.remaining, bucket.remaining);
      assertAlmostEquals(gcra.msUntilFull(measure), bucket.msUntilFull(measure), 0.01);
    }
  }));
});
