import { assert, assertEquals, assertThrows } from "@std/assert";
import { Backoff } from "./backoff.ts";

Deno.test("Backoff grows threefold at most, up to maxMs and no further", () => {
  const backoff = new Backoff({ minMs: 100, maxMs: 2000, random: () => 1 });
  assertEquals(Array.from({ length: 5 }, () => backoff.next()), [300, 900, 2000, 2000, 2000]);
});

Deno.test("Backoff never waits less than minMs", () => {
  const backoff = new Backoff({ minMs: 100, maxMs: 2000, random: () => 0 });
  assertEquals([backoff.next(), backoff.next()], [100, 100]);
});

Deno.test("Backoff starts over after reset", () => {
  const backoff = new Backoff({ minMs: 10, maxMs: 1000, random: () => 0.999 });
  for (let i = 0; i < 8; i++) backoff.next();
  backoff.reset();
  assert(backoff.next() < 30);
});

Deno.test("Backoff spreads what failed together over the whole range", () => {
  const draws = [0, 0.25, 0.5, 0.75];
  const first = draws.map((draw) =>
    new Backoff({ minMs: 100, maxMs: 500, random: () => draw }).next()
  );
  assertEquals(first, [100, 150, 200, 250]);
});

Deno.test("Backoff refuses bounds that cannot hold", () => {
  for (const [minMs, maxMs] of [[0, 10], [10, 5], [-1, 5], [NaN, 5], [1, Infinity]] as const) {
    assertThrows(() => new Backoff({ minMs, maxMs, random: () => 0 }), RangeError);
  }
});
