// With real servers on free loopback ports: what goes out as authority, deadline and metadata can only be seen there.

import { assertEquals } from "@std/assert";
import { status } from "@grpc/grpc-js";
import { type Answer, connect, serve, untilFound } from "./test_upstreams.ts";
import type { CallFailure } from "./upstreams.ts";

/** A client of a server that answers as told, and what that server saw. */
async function open(answer: () => Answer | Promise<Answer>, timeoutMs?: number) {
  const server = await serve(answer);
  const client = connect(server.port, timeoutMs);
  const close = () => {
    client[Symbol.dispose]();
    server.stop();
  };
  return { client, ...server, [Symbol.dispose]: close };
}

const order = { orderId: "o1", userId: "alice", amount: 1999 };
const failed = (reason: CallFailure["reason"]): CallFailure => ({ kind: "failed", reason });

Deno.test("GrpcUpstreams asks the user service by its authority, with the trace and three seconds", async () => {
  using outbound = await open(() => ({ message: { userId: "a/b" } }));
  const trace = { "x-request-id": "r1", traceparent: "00-1" };
  assertEquals(await outbound.client.findUser("a/b", trace), { kind: "found" });
  const [call] = outbound.seen;
  assertEquals([call?.path, call?.authority], ["/user.UserService/GetUser", "user-service"]);
  assertEquals([call?.request, call?.secondsLeft], [{ userId: "a/b" }, 3]);
  assertEquals([call?.metadata["x-request-id"], call?.metadata.traceparent], ["r1", "00-1"]);
});

Deno.test("GrpcUpstreams pays at the payment service under the order's id as key", async () => {
  using outbound = await open(() => ({ message: { id: "p1" } }));
  const result = await outbound.client.pay(order, { b3: "0" });
  assertEquals(result, { kind: "captured", paymentId: "p1" });
  const [call] = outbound.seen;
  assertEquals(call?.authority, "payment-service");
  assertEquals(call?.path, "/payment.PaymentService/CreatePayment");
  assertEquals(call?.request, { ...order, currency: "", idempotencyKey: "o1" });
  assertEquals([call?.secondsLeft, call?.metadata.b3], [3, "0"]);
});

Deno.test("GrpcUpstreams leaves out a trace header that gRPC cannot carry", async () => {
  using outbound = await open(() => ({ message: {} }));
  const trace = { "x-request-id": "caf\u00e9", b3: "0" };
  assertEquals(await outbound.client.findUser("1", trace), { kind: "found" });
  const [call] = outbound.seen;
  assertEquals([call?.metadata["x-request-id"], call?.metadata.b3], [undefined, "0"]);
});

Deno.test("GrpcUpstreams believes NOT_FOUND only of the user service itself", async () => {
  let details = "user not found";
  using outbound = await open(() => ({ code: status.NOT_FOUND, details }));
  assertEquals(await outbound.client.findUser("9", {}), { kind: "unknown" });
  details = "no route";
  assertEquals(await outbound.client.findUser("9", {}), failed("broken"));
});

Deno.test("GrpcUpstreams tells a declined payment from a failed one", async () => {
  let answer: Answer = { code: status.FAILED_PRECONDITION, details: "payment declined" };
  using outbound = await open(() => answer);
  assertEquals(await outbound.client.pay(order, {}), { kind: "declined" });
  const reasons = [
    [status.FAILED_PRECONDITION, "broken"],
    [status.UNAVAILABLE, "unreachable"],
    [status.DEADLINE_EXCEEDED, "timeout"],
    [status.INTERNAL, "broken"],
    [status.RESOURCE_EXHAUSTED, "broken"],
  ] as const;
  for (const [code, reason] of reasons) {
    answer = { code, details: "x" };
    assertEquals(await outbound.client.pay(order, {}), failed(reason));
    assertEquals(await outbound.client.findUser("1", {}), failed(reason));
  }
});

Deno.test("GrpcUpstreams calls a captured payment broken that has no id", async () => {
  using outbound = await open(() => ({ message: {} }));
  assertEquals(await outbound.client.pay(order, {}), failed("broken"));
});

Deno.test("GrpcUpstreams gives up at its timeout", async () => {
  const release = Promise.withResolvers<Answer>();
  using outbound = await open(() => release.promise, 50);
  assertEquals(await outbound.client.pay(order, {}), failed("timeout"));
  release.resolve({ message: {} });
});

Deno.test("GrpcUpstreams repeats nothing by itself", async () => {
  using outbound = await open(() => ({ code: status.UNAVAILABLE, details: "x" }));
  await outbound.client.pay(order, {});
  assertEquals(outbound.seen.length, 1);
});

Deno.test("GrpcUpstreams finds nobody where nothing listens, and somebody soon after they do", async () => {
  const listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const { port } = listener.addr;
  listener.close();
  using client = connect(port);
  assertEquals(await client.findUser("1", {}), failed("unreachable"));
  const server = await serve(() => ({ message: {} }), port);
  await untilFound(client);
  server.stop();
});

Deno.test("GrpcUpstreams fails the call under way when the proxy dies, and works again soon after it is back", async () => {
  const asked = Promise.withResolvers<void>();
  const never = Promise.withResolvers<Answer>();
  const first = await serve(() => (asked.resolve(), never.promise));
  using client = connect(first.port);
  const underWay = client.pay(order, {});
  await asked.promise;
  first.stop();
  assertEquals((await underWay).kind, "failed");
  assertEquals(await client.findUser("1", {}), failed("unreachable"));
  const second = await serve(() => ({ message: { id: "p1" } }), first.port);
  await untilFound(client);
  assertEquals(await client.pay(order, {}), { kind: "captured", paymentId: "p1" });
  never.resolve({});
  second.stop();
});

Deno.test("GrpcUpstreams keeps one connection for a hundred calls at once", async () => {
  using outbound = await open(() => ({ message: { userId: "1" } }));
  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, index) => outbound.client.findUser(String(index), {})),
  );
  assertEquals(answers.every(({ kind }) => kind === "found"), true);
  assertEquals([outbound.seen.length, new Set(outbound.seen.map(({ peer }) => peer)).size], [
    100,
    1,
  ]);
});

Deno.test("GrpcUpstreams ends its call in peace when the proxy says GOAWAY, and takes the next connection", async () => {
  const [asked, release] = [Promise.withResolvers<void>(), Promise.withResolvers<Answer>()];
  const first = await serve(() => (asked.resolve(), release.promise));
  using client = connect(first.port);
  const underWay = client.pay(order, {});
  await asked.promise;
  const drained = first.drain();
  release.resolve({ message: { id: "p1" } });
  assertEquals(await underWay, { kind: "captured", paymentId: "p1" });
  await drained;
  const second = await serve(() => ({ message: {} }), first.port);
  await untilFound(client);
  second.stop();
});
