import { assertEquals } from "@std/assert";
import { migrate } from "../lib/migrations.ts";
import { openDatabase } from "../lib/sqlite.ts";
import { createPaymentHandler } from "./handlers.ts";
import { SqlitePaymentStore } from "./store.ts";

const order = { orderId: "o1", userId: "alice", amount: 1999 };
const captured = {
  id: "new-1",
  ...order,
  currency: "EUR",
  status: "captured",
  createdAt: "2024-05-06T07:08:09.000Z",
};

function openService() {
  const database = openDatabase(":memory:");
  migrate(database, new URL("./migrations/", import.meta.url));
  const store = new SqlitePaymentStore(database);
  let ids = 0;
  const handler = createPaymentHandler({
    store,
    now: () => new Date("2024-05-06T07:08:09Z"),
    newId: () => `new-${++ids}`,
    log: () => {},
  });
  const get = (path: string) => handler(new Request(`http://payment-service${path}`));
  const post = (path: string, body?: unknown, headers: Record<string, string> = {}) =>
    handler(
      new Request(`http://payment-service${path}`, {
        method: "POST",
        body: body === undefined ? null : JSON.stringify(body),
        headers: { "content-type": "application/json", ...headers },
      }),
    );
  return { get, post, [Symbol.asyncDispose]: () => store.close() };
}

async function seen(response: Response): Promise<[number, unknown]> {
  return [response.status, await response.json()];
}

Deno.test("POST /payments captures the amount, in EUR unless told", async () => {
  await using service = openService();
  const response = await service.post("/payments", order);
  assertEquals(response.headers.get("location"), "/payments/new-1");
  assertEquals(await seen(response), [201, captured]);
  assertEquals(await seen(await service.get("/payments/new-1")), [200, captured]);
  assertEquals(await seen(await service.post("/payments", { ...order, currency: "CHF" })), [201, {
    ...captured,
    id: "new-2",
    currency: "CHF",
  }]);
});

Deno.test("POST /payments with a key answers a repetition with the first payment, byte for byte", async () => {
  await using service = openService();
  const key = { "idempotency-key": "k1" };
  const first = await service.post("/payments", order, key);
  const again = await service.post("/payments", { currency: "EUR", ...order }, key);
  assertEquals([again.status, await again.text()], [first.status, await first.text()]);
  assertEquals((await service.get("/payments/new-2")).status, 404);
});

Deno.test("POST /payments answers 422 to a key that comes back with another request", async () => {
  await using service = openService();
  const key = { "idempotency-key": "k1" };
  await service.post("/payments", order, key);
  const changes = [{ amount: 1 }, { orderId: "o2" }, { userId: "bob" }, { currency: "CHF" }];
  for (const change of changes) {
    assertEquals(await seen(await service.post("/payments", { ...order, ...change }, key)), [422, {
      error: "idempotency key reused with a different request",
    }]);
  }
});

Deno.test("POST /payments takes an amount at the limit and declines one above, and keeps it", async () => {
  await using service = openService();
  assertEquals((await service.post("/payments", { ...order, amount: 1_000_000 })).status, 201);
  const declined = await service.post("/payments", { ...order, amount: 1_000_001 });
  assertEquals(await seen(declined), [402, { error: "payment declined" }]);
  const [, kept] = await seen(await service.get(declined.headers.get("location") ?? ""));
  assertEquals(kept, { ...captured, id: "new-2", amount: 1_000_001, status: "declined" });
});

Deno.test("POST /payments declines a repetition of a declined request again", async () => {
  await using service = openService();
  const ask = () =>
    service.post("/payments", { ...order, amount: 2_000_000 }, { "idempotency-key": "k" });
  const [first, again] = [await ask(), await ask()];
  assertEquals([first.status, again.status], [402, 402]);
  assertEquals(again.headers.get("location"), first.headers.get("location"));
});

Deno.test("POST /payments names every field that is wrong", async () => {
  await using service = openService();
  const body = { orderId: "", amount: 0, currency: "eur" };
  assertEquals(await seen(await service.post("/payments", body)), [400, {
    error: "invalid request",
    fields: {
      orderId: "must be a string of 1 to 128 characters",
      userId: "must be a string of 1 to 128 characters",
      amount: "must be an integer from 1 to 9007199254740991",
      currency: "must be a currency code such as EUR",
    },
  }]);
});

Deno.test("POST /payments refuses a key that is too long or has a space", async () => {
  await using service = openService();
  for (const key of ["k".repeat(256), "a b"]) {
    const response = await service.post("/payments", order, { "idempotency-key": key });
    assertEquals(await seen(response), [400, {
      error: "invalid request",
      fields: { "idempotency-key": "must be 1 to 255 visible ASCII characters" },
    }]);
  }
});

Deno.test("POST /payments/:id/refund gives the money back once and says the same again", async () => {
  await using service = openService();
  await service.post("/payments", order);
  const refunded = { ...captured, status: "refunded" };
  assertEquals(await seen(await service.post("/payments/new-1/refund")), [200, refunded]);
  assertEquals(await seen(await service.post("/payments/new-1/refund")), [200, refunded]);
});

Deno.test("POST /payments/:id/refund answers 409 to a declined payment and 404 to an unknown one", async () => {
  await using service = openService();
  await service.post("/payments", { ...order, amount: 1_000_001 });
  assertEquals(await seen(await service.post("/payments/new-1/refund")), [409, {
    error: "payment was declined",
  }]);
  const unknown = [404, { error: "payment not found" }] as [number, unknown];
  assertEquals(await seen(await service.post("/payments/nope/refund")), unknown);
  assertEquals(await seen(await service.get("/payments/nope")), unknown);
});
