import { assertEquals } from "@std/assert";
import { migrate } from "../lib/migrations.ts";
import { openDatabase } from "../lib/sqlite.ts";
import { createOrderHandler } from "./handlers.ts";
import { SqliteOrderStore } from "./store.ts";
import type { PaymentResult, UserLookup } from "./upstreams.ts";

const book = { sku: "book", quantity: 1, unitPrice: 1999 };
const confirmed = {
  id: "new-1",
  userId: "alice",
  items: [book],
  total: 1999,
  status: "confirmed",
  paymentId: "p1",
  createdAt: "2024-05-06T07:08:09.000Z",
};

interface Fakes {
  readonly user?: UserLookup;
  readonly payment?: PaymentResult;
}

/** The service with upstreams that answer as told and write down what they were asked. */
function openService(fakes: Fakes = {}) {
  const database = openDatabase(":memory:");
  migrate(database, new URL("./migrations/", import.meta.url));
  const store = new SqliteOrderStore(database);
  const calls: unknown[] = [];
  let ids = 0;
  const handler = createOrderHandler({
    store,
    upstreams: {
      findUser: (
        ...asked
      ) => (calls.push(asked), Promise.resolve(fakes.user ?? { kind: "found" as const })),
      refund: () => Promise.resolve({ kind: "refunded" }),
      pay: (...asked) => {
        calls.push(asked);
        return Promise.resolve(fakes.payment ?? { kind: "captured", paymentId: "p1" });
      },
    },
    now: () => new Date("2024-05-06T07:08:09Z"),
    newId: () => `new-${++ids}`,
    log: () => {},
  });
  const ask = (path: string, init: RequestInit) =>
    handler(new Request(`http://order-service${path}`, init));
  const get = (path: string, userId = "alice") => ask(path, { headers: { "x-user-id": userId } });
  const post = (body: unknown, headers: Record<string, string> = {}) =>
    ask("/orders", {
      method: "POST",
      body: JSON.stringify(body),
      headers: { "content-type": "application/json", "x-user-id": "alice", ...headers },
    });
  return { ask, get, post, calls, [Symbol.asyncDispose]: () => store.close() };
}

async function seen(response: Response): Promise<[number, unknown]> {
  return [response.status, await response.json()];
}

Deno.test("POST /orders asks for the user, then the payment, then answers the confirmed order", async () => {
  await using service = openService();
  const response = await service.post({ items: [book] });
  assertEquals(response.headers.get("location"), "/orders/new-1");
  assertEquals(await seen(response), [201, confirmed]);
  assertEquals(service.calls, [
    ["alice", {}],
    [{ orderId: "new-1", userId: "alice", amount: 1999 }, {}],
  ]);
  assertEquals(await seen(await service.get("/orders/new-1")), [200, confirmed]);
});

Deno.test("POST /orders hands the trace headers to both calls, and no other header", async () => {
  await using service = openService();
  const trace = { "x-request-id": "r", traceparent: "00-1", tracestate: "a=b", b3: "0" };
  await service.post({ items: [book] }, { ...trace, authorization: "Bearer secret" });
  assertEquals(service.calls, [
    ["alice", trace],
    [{ orderId: "new-1", userId: "alice", amount: 1999 }, trace],
  ]);
});

Deno.test("POST /orders adds up quantities and prices in minor units", async () => {
  await using service = openService();
  const dearest = { sku: "x".repeat(64), quantity: 1000, unitPrice: 100_000_000 };
  const [status, order] = await seen(await service.post({ items: Array(100).fill(dearest) }));
  assertEquals([status, (order as typeof confirmed).total], [201, 10_000_000_000_000]);
});

Deno.test("POST /orders without a usable x-user-id answers 401 and asks nobody", async () => {
  await using service = openService();
  for (const userId of ["", "alice, bob", "u".repeat(129)]) {
    const response = await service.post({ items: [book] }, { "x-user-id": userId });
    assertEquals(await seen(response), [401, { error: "missing user" }]);
  }
  assertEquals(await seen(await service.ask("/orders", {})), [401, { error: "missing user" }]);
  assertEquals(await seen(await service.ask("/orders/1", {})), [401, { error: "missing user" }]);
  assertEquals(service.calls, []);
});

Deno.test("POST /orders names every item field that is wrong, and asks nobody", async () => {
  await using service = openService();
  const items = [book, { sku: "", quantity: 0, unitPrice: -1 }, { ...book, quantity: 1001 }];
  assertEquals(await seen(await service.post({ items })), [400, {
    error: "invalid request",
    fields: {
      "items[1].sku": "must be a string of 1 to 64 characters",
      "items[1].quantity": "must be an integer from 1 to 1000",
      "items[1].unitPrice": "must be an integer from 0 to 100000000",
      "items[2].quantity": "must be an integer from 1 to 1000",
    },
  }]);
  assertEquals(service.calls, []);
});

Deno.test("POST /orders refuses no items, more than 100, and a total of nothing", async () => {
  await using service = openService();
  const expected = "must be a list of 1 to 100 objects";
  for (const items of [undefined, [], Array(101).fill(book)]) {
    const answer = await seen(await service.post({ items }));
    assertEquals(answer, [400, { error: "invalid request", fields: { items: expected } }]);
  }
  assertEquals(await seen(await service.post({ items: [{ ...book, unitPrice: 0 }] })), [400, {
    error: "invalid request",
    fields: { items: "must cost more than nothing" },
  }]);
});

Deno.test("POST /orders for an unknown user answers 422, asks for no payment and keeps nothing", async () => {
  await using service = openService({ user: { kind: "unknown" } });
  assertEquals(await seen(await service.post({ items: [book] })), [422, { error: "unknown user" }]);
  assertEquals(service.calls.length, 1);
  assertEquals(await seen(await service.get("/orders")), [200, { orders: [], total: 0 }]);
});

Deno.test("POST /orders with a declined payment answers 402 and keeps the order as rejected", async () => {
  await using service = openService({ payment: { kind: "declined" } });
  const response = await service.post({ items: [book] });
  assertEquals(await seen(response), [402, { error: "payment declined" }]);
  const kept = { ...confirmed, status: "rejected", paymentId: null };
  assertEquals(await seen(await service.get("/orders/new-1")), [200, kept]);
});

const failures = [
  ["unreachable", 503, "service unavailable"],
  ["broken", 502, "service unavailable"],
  ["timeout", 504, "service timed out"],
] as const;

for (const [reason, status, text] of failures) {
  Deno.test(`POST /orders answers ${status} when the user service is ${reason}, and keeps nothing`, async () => {
    await using service = openService({ user: { kind: "failed", reason } });
    const response = await service.post({ items: [book] });
    assertEquals(await seen(response), [status, { error: `user ${text}` }]);
    assertEquals(service.calls.length, 1);
    assertEquals(await seen(await service.get("/orders")), [200, { orders: [], total: 0 }]);
  });

  Deno.test(`POST /orders answers ${status} when the payment service is ${reason}, and keeps the order as pending`, async () => {
    await using service = openService({ payment: { kind: "failed", reason } });
    const response = await service.post({ items: [book] });
    assertEquals(await seen(response), [status, { error: `payment ${text}` }]);
    const pending = { ...confirmed, status: "pending", paymentId: null };
    assertEquals(await seen(await service.get("/orders/new-1")), [200, pending]);
  });
}

Deno.test("GET /orders lists only the caller's orders, newest first", async () => {
  await using service = openService();
  await service.post({ items: [book] });
  await service.post({ items: [book] }, { "x-user-id": "bob" });
  await service.post({ items: [book] });
  const newest = { ...confirmed, id: "new-3" };
  const page = await seen(await service.get("/orders?page=1&page_size=1"));
  assertEquals(page, [200, { orders: [newest], total: 2 }]);
  assertEquals((await service.get("/orders?page_size=0")).status, 400);
});

Deno.test("GET /orders/:id answers 404 to somebody else's order as to an unknown one", async () => {
  await using service = openService();
  await service.post({ items: [book] });
  const notFound: [number, unknown] = [404, { error: "order not found" }];
  assertEquals(await seen(await service.get("/orders/new-1", "bob")), notFound);
  assertEquals(await seen(await service.get("/orders/new-2")), notFound);
});

Deno.test("POST /orders with an idempotency key answers the order of the first time, and pays once", async () => {
  await using service = openService();
  const key = { "idempotency-key": "k1" };
  const first = await seen(await service.post({ items: [book] }, key));
  const again = await seen(await service.post({ items: [book] }, key));
  assertEquals([first, again], [[201, confirmed], [201, confirmed]]);
  assertEquals(service.calls.length, 2);
  const other = await seen(await service.post({ items: [{ ...book, quantity: 2 }] }, key));
  assertEquals(other, [422, { error: "idempotency key reused with a different request" }]);
  const [, { id }] = await seen(await service.post({ items: [book] })) as [number, { id: string }];
  assertEquals(id, "new-2");
});

Deno.test("POST /orders goes on with an order that stayed pending, as long as it is not being undone", async () => {
  const fakes: { user?: UserLookup; payment?: PaymentResult } = {
    payment: { kind: "failed", reason: "timeout" },
  };
  await using service = openService(fakes);
  const post =
    async () => (await seen(await service.post({ items: [book] }, { "idempotency-key": "k" })));
  assertEquals(await post(), [504, { error: "payment service timed out" }]);
  fakes.payment = { kind: "refunded", paymentId: "p1" };
  assertEquals(await post(), [409, { error: "order was cancelled" }]);
  fakes.payment = { kind: "captured", paymentId: "p1" };
  assertEquals(await post(), [201, confirmed]);
});

Deno.test("POST /orders refuses a key that is too long or has a space", async () => {
  await using service = openService();
  for (const key of ["a b", "x".repeat(256)]) {
    const [status] = await seen(await service.post({ items: [book] }, { "idempotency-key": key }));
    assertEquals([status, service.calls.length], [400, 0]);
  }
});
