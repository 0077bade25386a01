import { assert, assertEquals } from "@std/assert";
import { Turnstile } from "./turnstile.ts";

Deno.test("Turnstile lets the next waiter in when a lease ends, first come first served", async () => {
  const turnstile = new Turnstile({ atOnce: 1, waiting: 2 });
  const order: string[] = [];
  const first = await turnstile.enter();
  const waiters = ["second", "third"].map(async (name) => {
    using _lease = await turnstile.enter();
    order.push(name);
  });
  assertEquals(order, []);
  first?.[Symbol.dispose]();
  await Promise.all(waiters);
  assertEquals(order, ["second", "third"]);
});

Deno.test("Turnstile refuses at once when too many wait", async () => {
  const turnstile = new Turnstile({ atOnce: 1, waiting: 1 });
  const first = await turnstile.enter();
  const second = turnstile.enter();
  assertEquals(await turnstile.enter(), null);
  first?.[Symbol.dispose]();
  (await second)?.[Symbol.dispose]();
  assert(await turnstile.enter());
});

Deno.test("Turnstile gives a place back once, however often its lease is disposed of", async () => {
  const turnstile = new Turnstile({ atOnce: 1, waiting: 0 });
  const first = await turnstile.enter();
  first?.[Symbol.dispose]();
  first?.[Symbol.dispose]();
  assert(await turnstile.enter());
  assertEquals(await turnstile.enter(), null);
});
