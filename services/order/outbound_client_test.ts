// With a real server on a free loopback port: whether fetch sends the Host it is told to can only be seen on the wire.

import { assertEquals } from "@std/assert";
import { OutboundClient } from "./outbound_client.ts";
import type { CallFailure } from "./upstreams.ts";

interface Seen {
  readonly method: string;
  readonly path: string;
  readonly host: string | null;
  readonly body: string;
  readonly headers: Headers;
}

/** A client of a server that answers as told, and what that server saw. */
function open(answer: () => Response | Promise<Response>, timeoutMs = 10_000) {
  const seen: Seen[] = [];
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, async (request) => {
    const { method, headers } = request;
    const path = request.url.slice(request.url.indexOf("/", "http://".length));
    seen.push({ method, path, host: headers.get("host"), body: await request.text(), headers });
    return await answer();
  });
  const client = new OutboundClient({
    url: new URL(`http://127.0.0.1:${server.addr.port}`),
    timeoutMs,
  });
  const close = async () => {
    client[Symbol.dispose]();
    await server.shutdown();
  };
  return { client, seen, [Symbol.asyncDispose]: close };
}

const order = { orderId: "o1", userId: "alice", amount: 1999 };
const failed = (reason: CallFailure["reason"]): CallFailure => ({ kind: "failed", reason });

Deno.test("OutboundClient asks the user service by its Host and hands the trace on", async () => {
  await using outbound = open(() => Response.json({ id: "a/b" }));
  assertEquals(await outbound.client.findUser("a/b", { traceparent: "00-1" }), { kind: "found" });
  const [call] = outbound.seen;
  assertEquals([call?.method, call?.path, call?.host], ["GET", "/users/a%2Fb", "user-service"]);
  assertEquals(call?.headers.get("traceparent"), "00-1");
});

Deno.test("OutboundClient pays at the payment service under the order's id as key", async () => {
  await using outbound = open(() => Response.json({ id: "p1" }, { status: 201 }));
  const result = await outbound.client.pay(order, { b3: "0" });
  assertEquals(result, { kind: "captured", paymentId: "p1" });
  const [call] = outbound.seen;
  assertEquals([call?.method, call?.path, call?.host], ["POST", "/payments", "payment-service"]);
  assertEquals(JSON.parse(call?.body ?? ""), order);
  const sent = ["content-type", "idempotency-key", "b3"].map((name) => call?.headers.get(name));
  assertEquals(sent, ["application/json", "o1", "0"]);
});

Deno.test("OutboundClient believes a 404 only of the user service itself", async () => {
  let error = "user not found";
  await using outbound = open(() => Response.json({ error }, { status: 404 }));
  assertEquals(await outbound.client.findUser("9", {}), { kind: "unknown" });
  error = "no route";
  assertEquals(await outbound.client.findUser("9", {}), failed("broken"));
});

Deno.test("OutboundClient asks nobody about a user id that would change the path", async () => {
  await using outbound = open(() => Response.json({}));
  assertEquals(await outbound.client.findUser("..", {}), { kind: "unknown" });
  assertEquals(await outbound.client.findUser(".", {}), { kind: "unknown" });
  assertEquals(outbound.seen, []);
});

Deno.test("OutboundClient tells a declined payment from a failed one", async () => {
  let status = 402;
  await using outbound = open(() => Response.json({ error: "x" }, { status }));
  assertEquals(await outbound.client.pay(order, {}), { kind: "declined" });
  for (const [code, reason] of [[503, "unreachable"], [504, "timeout"], [500, "broken"]] as const) {
    status = code;
    assertEquals(await outbound.client.pay(order, {}), failed(reason));
    assertEquals(await outbound.client.findUser("1", {}), failed(reason));
  }
});

Deno.test("OutboundClient calls an answer broken that is no JSON, has no id or never ends", async () => {
  const endless = () =>
    new ReadableStream({
      pull: (controller) => controller.enqueue(new Uint8Array(65_536).fill(32)),
    });
  const answers = ["<html>", '{"status":"captured"}', "null", endless];
  for (const body of answers) {
    await using outbound = open(() =>
      new Response(typeof body === "string" ? body : body(), { status: 201 })
    );
    assertEquals(await outbound.client.pay(order, {}), failed("broken"));
  }
});

Deno.test("OutboundClient follows no redirect", async () => {
  await using outbound = open(() =>
    Response.json({}, { status: 302, headers: { location: "/elsewhere" } })
  );
  assertEquals(await outbound.client.findUser("1", {}), failed("broken"));
  assertEquals(outbound.seen.length, 1);
});

Deno.test("OutboundClient gives up at its timeout", async () => {
  const release = Promise.withResolvers<Response>();
  await using outbound = open(() => release.promise, 50);
  assertEquals(await outbound.client.pay(order, {}), failed("timeout"));
  release.resolve(Response.json({}));
});

Deno.test("OutboundClient finds nobody where nothing listens", async () => {
  const listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const { port } = listener.addr;
  listener.close();
  using client = new OutboundClient({
    url: new URL(`http://127.0.0.1:${port}`),
    timeoutMs: 10_000,
  });
  assertEquals(await client.findUser("1", {}), failed("unreachable"));
});
