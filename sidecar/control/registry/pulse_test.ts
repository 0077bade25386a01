import { assertEquals } from "@std/assert";
import { Pulse } from "./pulse.ts";

const STALE_MS = 8000;

Deno.test("Pulse dies after staleMs of watched silence and not before", () => {
  const pulse = new Pulse(0);
  pulse.pass(7999);
  assertEquals(pulse.isAlive(STALE_MS), true);
  pulse.pass(1);
  assertEquals(pulse.isAlive(STALE_MS), false);
});

Deno.test("Pulse is dead at first sight of an old heartbeat, and lives from its first beat on", () => {
  const pulse = new Pulse(3_600_000);
  assertEquals(pulse.isAlive(STALE_MS), false);
  pulse.beat();
  assertEquals(pulse.isAlive(STALE_MS), true);
});

Deno.test("Pulse allows two seconds of skew and believes a heartbeat from the future", () => {
  const behind = new Pulse(9999);
  const ahead = new Pulse(-3_600_000);
  assertEquals([behind.isAlive(STALE_MS), ahead.isAlive(STALE_MS)], [true, true]);
  assertEquals(new Pulse(10_000).isAlive(STALE_MS), false);
});

Deno.test("Pulse counts what a heartbeat claimed at first sight as silence", () => {
  const pulse = new Pulse(7000);
  pulse.pass(2999);
  assertEquals(pulse.isAlive(STALE_MS), true);
  pulse.pass(1);
  assertEquals([pulse.isAlive(STALE_MS), pulse.silentMs], [false, 3000]);
});
