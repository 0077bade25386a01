import { assertEquals, assertRejects } from "@std/assert";
import { status } from "@grpc/grpc-js";
import { InvalidRequest } from "../lib/fields.ts";
import { migrate } from "../lib/migrations.ts";
import { openDatabase } from "../lib/sqlite.ts";
import { callMethod } from "../lib/test_grpc.ts";
import { orderGrpc } from "./grpc.ts";
import { SqliteOrderStore } from "./store.ts";
import type { PaymentResult, UserLookup } from "./upstreams.ts";

const book = { sku: "book", quantity: 1, unitPrice: 1999 };
const alice = { "x-user-id": "alice" };
const confirmed = {
  id: "new-1",
  userId: "alice",
  items: [book],
  total: 1999,
  status: "CONFIRMED",
  paymentId: "p1",
  createdAt: "2024-05-06T07:08:09.000Z",
};

interface Fakes {
  readonly user?: UserLookup;
  readonly payment?: PaymentResult;
}

/** The service with upstreams that answer as told and write down what they were asked. */
function openService({ user = { kind: "found" }, payment }: Fakes = {}) {
  const database = openDatabase(":memory:");
  migrate(database, new URL("./migrations/", import.meta.url));
  const store = new SqliteOrderStore(database);
  const calls: unknown[] = [];
  let ids = 0;
  const service = orderGrpc({
    store,
    upstreams: {
      findUser: (...asked) => (calls.push(asked), Promise.resolve(user)),
      refund: () => Promise.resolve({ kind: "refunded" }),
      pay: (...asked) => {
        calls.push(asked);
        return Promise.resolve(payment ?? { kind: "captured", paymentId: "p1" });
      },
    },
    now: () => new Date("2024-05-06T07:08:09Z"),
    newId: () => `new-${++ids}`,
  });
  const call = (name: string, request: object, entries: Record<string, string> = alice) =>
    callMethod(service, name, request, entries);
  return { call, calls, [Symbol.asyncDispose]: () => store.close() };
}

Deno.test("CreateOrder asks for the user, then the payment, with the trace of the call, then answers", async () => {
  await using service = openService();
  const trace = { "x-request-id": "r", traceparent: "00-1" };
  const entries = { ...alice, ...trace, authorization: "Bearer secret" };
  assertEquals(await service.call("CreateOrder", { items: [book] }, entries), confirmed);
  assertEquals(service.calls, [
    ["alice", trace],
    [{ orderId: "new-1", userId: "alice", amount: 1999 }, trace],
  ]);
  assertEquals(await service.call("GetOrder", { orderId: "new-1" }), confirmed);
});

Deno.test("every method without a usable x-user-id answers UNAUTHENTICATED and asks nobody", async () => {
  await using service = openService();
  const requests = {
    CreateOrder: { items: [book] },
    GetOrder: { orderId: "new-1" },
    ListOrders: { page: 1, pageSize: 10 },
  };
  for (const [name, request] of Object.entries(requests)) {
    for (const entries of [{}, { "x-user-id": "" }, { "x-user-id": "alice, bob" }]) {
      const outcome = await service.call(name, request, entries);
      assertEquals(outcome, [status.UNAUTHENTICATED, "missing user"]);
    }
  }
  assertEquals(service.calls, []);
});

Deno.test("CreateOrder refuses a cart by the same rules as HTTP, and asks nobody", async () => {
  await using service = openService();
  const items = [{ sku: "", quantity: 0, unitPrice: -1 }];
  const error = await assertRejects(() => service.call("CreateOrder", { items }), InvalidRequest);
  assertEquals(Object.keys(error.fields), [
    "items[0].sku",
    "items[0].quantity",
    "items[0].unitPrice",
  ]);
  await assertRejects(() => service.call("CreateOrder", { items: [] }), InvalidRequest);
  assertEquals(service.calls, []);
});

const ends = [
  [{ user: { kind: "unknown" } }, status.FAILED_PRECONDITION, "unknown user", null],
  [
    { payment: { kind: "declined" } },
    status.FAILED_PRECONDITION,
    "payment declined",
    "REJECTED",
  ],
  [
    { user: { kind: "failed", reason: "timeout" } },
    status.DEADLINE_EXCEEDED,
    "user service timed out",
    null,
  ],
  [
    { user: { kind: "failed", reason: "unreachable" } },
    status.UNAVAILABLE,
    "user service unavailable",
    null,
  ],
  [
    { payment: { kind: "failed", reason: "timeout" } },
    status.DEADLINE_EXCEEDED,
    "payment service timed out",
    "PENDING",
  ],
  [
    { payment: { kind: "failed", reason: "unreachable" } },
    status.ABORTED,
    "payment service unavailable",
    "PENDING",
  ],
] satisfies [Fakes, status, string, string | null][];

for (const [fakes, code, text, kept] of ends) {
  Deno.test(`CreateOrder answers ${status[code]} "${text}" and keeps ${kept ?? "nothing"}`, async () => {
    await using service = openService(fakes);
    assertEquals(await service.call("CreateOrder", { items: [book] }), [code, text]);
    const orders = kept === null ? [] : [{ ...confirmed, status: kept, paymentId: "" }];
    const listed = await service.call("ListOrders", { page: 0, pageSize: 0 });
    assertEquals(listed, { orders, total: orders.length });
  });
}

Deno.test("GetOrder answers NOT_FOUND to somebody else's order, and ListOrders leaves it out", async () => {
  await using service = openService();
  await service.call("CreateOrder", { items: [book] });
  await service.call("CreateOrder", { items: [book] });
  const bob = { "x-user-id": "bob" };
  const notFound = [status.NOT_FOUND, "order not found"] as const;
  assertEquals(await service.call("GetOrder", { orderId: "new-1" }, bob), notFound);
  const nothing = await service.call("ListOrders", { page: 1, pageSize: 1 }, bob);
  assertEquals(nothing, { orders: [], total: 0 });
  const newest = await service.call("ListOrders", { page: 1, pageSize: 1 });
  assertEquals(newest, { orders: [{ ...confirmed, id: "new-2" }], total: 2 });
});
