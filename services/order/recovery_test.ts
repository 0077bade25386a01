import { assertEquals } from "@std/assert";
import { migrate } from "../lib/migrations.ts";
import { openDatabase } from "../lib/sqlite.ts";
import { recoverOrders, Recovery } from "./recovery.ts";
import { type Order, SqliteOrderStore } from "./store.ts";
import type { PaymentResult, Upstreams } from "./upstreams.ts";

type RefundResult = Awaited<ReturnType<Upstreams["refund"]>>;

const ORDER: Order = {
  id: "o1",
  userId: "alice",
  items: [{ sku: "book", quantity: 1, unitPrice: 1999 }],
  total: 1999,
  status: "pending",
  paymentId: null,
  createdAt: "2024-05-06T07:08:09.000Z",
};

function rig(payment: PaymentResult, now = "2024-05-06T07:08:40Z") {
  const database = openDatabase(":memory:");
  migrate(database, new URL("./migrations/", import.meta.url));
  const store = new SqliteOrderStore(database);
  const calls: unknown[] = [];
  const answers: { payment: PaymentResult; refund: RefundResult } = {
    payment,
    refund: { kind: "refunded" },
  };
  const parts = {
    store,
    upstreams: {
      findUser: () => Promise.resolve({ kind: "found" as const }),
      pay: (asked: unknown) => (calls.push(asked), Promise.resolve(answers.payment)),
      refund: (paymentId: string) => (calls.push(paymentId), Promise.resolve(answers.refund)),
    },
    now: () => new Date(now),
    newId: () => "new",
  };
  const statusOf = async (id: string) => (await store.find(id, "alice"))?.status;
  return { store, calls, answers, parts, statusOf, [Symbol.asyncDispose]: () => store.close() };
}

Deno.test("recoverOrders gives the money of a stale order back and rejects it", async () => {
  await using all = rig({ kind: "captured", paymentId: "p1" });
  await all.store.insert(ORDER, null);
  await all.store.insert({ ...ORDER, id: "young", createdAt: "2024-05-06T07:08:39.000Z" }, null);
  assertEquals(await recoverOrders(all.parts), 0);
  assertEquals(all.calls, [{ orderId: "o1", userId: "alice", amount: 1999 }, "p1"]);
  assertEquals([await all.statusOf("o1"), await all.statusOf("young")], ["rejected", "pending"]);
});

Deno.test("recoverOrders has nothing to give back of what was declined or given back before", async () => {
  for (const payment of [{ kind: "declined" }, { kind: "refunded", paymentId: "p1" }] as const) {
    await using all = rig(payment);
    await all.store.insert(ORDER, null);
    assertEquals(await recoverOrders(all.parts), 0);
    assertEquals([all.calls.length, await all.statusOf("o1")], [1, "rejected"]);
  }
});

Deno.test("recoverOrders tries again until the payment service has answered", async () => {
  await using all = rig({ kind: "failed", reason: "unreachable" });
  await all.store.insert(ORDER, null);
  assertEquals([await recoverOrders(all.parts), await all.statusOf("o1")], [1, "pending"]);
  all.answers.payment = { kind: "captured", paymentId: "p1" };
  all.answers.refund = { kind: "failed", reason: "timeout" };
  assertEquals([await recoverOrders(all.parts), await all.statusOf("o1")], [1, "pending"]);
  all.answers.refund = { kind: "refunded" };
  assertEquals([await recoverOrders(all.parts), await all.statusOf("o1")], [0, "rejected"]);
});

Deno.test("Recovery looks at once, and stops with what it is at", async () => {
  await using all = rig({ kind: "captured", paymentId: "p1" });
  await all.store.insert(ORDER, null);
  const recovery = new Recovery(all.parts, () => {});
  await recovery.stop();
  assertEquals(await all.statusOf("o1"), "rejected");
});
