import { assertEquals } from "@std/assert";
import { settle } from "../../tests/support/fake_clock.ts";
import { Turnstile } from "./turnstile.ts";

Deno.test("Turnstile lets in so many at once, keeps so many waiting in order, and sends the rest away", async () => {
  const turnstile = new Turnstile({ atOnce: 2, waiting: 2 });
  const entered: number[] = [];
  const leases = [0, 1, 2, 3, 4].map(async (index) => {
    const lease = await turnstile.enter();
    entered.push(lease === null ? -index : index);
    return lease;
  });
  await settle();
  assertEquals(entered.toSorted(), [-4, 0, 1]);
  (await leases[0])?.[Symbol.dispose]();
  await settle();
  assertEquals(entered.slice(3), [2]);
  (await leases[1])?.[Symbol.dispose]();
  await settle();
  assertEquals(entered.slice(3), [2, 3]);
  assertEquals(await leases[4], null);
});

Deno.test("Turnstile takes a lease back once, however often it is disposed of", async () => {
  const turnstile = new Turnstile({ atOnce: 1, waiting: 0 });
  const lease = await turnstile.enter();
  lease?.[Symbol.dispose]();
  lease?.[Symbol.dispose]();
  using _held = await turnstile.enter();
  assertEquals(await turnstile.enter(), null);
});
