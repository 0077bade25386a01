import { assertEquals } from "@std/assert";
import { FakeClock } from "../../tests/support/fake_clock.ts";
import type { OutlierSettings } from "../snapshot/resilience_settings.ts";
import { EndpointState } from "./endpoint_state.ts";
import { OutlierDetector } from "./outlier.ts";

const SETTINGS: OutlierSettings = {
  consecutiveErrors: 3,
  baseEjectionMs: 1000,
  maxEjectionMs: 5000,
  maxShare: 0.5,
  intervalMs: 10_000,
};

function rig(count: number, settings: Partial<OutlierSettings> = {}) {
  const clock = new FakeClock();
  const endpoints = Array.from({ length: count }, (_, i) => new EndpointState(`e${i}`, clock));
  const events: string[] = [];
  const detector = new OutlierDetector<EndpointState>({
    settings: { ...SETTINGS, ...settings },
    clock,
    endpoints: () => endpoints,
    onEjection: ({ address }, reason, isHeld, ms) =>
      events.push(`${address} ${reason}${isHeld ? " held" : ` ${ms}`}`),
  });
  const fail = (index: number, times = 3) => {
    for (let i = 0; i < times; i++) detector.observe(endpoints[index]!, true, 10);
  };
  const out = () => endpoints.filter((each) => !each.isAvailable).map(({ address }) => address);
  return { clock, endpoints, events, detector, fail, out };
}

Deno.test("an endpoint is out after so many errors in a row, and in again in time", async () => {
  const { clock, endpoints, detector, fail, out } = rig(4);
  fail(0, 2);
  detector.observe(endpoints[0]!, false, 1);
  fail(0, 2);
  assertEquals(out(), []);
  fail(0, 1);
  assertEquals(out(), ["e0"]);
  await clock.advance(999);
  assertEquals(out(), ["e0"]);
  await clock.advance(1);
  assertEquals(out(), []);
  detector[Symbol.dispose]();
  assertEquals(clock.pending, 0);
});

Deno.test("who is ejected again stays out for longer, up to the most, and quiet times are forgiven", async () => {
  const { clock, events, detector, fail } = rig(4);
  for (let i = 0; i < 7; i++) {
    fail(0);
    await clock.advance(i < 5 ? (i + 1) * 1000 : 5000);
  }
  assertEquals(
    events.map((event) => Number(event.split(" ").at(-1))),
    [1000, 2000, 3000, 4000, 5000, 5000, 5000],
  );
  await clock.advance(100_000);
  fail(0);
  assertEquals(events.at(-1), "e0 consecutive-errors 1000");
  detector[Symbol.dispose]();
});

Deno.test("never more than a share is out, one always stays, and of one nobody is ejected", () => {
  const four = rig(4);
  for (let i = 0; i < 4; i++) four.fail(i);
  assertEquals(four.out(), ["e0", "e1"]);
  assertEquals(four.events.slice(2), ["e2 consecutive-errors held", "e3 consecutive-errors held"]);
  const all = rig(3, { maxShare: 1 });
  for (let i = 0; i < 3; i++) all.fail(i);
  assertEquals(all.out(), ["e0", "e1"]);
  const two = rig(2, { maxShare: 0.1 });
  two.fail(1);
  assertEquals(two.out(), ["e1"], "at least one may go");
  const one = rig(1);
  one.fail(0);
  assertEquals(one.out(), []);
  for (const { detector } of [four, all, two, one]) detector[Symbol.dispose]();
});

Deno.test("who succeeds less than the others is out at the next comparison", async () => {
  const { clock, endpoints, detector, out } = rig(6, {
    consecutiveErrors: 0,
    successRate: { deviations: 1.9, minRequests: 50 },
  });
  for (let i = 0; i < 100; i++) {
    for (const each of endpoints) detector.observe(each, each === endpoints[2] && i % 2 === 0, 1);
  }
  assertEquals(out(), []);
  await clock.advance(10_000);
  assertEquals(out(), ["e2"]);
  await clock.advance(1000);
  for (const each of endpoints) {
    for (let i = 0; i < 10; i++) detector.observe(each, each === endpoints[3], 1);
  }
  await clock.advance(9000);
  assertEquals(out(), [], "too few requests say nothing");
  detector[Symbol.dispose]();
  assertEquals(clock.pending, 0);
});

Deno.test("who is so many times slower than the median is out at the next comparison", async () => {
  const { clock, endpoints, detector, out } = rig(5, {
    consecutiveErrors: 0,
    latency: { factor: 3, minRequests: 10 },
  });
  for (let i = 0; i < 20; i++) {
    for (const [index, each] of endpoints.entries()) {
      detector.observe(each, false, index === 4 ? 400 : 100 + index);
    }
  }
  await clock.advance(10_000);
  assertEquals(out(), ["e4"]);
  detector[Symbol.dispose]();
  assertEquals(out(), [], "without a detector nobody is out");
});
