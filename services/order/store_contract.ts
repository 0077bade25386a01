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
    await store.insert(order, null);
    assertEquals(await store.find("o1", "alice"), order);
    assertEquals(await store.find("o1", "bob"), null);
    assertEquals(await store.find("o2", "alice"), null);
  });

  promise("lists the user's own orders, newest first, page by page", async (store) => {
    for (const id of ["a", "b", "c"]) await store.insert({ ...order, id }, null);
    await store.insert({ ...order, id: "d", userId: "bob" }, null);
    const idsOf = async (page: number) => {
      const { orders, total } = await store.list("alice", { page, pageSize: 2 });
      return [orders.map(({ id }) => id), total];
    };
    assertEquals([await idsOf(1), await idsOf(2)], [[["c", "b"], 3], [["a"], 3]]);
    assertEquals(await store.list("carol", { page: 1, pageSize: 2 }), { orders: [], total: 0 });
  });

  promise("settles a pending order", async (store) => {
    await store.insert(order, null);
    await store.insert({ ...order, id: "o2" }, null);
    await store.settle("o1", { status: "confirmed", paymentId: "p1" });
    await store.settle("o2", { status: "rejected", paymentId: null });
    const statusOf = async (id: string) => {
      const found = await store.find(id, "alice");
      return [found?.status, found?.paymentId];
    };
    assertEquals(await statusOf("o1"), ["confirmed", "p1"]);
    assertEquals(await statusOf("o2"), ["rejected", null]);
  });

  promise(
    "says whether an order has ended as it should, however often it is asked",
    async (store) => {
      const confirmed = { status: "confirmed", paymentId: "p1" } as const;
      const rejected = { status: "rejected", paymentId: null } as const;
      await assertRejects(() => store.settle("o1", rejected), Error, "no order o1");
      await store.insert(order, null);
      assertEquals([await store.settle("o1", confirmed), await store.settle("o1", confirmed)], [
        true,
        true,
      ]);
      assertEquals(await store.settle("o1", rejected), false);
      assertEquals(await store.settle("o1", { ...confirmed, paymentId: "p2" }), false);
      assertEquals((await store.find("o1", "alice"))?.status, "confirmed");
    },
  );

  promise(
    "keeps one order for each key of a user, also when asked twice at once",
    async (store) => {
      const second = { ...order, id: "o2" };
      const kept = await Promise.all([store.insert(order, "k"), store.insert(second, "k")]);
      assertEquals(kept.map(({ order: { id } }) => id), ["o1", "o1"]);
      assertEquals(await store.find("o2", "alice"), null);
      assertEquals((await store.findByKey("alice", "k"))?.order, order);
      assertEquals(await store.findByKey("bob", "k"), null);
      await store.insert({ ...order, id: "o3", userId: "bob" }, "k");
      assertEquals((await store.findByKey("bob", "k"))?.order.id, "o3");
      await store.settle("o1", { status: "rejected", paymentId: null });
      assertEquals((await store.findByKey("alice", "k"))?.ending, "declined");
    },
  );

  promise(
    "finds what stayed pending too long, and lets nobody confirm what is being cancelled",
    async (store) => {
      await store.insert(order, "k");
      await store.insert({ ...order, id: "o2", createdAt: "2024-05-06T08:00:00.000Z" }, null);
      await store.insert({ ...order, id: "o3", status: "confirmed", paymentId: "p3" }, null);
      const staleIds = async (before: string) =>
        (await store.stale(before, 10)).map(({ id }) => id);
      assertEquals(await staleIds("2024-05-06T07:30:00.000Z"), ["o1"]);
      assertEquals([await store.beginCancel("o1"), await store.beginCancel("o3")], [true, false]);
      assertEquals(await store.settle("o1", { status: "confirmed", paymentId: "p1" }), false);
      assertEquals((await store.findByKey("alice", "k"))?.isCancelling, true);
      assertEquals(await staleIds("2000-01-01T00:00:00.000Z"), ["o1"]);
      await store.endCancel("o1");
      await store.endCancel("o3");
      assertEquals(await staleIds("2000-01-01T00:00:00.000Z"), []);
      const cancelled = await store.findByKey("alice", "k");
      assertEquals([cancelled?.order.status, cancelled?.ending], ["rejected", "cancelled"]);
      assertEquals((await store.find("o3", "alice"))?.status, "confirmed");
    },
  );

  promise("keeps nothing of an order whose insertion fails", async (store) => {
    const items = [...order.items, { sku: "bad", quantity: 0.5, unitPrice: NaN }];
    await assertRejects(() => store.insert({ ...order, items }, null));
    assertEquals((await store.list("alice", { page: 1, pageSize: 1 })).total, 0);
  });

  Deno.test(`${kind} rejects a ping once it is closed`, async () => {
    const store = open();
    await store.ping();
    await store.close();
    await assertRejects(() => store.ping());
  });
}
