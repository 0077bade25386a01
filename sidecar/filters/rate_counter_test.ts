import { assert, assertEquals } from "@std/assert";
import { fakeExchange } from "../../tests/support/fake_exchange.ts";
import type { RateSettings } from "../snapshot/rate_settings.ts";
import { RateCounter, rateKeyOf, type RateVerdict, type SharedCounter } from "./rate_counter.ts";

const TWO: RateSettings = {
  rate: { count: 2, perMs: 1000 },
  burst: 2,
  key: [{ kind: "client" }],
  algorithm: "token-bucket",
  cost: 1,
  scope: "local",
};

class FakeShared implements SharedCounter {
  readonly asked: string[] = [];
  verdict: RateVerdict | undefined = { isAllowed: true, limit: 2, remaining: 1, resetMs: 500 };

  take(key: string): Promise<RateVerdict | undefined> {
    this.asked.push(key);
    return Promise.resolve(this.verdict);
  }
}

Deno.test("RateCounter counts each key by itself, by either algorithm, and what a request costs", async () => {
  for (const algorithm of ["token-bucket", "gcra"] as const) {
    const counter = new RateCounter(undefined);
    const take = async (key: string, nowMs: number, cost = 1) =>
      await counter.take(key, { ...TWO, algorithm, cost }, nowMs);
    assertEquals(await take("a", 0), { isAllowed: true, limit: 2, remaining: 1, resetMs: 500 });
    assertEquals((await take("a", 0)).isAllowed, true);
    assertEquals(await take("a", 0), { isAllowed: false, limit: 2, remaining: 0, resetMs: 500 });
    assertEquals((await take("b", 0, 2)).isAllowed, true);
    assertEquals((await take("b", 500, 2)).resetMs, 500);
    assertEquals((await take("a", 500)).isAllowed, true);
  }
});

Deno.test("RateCounter asks others only about what it would let through itself", async () => {
  const shared = new FakeShared();
  const counter = new RateCounter(shared);
  const take = async () => await counter.take("a", { ...TWO, scope: "global" }, 0);
  assertEquals((await take()).isAllowed, true);
  shared.verdict = { isAllowed: false, limit: 2, remaining: 0, resetMs: 300 };
  assertEquals(await take(), shared.verdict);
  assertEquals((await take()).isAllowed, false);
  assertEquals(shared.asked, ["a", "a"]);
});

Deno.test("RateCounter goes by its own count where the others cannot be asked", async () => {
  const shared = new FakeShared();
  shared.verdict = undefined;
  const counter = new RateCounter(shared);
  const take = async () => (await counter.take("a", { ...TWO, scope: "global" }, 0)).isAllowed;
  assertEquals([await take(), await take(), await take()], [true, true, false]);
});

Deno.test("a key of several parts tells apart whoever differs in one of them", () => {
  const key = (headers: Record<string, string>, clientAddress = "10.0.0.1") =>
    rateKeyOf(
      [{ kind: "client" }, { kind: "header", name: "x-tenant" }],
      fakeExchange({ headers, clientAddress }),
    );
  const keys = [
    key({ "x-tenant": "a" }),
    key({ "x-tenant": "b" }),
    key({ "x-tenant": "a" }, "10.0.0.2"),
    key({}),
    key({ "x-tenant": "1 header a" }),
  ];
  assertEquals(new Set(keys).size, keys.length);
  assertEquals(key({ "x-tenant": "a", other: "x" }), keys[0]);
  const subject = "alice";
  const caller = { subject, claims: {} };
  const user = (about: Parameters<typeof fakeExchange>[0]) =>
    rateKeyOf([{ kind: "user" }], fakeExchange(about));
  assertEquals(
    user({ caller, clientAddress: "10.0.0.1" }),
    user({ caller, clientAddress: "10.0.0.2" }),
  );
  assertEquals(user({ clientAddress: "10.0.0.1" }) === user({ clientAddress: "10.0.0.2" }), false);
});

Deno.test("a million keys take no more memory than a hundred thousand", () => {
  const counter = new RateCounter(undefined);
  let key = 0;
  /** The least that the heap held while so many new keys came: what is more is garbage on its way out. */
  const leastHeap = (count: number) => {
    let least = Infinity;
    for (const end = key + count; key < end; key++) {
      counter.take(`client 10.0.${key}`, TWO, key);
      if (key % 10_000 === 0) least = Math.min(least, Deno.memoryUsage().heapUsed);
    }
    return least / 1024 / 1024;
  };
  leastHeap(200_000);
  const before = leastHeap(300_000);
  const after = leastHeap(1_000_000);
  assertEquals(counter.size, 100_000);
  // What left is not collected at once; a million that stayed would be more than twice that.
  assert(after - before < 120, `${before} MiB became ${after}`);
});
