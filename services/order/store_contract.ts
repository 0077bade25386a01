// What every OrderStore must do, run against each implementation. It starts empty.

import { assertEquals, assertRejects } from "@std/assert";
import type { Order, OrderStore } from "./store.ts";

const order: Order = {
  id: "o1",
  userId: "alice",
  items: [{ sku: "book", quantity: 2, unitPrice: 1999 }, { sku: "pen", quantity: 1, unitPrice: 0 }],
  total: 3998,
  status: "pending",
  paymentId: null,
  createdAt: "2024-05-06T07:08:09.000Z",
};

/** Registers the tests; `open` gives a store of its own, freshly migrated, to each. */
export function orderStoreContract(kind: string, open: () => OrderStore): void {
  const promise = (text: string, keep: (store: OrderStore) => Promise<void>) =>
    Deno.test(`${kind} ${text}`, async () => {
      const store = open();
      await keep(store);
      await store.close();
    });

  promise("gives an order back with its items in order, to its owner only", async (store) => {
    await store.insert(order);
    assertEquals(await store.find("o1", "alice"), order);
    assertEquals(await store.find("o1", "bob"), null);
    assertEquals(await store.find("o2", "alice"), null);
  });

  promise("lists the user's own orders, newest first, page by page", async (store) => {
    for (const id of ["a", "b", "c"]) await store.insert({ ...order, id });
    await store.insert({ ...order, id: "d", userId: "bob" });
    const idsOf = async (page: number) => {
      const { orders, total } = await store.list("alice", { page, pageSize: 2 });
      return [orders.map(({ id }) => id), total];
    };
    assertEquals([await idsOf(1), await idsOf(2)], [[["c", "b"], 3], [["a"], 3]]);
    assertEquals(await store.list("carol", { page: 1, pageSize: 2 }), { orders: [], total: 0 });
  });

  promise("settles a pending order", async (store) => {
    await store.insert(order);
    await store.insert({ ...order, id: "o2" });
    await store.settle("o1", { status: "confirmed", paymentId: "p1" });
    await store.settle("o2", { status: "rejected", paymentId: null });
    const statusOf = async (id: string) => {
      const found = await store.find(id, "alice");
      return [found?.status, found?.paymentId];
    };
    assertEquals(await statusOf("o1"), ["confirmed", "p1"]);
    assertEquals(await statusOf("o2"), ["rejected", null]);
  });

  promise("rejects settling an order that is unknown or settled", async (store) => {
    const settlement = { status: "rejected", paymentId: null } as const;
    await assertRejects(() => store.settle("o1", settlement), Error, "no pending order o1");
    await store.insert({ ...order, status: "confirmed", paymentId: "p1" });
    await assertRejects(() => store.settle("o1", settlement), Error, "no pending order o1");
  });

  promise("keeps nothing of an order whose insertion fails", async (store) => {
    const items = [...order.items, { sku: "bad", quantity: 0.5, unitPrice: NaN }];
    await assertRejects(() => store.insert({ ...order, items }));
    assertEquals((await store.list("alice", { page: 1, pageSize: 1 })).total, 0);
  });

  Deno.test(`${kind} rejects a ping once it is closed`, async () => {
    const store = open();
    await store.ping();
    await store.close();
    await assertRejects(() => store.ping());
  });
}
