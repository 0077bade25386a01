import { assert, assertEquals } from "@std/assert";
import * as fc from "fast-check";
import { Breaker, type BreakerSettingsInForce, REFUSED } from "./breaker.ts";

const SETTINGS: BreakerSettingsInForce = {
  failureThreshold: 3,
  successThreshold: 2,
  openForMs: 1000,
  probes: 1,
};

function rig(settings: Partial<BreakerSettingsInForce> = {}) {
  const changes: string[] = [];
  const breaker = new Breaker({ ...SETTINGS, ...settings }, (state) => changes.push(state));
  /** One request that ends at once; true: it was let through. */
  const call = (outcome: "ok" | "failed" | "none", nowMs: number): boolean => {
    const permit = breaker.admit(nowMs);
    if (permit === REFUSED) return false;
    if (outcome === "ok") breaker.succeed(permit, nowMs);
    else if (outcome === "failed") breaker.fail(permit, nowMs);
    else breaker.release(permit);
    return true;
  };
  const open = (nowMs = 0) => {
    for (let i = 0; i < 3; i++) call("failed", nowMs);
  };
  return { breaker, changes, call, open };
}

Deno.test("Breaker opens at failureThreshold failures in a row, and a success resets the count", () => {
  const { breaker, call } = rig();
  for (const outcome of ["failed", "failed", "ok", "failed", "failed"] as const) call(outcome, 0);
  assertEquals(breaker.state, "closed");
  call("failed", 0);
  assertEquals([breaker.state, breaker.openMs(0)], ["open", 1000]);
});

Deno.test("Breaker refuses while it is open, and half-opens openFor later", () => {
  const { breaker, call, open } = rig();
  open();
  assertEquals([call("ok", 0), call("ok", 999), breaker.state], [false, false, "open"]);
  const probe = breaker.admit(1000);
  assertEquals([probe === REFUSED, breaker.state, breaker.openMs(1000)], [false, "half-open", 0]);
});

Deno.test("Breaker closes at successThreshold successes in half-open, and one failure there reopens it", () => {
  const { breaker, changes, call, open } = rig();
  open();
  call("ok", 1000);
  assertEquals(breaker.state, "half-open");
  call("ok", 1000);
  assertEquals(breaker.state, "closed");
  open(2000);
  call("ok", 3000);
  call("failed", 3100);
  assertEquals([breaker.state, breaker.openMs(3100)], ["open", 1000]);
  assertEquals(changes, ["open", "half-open", "closed", "open", "half-open", "open"]);
});

Deno.test("Breaker lets no more probes through at once than it may, and one that came to nothing frees its place", () => {
  const { breaker, call, open } = rig({ probes: 2 });
  open();
  const [first, second] = [breaker.admit(1000), breaker.admit(1000)];
  assertEquals([first !== REFUSED, second !== REFUSED, breaker.admit(1000)], [true, true, REFUSED]);
  breaker.release(first);
  assertEquals(call("ok", 1000), true);
  assertEquals(breaker.state, "half-open");
  breaker.succeed(second, 1000);
  assertEquals(breaker.state, "closed");
});

Deno.test("what began before a change of state says nothing after it", () => {
  const { breaker, open } = rig();
  const old = [breaker.admit(0), breaker.admit(0), breaker.admit(0)];
  open();
  breaker.fail(old[0]!, 500);
  assertEquals(breaker.openMs(500), 500, "it is not opened anew");
  const probe = breaker.admit(1000);
  breaker.succeed(old[1]!, 1000);
  breaker.fail(old[2]!, 1000);
  assertEquals(breaker.state, "half-open");
  breaker.succeed(probe, 1000);
  breaker.succeed(breaker.admit(1000), 1000);
  assertEquals(breaker.state, "closed");
});

Deno.test("Breaker opens where too large a share of the window failed, in whatever order", () => {
  const errorRate = { share: 0.5, windowMs: 10_000, minRequests: 10 };
  const { breaker, call } = rig({ failureThreshold: 100, errorRate });
  for (let i = 0; i < 4; i++) for (const each of ["ok", "failed"] as const) call(each, i * 100);
  assertEquals(breaker.state, "closed", "eight requests are too few");
  call("ok", 500);
  call("failed", 500);
  assertEquals(breaker.state, "open");

  const later = rig({ failureThreshold: 100, errorRate });
  for (let i = 0; i < 9; i++) later.call("failed", 0);
  for (let i = 0; i < 9; i++) later.call("ok", 10_500);
  later.call("failed", 10_500);
  assertEquals(later.breaker.state, "closed", "what is older than the window is forgotten");
});

Deno.test("whatever comes, an open Breaker opens again in time and no permit is lost", () => {
  const action = fc.record({
    waitMs: fc.integer({ min: 0, max: 400 }),
    outcome: fc.constantFrom("ok", "failed", "none"),
    delayed: fc.boolean(),
  });
  fc.assert(
    fc.property(
      fc.array(action, { maxLength: 60 }),
      fc.integer({ min: 1, max: 3 }),
      (actions, probes) => {
        const { breaker } = rig({ probes });
        const held: { permit: number; outcome: string }[] = [];
        let now = 0;
        const settle = ({ permit, outcome }: { permit: number; outcome: string }) => {
          if (outcome === "ok") breaker.succeed(permit, now);
          else if (outcome === "failed") breaker.fail(permit, now);
          else breaker.release(permit);
        };
        for (const { waitMs, outcome, delayed } of actions) {
          now += waitMs;
          const permit = breaker.admit(now);
          if (permit === REFUSED) assert(breaker.state !== "closed");
          else if (delayed) held.push({ permit, outcome });
          else settle({ permit, outcome });
        }
        for (const each of held) settle(each);
        // From any state: a second later somebody is let through, and two successes close it.
        now += 1000;
        for (let i = 0; i < 2; i++) {
          const permit = breaker.admit(now);
          assert(permit !== REFUSED, `refused in ${breaker.state}`);
          breaker.succeed(permit, now);
        }
        assertEquals(breaker.state, "closed");
      },
    ),
    { seed: 1, numRuns: 500 },
  );
});
