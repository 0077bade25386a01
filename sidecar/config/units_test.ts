import { assertEquals } from "@std/assert";
import {
  MAX_TIMER_MS,
  type Parsed,
  parseDuration,
  parseDurationRange,
  parseRate,
  parseShare,
  parseSize,
} from "./units.ts";

function valueOf<T>(parsed: Parsed<T>): T | string {
  return parsed.ok ? parsed.value : parsed.problem;
}

const DURATION_EXPECTED = "expected a duration such as 250ms, 10s or 5m";
const SIZE_EXPECTED = "expected a size such as 512B, 64KiB or 1MiB";
const RATE_EXPECTED = "expected a rate such as 10/s, 100/m or 5/h";

Deno.test("parseDuration reads each unit as whole milliseconds", () => {
  const cases: [string, number][] = [
    ["0", 0],
    ["0s", 0],
    ["250ms", 250],
    ["10s", 10_000],
    ["1.5s", 1500],
    ["0.001s", 1],
    ["1.005s", 1005],
    ["5m", 300_000],
    ["24h", 86_400_000],
  ];
  for (const [text, ms] of cases) assertEquals(valueOf(parseDuration(text)), ms, text);
});

Deno.test("parseDuration says what it expected when the notation is not its own", () => {
  const bad = ["", "10", "s", "10 s", "-1s", "+1s", "1e3ms", ".5s", "1.s", "5min", "1h30m", "10S"];
  for (const text of bad) assertEquals(valueOf(parseDuration(text)), DURATION_EXPECTED, text);
});

Deno.test("parseDuration refuses fractions of a millisecond", () => {
  const expected = "finer than a millisecond, expected whole milliseconds";
  assertEquals(valueOf(parseDuration("0.5ms")), expected);
  assertEquals(valueOf(parseDuration("0.0001s")), expected);
});

Deno.test("parseDuration refuses what a timer cannot hold, unless told that no timer is involved", () => {
  assertEquals(valueOf(parseDuration(`${MAX_TIMER_MS}ms`)), MAX_TIMER_MS);
  assertEquals(
    valueOf(parseDuration(`${MAX_TIMER_MS + 1}ms`)),
    "too long, expected at most 596h",
  );
  const unbounded = { maxMs: Number.MAX_SAFE_INTEGER };
  assertEquals(valueOf(parseDuration("720h", unbounded)), 2_592_000_000);
});

Deno.test("parseDuration refuses zero where there is no none", () => {
  const expected = "zero is not possible here, expected a duration such as 250ms, 10s or 5m";
  assertEquals(valueOf(parseDuration("0", { positive: true })), expected);
  assertEquals(valueOf(parseDuration("0ms", { positive: true })), expected);
  assertEquals(valueOf(parseDuration("1ms", { positive: true })), 1);
});

Deno.test("parseSize reads bytes in powers of 1024", () => {
  assertEquals(valueOf(parseSize("512B")), 512);
  assertEquals(valueOf(parseSize("64KiB")), 65_536);
  assertEquals(valueOf(parseSize("1MiB")), 1_048_576);
  assertEquals(valueOf(parseSize("2GiB")), 2_147_483_648);
});

Deno.test("parseSize refuses zero, decimal units, fractions and absurd numbers", () => {
  for (const text of ["0B", "64", "64kb", "64KB", "1.5MiB", "-1B", "9".repeat(20) + "B", ""]) {
    assertEquals(valueOf(parseSize(text)), SIZE_EXPECTED, text);
  }
});

Deno.test("parseRate reads events per second, minute and hour", () => {
  assertEquals(valueOf(parseRate("10/s")), { count: 10, perMs: 1000 });
  assertEquals(valueOf(parseRate("100/m")), { count: 100, perMs: 60_000 });
  assertEquals(valueOf(parseRate("5/h")), { count: 5, perMs: 3_600_000 });
});

Deno.test("parseRate refuses zero and other notations", () => {
  for (const text of ["0/s", "10", "10/ms", "10 / s", "1.5/s", "10/sec", "9".repeat(20) + "/s"]) {
    assertEquals(valueOf(parseRate(text)), RATE_EXPECTED, text);
  }
});

Deno.test("parseDurationRange reads from one duration to another", () => {
  assertEquals(parseDurationRange("25ms..250ms"), { ok: true, value: { minMs: 25, maxMs: 250 } });
  assertEquals(parseDurationRange("1s..1s"), { ok: true, value: { minMs: 1000, maxMs: 1000 } });
  for (const text of ["", "25ms", "25ms..", "..1s", "2s..1s", "0..1s", "1s..2s..3s", "1s - 2s"]) {
    const problem = "expected a range of durations such as 25ms..250ms";
    assertEquals(parseDurationRange(text), { ok: false, problem }, text);
  }
});

Deno.test("parseShare reads per cent as a part of 1", () => {
  assertEquals(parseShare("20%"), { ok: true, value: 0.2 });
  assertEquals(parseShare("0%"), { ok: true, value: 0 });
  assertEquals(parseShare("12.5%"), { ok: true, value: 0.125 });
  for (const text of ["", "20", "101%", "-1%", "a%"]) {
    assertEquals(parseShare(text), {
      ok: false,
      problem: "expected a share such as 20%, at most 100%",
    });
  }
});
