// What every PaymentStore must do, run against each implementation. It starts empty.

import { assertEquals, assertRejects } from "@std/assert";
import type { Payment, PaymentStore } from "./store.ts";

const payment: Payment = {
  id: "p1",
  orderId: "o1",
  userId: "alice",
  amount: Number.MAX_SAFE_INTEGER,
  currency: "EUR",
  status: "captured",
  createdAt: "2024-05-06T07:08:09.000Z",
};

/** Registers the tests; `open` gives a store of its own, freshly migrated, to each. */
export function paymentStoreContract(kind: string, open: () => PaymentStore): void {
  const promise = (text: string, keep: (store: PaymentStore) => Promise<void>) =>
    Deno.test(`${kind} ${text}`, async () => {
      const store = open();
      await keep(store);
      await store.close();
    });

  promise("gives a payment back as it was recorded", async (store) => {
    assertEquals(await store.record(payment, null), payment);
    assertEquals(await store.find("p1"), payment);
    assertEquals(await store.find("p2"), null);
  });

  promise("records once for each key, also when asked twice at once", async (store) => {
    const second = { ...payment, id: "p2", amount: 5 };
    const answers = await Promise.all([store.record(payment, "k"), store.record(second, "k")]);
    assertEquals(answers, [payment, payment]);
    assertEquals(await store.find("p2"), null);
  });

  promise("records each payment that has no key", async (store) => {
    await store.record(payment, null);
    const second = { ...payment, id: "p2" };
    assertEquals(await store.record(second, null), second);
  });

  promise(
    "rejects a second payment with one id rather than hide it behind the key",
    async (store) => {
      await store.record(payment, "k");
      await assertRejects(() => store.record({ ...payment, orderId: "o2" }, "other"));
    },
  );

  promise("refunds a captured payment, any number of times", async (store) => {
    await store.record(payment, null);
    const refunded = { ...payment, status: "refunded" } as const;
    assertEquals(await store.refund("p1"), refunded);
    assertEquals(await store.refund("p1"), refunded);
    assertEquals(await store.find("p1"), refunded);
  });

  promise(
    "leaves a declined payment declined, and finds no unknown one to refund",
    async (store) => {
      const declined = { ...payment, status: "declined" } as const;
      await store.record(declined, null);
      assertEquals(await store.refund("p1"), declined);
      assertEquals(await store.refund("p2"), null);
    },
  );

  Deno.test(`${kind} rejects a ping once it is closed`, async () => {
    const store = open();
    await store.ping();
    await store.close();
    await assertRejects(() => store.ping());
  });
}
