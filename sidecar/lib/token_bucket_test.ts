import { assertEquals, assertGreaterOrEqual, assertLess, assertLessOrEqual } from "@std/assert";
import * as fc from "fast-check";
import { type BucketMeasure, TokenBucket } from "./token_bucket.ts";

/** The seed's: 10 at once, 10 a second. */
const TEN: BucketMeasure = { tokensPerMs: 0.01, burst: 10 };

function takeAll(bucket: TokenBucket, measure: BucketMeasure, nowMs: number): number {
  let taken = 0;
  while (bucket.take(measure, nowMs)) taken++;
  return taken;
}

Deno.test("TokenBucket starts full and refuses the eleventh of ten", () => {
  const bucket = new TokenBucket(TEN, 0);
  assertEquals(takeAll(bucket, TEN, 0), 10);
  assertEquals(bucket.take(TEN, 0), false);
  assertEquals(bucket.remaining, 0);
});

Deno.test("TokenBucket gives one more each time a token has dripped in", () => {
  const bucket = new TokenBucket(TEN, 0);
  takeAll(bucket, TEN, 0);
  assertEquals(bucket.take(TEN, 99), false);
  assertEquals(bucket.take(TEN, 100), true);
  assertEquals(bucket.take(TEN, 100), false);
  assertEquals(takeAll(bucket, TEN, 350), 2, "a refused try costs nothing");
});

Deno.test("TokenBucket never holds more than its burst, however long nobody came", () => {
  const bucket = new TokenBucket(TEN, 0);
  takeAll(bucket, TEN, 0);
  assertEquals(takeAll(bucket, TEN, 1e12), 10);
});

Deno.test("TokenBucket takes a smaller measure at once and a larger one as it drips", () => {
  const bucket = new TokenBucket(TEN, 0);
  assertEquals(takeAll(bucket, { tokensPerMs: 0.01, burst: 3 }, 0), 3);
  assertEquals(takeAll(bucket, { tokensPerMs: 1, burst: 20 }, 20), 20);
});

Deno.test("TokenBucket lets no time drip twice when takes come out of order", () => {
  const bucket = new TokenBucket(TEN, 0);
  takeAll(bucket, TEN, 0);
  assertEquals(takeAll(bucket, TEN, 500), 5);
  assertEquals(bucket.take(TEN, 0), false);
  assertEquals(takeAll(bucket, TEN, 500), 0, "the half second was given out already");
  assertEquals(takeAll(bucket, TEN, 600), 1);
});

Deno.test("TokenBucket says when there is a token again and when it is full", () => {
  const bucket = new TokenBucket(TEN, 0);
  bucket.take(TEN, 0);
  assertEquals(bucket.remaining, 9);
  assertEquals(bucket.msUntilNext(TEN), 0);
  assertEquals(bucket.msUntilFull(TEN), 100);
  takeAll(bucket, TEN, 0);
  assertEquals(bucket.msUntilNext(TEN), 100);
  assertEquals(bucket.msUntilFull(TEN), 1000);
  assertEquals(bucket.take(TEN, 30), false);
  assertEquals(Math.round(bucket.msUntilNext(TEN)), 70);
});

Deno.test("TokenBucket never gives more than burst plus rate times time, whatever the order", () => {
  const steps = fc.array(fc.integer({ min: -200, max: 500 }), { maxLength: 200 });
  fc.assert(fc.property(steps, (deltas) => {
    const bucket = new TokenBucket(TEN, 0);
    let now = 0, latest = 0, taken = 0;
    for (const delta of deltas) {
      now = Math.max(0, now + delta);
      latest = Math.max(latest, now);
      if (bucket.take(TEN, now)) taken++;
      assertGreaterOrEqual(bucket.remaining, 0);
    }
    assertLessOrEqual(taken, 10 + latest * 0.01 + 1e-6);
  }));
});

Deno.test("TokenBucket refuses nobody for what adding fractions loses", () => {
  const fivePerMinute = { tokensPerMs: 5 / 60_000, burst: 1 };
  for (let start = 0; start < 50; start++) {
    const bucket = new TokenBucket(fivePerMinute, 0);
    for (let i = 0; i < 20; i++) {
      assertEquals(
        bucket.take(fivePerMinute, start + i * 12_000),
        true,
        `the ${i}th from ${start}`,
      );
      bucket.take(fivePerMinute, start + i * 12_000 + 5000);
    }
  }
});

Deno.test("TokenBucket admits a caller that keeps to the rate, and the wait that it names suffices", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1000 }),
      fc.constantFrom(1000, 60_000, 3_600_000),
      (count, perMs) => {
        const measure = { tokensPerMs: count / perMs, burst: 1 };
        const bucket = new TokenBucket(measure, 0);
        let now = 0;
        for (let i = 0; i < 20; i++) {
          if (!bucket.take(measure, now)) {
            const waitMs = bucket.msUntilNext(measure);
            assertLess(waitMs, perMs / count + 1);
            now += Math.ceil(waitMs);
            assertEquals(bucket.take(measure, now), true, `${count} per ${perMs} at ${now}`);
          }
        }
      },
    ),
  );
});
