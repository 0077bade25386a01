import { assertEquals, assertRejects } from "@std/assert";
import { Metadata, status } from "@grpc/grpc-js";
import { InvalidRequest } from "../lib/fields.ts";
import { GrpcError } from "../lib/grpc_method.ts";
import { migrate } from "../lib/migrations.ts";
import { openDatabase } from "../lib/sqlite.ts";
import { callMethod } from "../lib/test_grpc.ts";
import { paymentGrpc } from "./grpc.ts";
import { SqlitePaymentStore } from "./store.ts";

const order = { orderId: "o1", userId: "alice", amount: 1999, currency: "", idempotencyKey: "" };
const captured = {
  id: "new-1",
  orderId: "o1",
  userId: "alice",
  amount: 1999,
  currency: "EUR",
  status: "CAPTURED",
  createdAt: "2024-05-06T07:08:09.000Z",
};

function openService() {
  const database = openDatabase(":memory:");
  migrate(database, new URL("./migrations/", import.meta.url));
  const store = new SqlitePaymentStore(database);
  let ids = 0;
  const now = () => new Date("2024-05-06T07:08:09Z");
  const service = paymentGrpc({ store, now, newId: () => `new-${++ids}` });
  const call = (name: string, request: object, entries?: Record<string, string>) =>
    callMethod(service, name, request, entries);
  return { service, call, [Symbol.asyncDispose]: () => store.close() };
}

Deno.test("CreatePayment takes a payment that GetPayment then finds", async () => {
  await using service = openService();
  assertEquals(await service.call("CreatePayment", order), captured);
  assertEquals(await service.call("GetPayment", { paymentId: "new-1" }), captured);
  const francs = await service.call("CreatePayment", { ...order, currency: "CHF" });
  assertEquals(francs, { ...captured, id: "new-2", currency: "CHF" });
});

Deno.test("CreatePayment takes money once for a key, in the message or in the metadata", async () => {
  await using service = openService();
  const keyed = { ...order, idempotencyKey: "k1" };
  const entries = { "idempotency-key": "k1" };
  assertEquals(await service.call("CreatePayment", keyed), captured);
  assertEquals(await service.call("CreatePayment", keyed), captured);
  assertEquals(await service.call("CreatePayment", order, entries), captured);
  assertEquals(await service.call("CreatePayment", { ...keyed, amount: 1 }), [
    status.ALREADY_EXISTS,
    "idempotency key reused with a different request",
  ]);
});

Deno.test("CreatePayment declines above the limit, keeps the payment and names it in the trailers", async () => {
  await using service = openService();
  const { CreatePayment } = service.service.methods;
  const request = { ...order, amount: 1_000_001 } as never;
  const error = await assertRejects(() => CreatePayment!(request, new Metadata()), GrpcError);
  assertEquals([error.code, error.message], [status.FAILED_PRECONDITION, "payment declined"]);
  assertEquals(error.trailers, { "payment-id": "new-1" });
  const kept = await service.call("GetPayment", { paymentId: "new-1" });
  assertEquals(kept, { ...captured, amount: 1_000_001, status: "DECLINED" });
});

Deno.test("CreatePayment refuses by the same rules as HTTP", async () => {
  await using service = openService();
  const error = await assertRejects(
    () => service.call("CreatePayment", { ...order, orderId: "", amount: 0, currency: "eur" }),
    InvalidRequest,
  );
  assertEquals(Object.keys(error.fields), ["orderId", "amount", "currency"]);
  const keyed = { ...order, idempotencyKey: "a b" };
  await assertRejects(() => service.call("CreatePayment", keyed), InvalidRequest);
});

Deno.test("RefundPayment gives the money back once and says the same again", async () => {
  await using service = openService();
  await service.call("CreatePayment", order);
  const refunded = { ...captured, status: "REFUNDED" };
  assertEquals(await service.call("RefundPayment", { paymentId: "new-1" }), refunded);
  assertEquals(await service.call("RefundPayment", { paymentId: "new-1" }), refunded);
});

Deno.test("RefundPayment answers FAILED_PRECONDITION to a declined payment and NOT_FOUND to an unknown one", async () => {
  await using service = openService();
  await service.call("CreatePayment", { ...order, amount: 1_000_001 });
  assertEquals(await service.call("RefundPayment", { paymentId: "new-1" }), [
    status.FAILED_PRECONDITION,
    "payment was declined",
  ]);
  const unknown = [status.NOT_FOUND, "payment not found"] as const;
  assertEquals(await service.call("RefundPayment", { paymentId: "nope" }), unknown);
  assertEquals(await service.call("GetPayment", { paymentId: "" }), unknown);
});
