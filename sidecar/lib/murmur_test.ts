import { assert, assertEquals } from "@std/assert";
import { mix, murmur32 } from "./murmur.ts";

Deno.test("murmur32 is MurmurHash3 x86_32 of the UTF-16 code units", () => {
  // Of the empty text and seeds, as in the algorithm's published test values.
  assertEquals(murmur32(""), 0);
  assertEquals(murmur32("", 1), 0x514e28b7);
  assertEquals(murmur32("", 0xffffffff), 0x81f16f39);
  // The two bytes of "a" in UTF-16 are 61 00; four bytes are 61 00 62 00.
  assertEquals(murmur32("a") === murmur32("b"), false);
  assertEquals(murmur32("ab"), murmur32("ab"));
});

Deno.test("murmur32 spreads keys that differ little evenly over every bit", () => {
  const ones = new Array<number>(32).fill(0);
  for (let i = 0; i < 10_000; i++) {
    const hash = murmur32(`user-${i}`);
    assert(hash >= 0 && hash <= 0xffffffff);
    for (let bit = 0; bit < 32; bit++) ones[bit]! += (hash >>> bit) & 1;
  }
  // 10,000 tosses of a coin: six standard deviations are 300.
  for (const count of ones) assert(Math.abs(count - 5000) < 300, `${count}`);
});

Deno.test("mix takes no two numbers to one", () => {
  const seen = new Set<number>();
  for (let i = 0; i < 10_000; i++) seen.add(mix(i));
  assertEquals(seen.size, 10_000);
});
