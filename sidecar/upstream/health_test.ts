import { assertEquals } from "@std/assert";
import { FakeClock, settle } from "../../tests/support/fake_clock.ts";
import { type CheckResult, Health, type HealthOptions } from "./health.ts";

const WELL: CheckResult = { isHealthy: true, detail: "200" };
const ILL: CheckResult = { isHealthy: false, detail: "503" };

function rig(intervalMs = 10_000, more: Partial<HealthOptions> = {}) {
  const clock = new FakeClock();
  const parts = { answer: WELL, checkedAt: [] as number[], changes: [] as CheckResult[] };
  const health = new Health({
    intervalMs,
    ...more,
    clock,
    check: () => {
      parts.checkedAt.push(clock.now());
      return Promise.resolve(parts.answer);
    },
    onChange: (result) => parts.changes.push(result),
  });
  return { clock, health, parts };
}

Deno.test("Health is not healthy before the first check", () => {
  const { health } = rig();
  assertEquals(health.last, { isHealthy: false, detail: "not checked yet" });
});

Deno.test("Health reports the first answer, whatever it is, and then each change", async () => {
  for (const first of [WELL, ILL]) {
    const { clock, health, parts } = rig(1000);
    parts.answer = first;
    health.start();
    await settle();
    assertEquals(parts.changes, [first]);
    await clock.advance(5000);
    assertEquals(parts.changes, [first]);
    parts.answer = first === WELL ? ILL : WELL;
    await clock.advance(1000);
    assertEquals(parts.changes, [first, parts.answer]);
    assertEquals(health.last, parts.answer);
    await health.close();
  }
});

Deno.test("Health asks at its interval while all is well", async () => {
  const { clock, health, parts } = rig(10_000);
  health.start();
  await clock.advance(30_000);
  assertEquals(parts.checkedAt, [0, 10_000, 20_000, 30_000]);
  await health.close();
});

Deno.test("Health asks twice a second while the app is not well, or more often if told so", async () => {
  for (const [interval, times] of [[10_000, [0, 500, 1000]], [400, [0, 400, 800]]] as const) {
    const { clock, health, parts } = rig(interval);
    parts.answer = ILL;
    health.start();
    await clock.advance(1000);
    assertEquals(parts.checkedAt, [...times]);
    await health.close();
  }
});

Deno.test("Health changes its mind after as many answers in a row as it was told, asking quickly meanwhile", async () => {
  const thresholds = { healthyThreshold: 2, unhealthyThreshold: 3 };
  const { clock, health, parts } = rig(10_000, thresholds);
  health.start();
  await settle();
  assertEquals([parts.changes.length, health.last.isHealthy], [0, false]);
  await clock.advance(500);
  assertEquals(parts.changes, [WELL]);
  parts.answer = ILL;
  await clock.advance(10_500);
  assertEquals([parts.changes.length, health.last.isHealthy], [1, true]);
  parts.answer = WELL; // what comes between begins the count anew
  await clock.advance(500);
  parts.answer = ILL;
  await clock.advance(10_500);
  assertEquals(parts.changes.length, 1);
  await clock.advance(1000);
  assertEquals(parts.changes, [WELL, ILL]);
  await health.close();
});

Deno.test("Health lets an app that is coming up be, and says so when it takes too long", async () => {
  const { clock, health, parts } = rig(10_000, { startupGraceMs: 5000 });
  parts.answer = ILL;
  health.start();
  await clock.advance(4900);
  assertEquals([parts.changes, health.last], [[], ILL]);
  await clock.advance(600);
  assertEquals(parts.changes, [ILL]);
  await health.close();
  const quick = rig(10_000, { startupGraceMs: 5000 });
  quick.parts.answer = ILL;
  quick.health.start();
  await quick.clock.advance(1000);
  quick.parts.answer = WELL;
  await quick.clock.advance(10_000);
  assertEquals(quick.parts.changes, [WELL]);
  await quick.health.close();
});

Deno.test("Health begins no check before the last one is done", async () => {
  const clock = new FakeClock();
  const answers: PromiseWithResolvers<CheckResult>[] = [];
  const health = new Health({
    intervalMs: 1000,
    clock,
    check: () => {
      const answer = Promise.withResolvers<CheckResult>();
      answers.push(answer);
      return answer.promise;
    },
    onChange: () => {},
  });
  health.start();
  await clock.advance(60_000);
  assertEquals(answers.length, 1);
  answers[0]!.resolve(WELL);
  await clock.advance(1000);
  assertEquals(answers.length, 2);
  answers[1]!.resolve(WELL);
  await health.close();
});

Deno.test("Health.close stops asking, waits for the check under way and reports it to nobody", async () => {
  const clock = new FakeClock();
  const answer = Promise.withResolvers<CheckResult>();
  const changes: CheckResult[] = [];
  const health = new Health({
    intervalMs: 1000,
    clock,
    check: () => answer.promise,
    onChange: (result) => changes.push(result),
  });
  health.start();
  let isClosed = false;
  const closing = health.close().then(() => isClosed = true);
  await settle();
  assertEquals(isClosed, false);
  answer.resolve(WELL);
  await closing;
  await clock.advance(10_000);
  assertEquals(changes, []);
  assertEquals(clock.pending, 0);
});

Deno.test("Health.close before a start, between checks and twice leaves no timer", async () => {
  const { clock, health } = rig();
  await health.close();
  const other = rig();
  other.health.start();
  await settle();
  assertEquals(other.clock.pending, 1);
  await other.health.close();
  await other.health.close();
  assertEquals([clock.pending, other.clock.pending], [0, 0]);
});

Deno.test("Health believes that there is no answer only when it is so twice in a row", async () => {
  const { clock, health, parts } = rig(10_000);
  const late: CheckResult = { isHealthy: false, isLate: true, detail: "no answer" };
  health.start();
  await settle();
  parts.answer = late;
  await clock.advance(10_000);
  assertEquals(health.last, WELL);
  parts.answer = WELL;
  await clock.advance(500);
  assertEquals(parts.changes, [WELL]);
  parts.answer = late;
  await clock.advance(10_500);
  assertEquals(parts.changes, [WELL, late]);
  assertEquals(parts.checkedAt, [0, 10_000, 10_500, 20_500, 21_000]);
  await health.close();
});

Deno.test("Health takes a first check without an answer for what it is", async () => {
  const { health, parts } = rig();
  parts.answer = { isHealthy: false, isLate: true, detail: "no answer" };
  health.start();
  await settle();
  assertEquals(parts.changes, [parts.answer]);
  await health.close();
});
