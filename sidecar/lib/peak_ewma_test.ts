import { assert, assertEquals } from "@std/assert";
import { PeakEwma } from "./peak_ewma.ts";

Deno.test("PeakEwma believes a peak at once and forgets it by and by", () => {
  const latency = new PeakEwma();
  assertEquals(latency.at(0), 0);
  latency.observe(10, 0);
  latency.observe(500, 1);
  assertEquals(latency.at(1), 500);
  latency.observe(10, 2);
  assert(latency.at(2) > 490);
  assert(Math.abs(latency.at(10_002) - latency.at(2) / Math.E) < 0.01);
});

Deno.test("PeakEwma comes down to what is observed for long enough", () => {
  const latency = new PeakEwma();
  latency.observe(1000, 0);
  for (let now = 0; now < 60_000; now += 100) latency.observe(20, now);
  assert(Math.abs(latency.at(60_000) - 20) < 5, `${latency.at(60_000)}`);
});
