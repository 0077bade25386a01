import { assertEquals, assertStringIncludes } from "@std/assert";
import { head } from "../../tests/support/http1_cases/case.ts";
import { responsesIn, ServerTest } from "../../tests/support/http1_server.ts";
import { PushBody, responseOf, textOf } from "../../tests/support/messages.ts";
import { quiet } from "../../tests/support/memory_transport.ts";
import type { ServerLimits } from "./server_connection.ts";
import { FieldList } from "../http/fields.ts";
import type { Incoming, Response } from "../http/message.ts";

const ASK = head("GET /t HTTP/1.1", "Host: a", "Connection: Upgrade", "Upgrade: Chat/2");
const GRANTED = head("HTTP/1.1 101 Switching Protocols", "connection: upgrade", "upgrade: chat/2");
const NEXT = head("GET /next HTTP/1.1", "Host: a");

/** A server whose handler grants every switch; `sent` is the client's half, once it is whole. */
class TunnelTest extends ServerTest {
  readonly received: PushBody;
  sent: string | undefined;
  sendError: Error | undefined;

  constructor(limits: Partial<ServerLimits> = {}) {
    const received = new PushBody();
    super((incoming) => this.#grant(incoming), limits);
    this.received = received;
  }

  #grant({ request, cancellation }: Incoming): Response {
    textOf(request.body).then((text) => this.sent = text, (error) => this.sendError = error);
    cancellation.onCancel((reason) => void this.received.give(reason));
    return { status: 101, headers: new FieldList(), body: this.received };
  }

  async give(piece: string | null): Promise<string> {
    this.received.give(piece);
    return await this.answer();
  }
}

Deno.test("a tunnel carries bytes both ways once the switch is granted", async () => {
  const server = new TunnelTest();
  assertEquals(await server.send(ASK), GRANTED);
  assertEquals(server.incoming[0]!.request.upgrade, "chat/2");
  assertEquals(await server.give("down"), "down");
  await server.send("up");
  await server.give(null);
  await server.hangUp();
  assertEquals([server.sent, server.outcomes], ["up", [{ bodyBytes: 4, error: undefined }]]);
});

Deno.test("a tunnel has the bytes that came with its request, cut wherever", async () => {
  for (let at = 1; at <= ASK.length + 5; at++) {
    const server = new TunnelTest();
    const bytes = ASK + "\0early";
    server.transport.send(bytes.slice(0, at));
    assertEquals(await server.send(bytes.slice(at)), GRANTED);
    await server.give(null);
    await server.hangUp();
    assertEquals(server.sent, "\0early");
  }
});

Deno.test("a tunnel whose upstream ended still carries what the client sends", async () => {
  const server = new TunnelTest();
  await server.send(ASK);
  assertEquals(await server.give("last"), "last");
  await server.give(null);
  assertEquals([server.transport.isWriteClosed, server.transport.isClosed], [true, false]);
  await server.send("more ");
  await server.send("and more");
  assertEquals(server.outcomes, []);
  await server.hangUp();
  assertEquals([server.sent, server.outcomes[0]?.error], ["more and more", undefined]);
});

Deno.test("a tunnel whose client ended still carries what the upstream sends", async () => {
  const server = new TunnelTest();
  await server.send(ASK + "bye");
  server.transport.end();
  await quiet(server.transport);
  assertEquals([server.sent, server.isOver], ["bye", false]);
  assertEquals(await server.give("more"), "more");
  await server.give(null);
  assertEquals([server.isOver, server.transport.isClosed], [true, true]);
  assertEquals(server.outcomes, [{ bodyBytes: 4, error: undefined }]);
});

Deno.test("a tunnel is called off when its client resets the connection", async () => {
  for (const hasEnded of [false, true]) {
    const server = new TunnelTest();
    await server.send(ASK);
    if (hasEnded) await server.give(null);
    server.transport.reset();
    await quiet(server.transport);
    const [{ cancellation }] = server.incoming as [Incoming];
    assertEquals(cancellation.reason?.message, "the client went away");
    assertEquals(server.sendError?.message, "the downstream closed the connection within a body");
    assertEquals([server.isOver, server.outcomes.length], [true, 1]);
  }
});

Deno.test("a tunnel is cut when its upstream breaks", async () => {
  const server = new TunnelTest();
  await server.send(ASK);
  server.received.give(new Error("reset"));
  await quiet(server.transport);
  assertEquals([server.isOver, server.transport.isClosed], [true, true]);
  assertEquals(server.outcomes[0]?.error === undefined, false);
  assertEquals(
    server.sendError === undefined && server.sent === undefined,
    false,
    "who reads ends",
  );
});

Deno.test("a tunnel ends when the upstream ended and takes no more", async () => {
  const server = new TunnelTest();
  await server.send(ASK);
  await server.give(null);
  server.incoming[0]!.request.body.cancel();
  server.transport.end();
  await quiet(server.transport);
  assertEquals([server.isOver, server.transport.isClosed], [true, true]);
});

Deno.test("a tunnel outlives a drain and not an abort", async () => {
  const server = new TunnelTest();
  await server.send(ASK);
  server.connection.drain();
  assertEquals(await server.give("still here"), "still here");
  server.connection.abort();
  await quiet(server.transport);
  assertEquals([server.isOver, server.transport.isClosed], [true, true]);
  const [{ cancellation }] = server.incoming as [Incoming];
  assertEquals(cancellation.reason?.message, "the connection was cut by shutdown");
});

Deno.test("an abort ends a tunnel whose client does not read", async () => {
  const server = new TunnelTest();
  await server.send(ASK);
  server.transport.stall();
  server.received.give("never read");
  await quiet(server.transport);
  server.connection.abort();
  await quiet(server.transport);
  assertEquals([server.isOver, server.received.isCancelled], [true, true]);
});

Deno.test("a tunnel may be silent for its own idle timeout and no longer", async () => {
  const server = new TunnelTest({ idleTimeoutMs: 1000, tunnelIdleTimeoutMs: 10_000 });
  await server.send(ASK);
  await server.sweep(0, 9999);
  assertEquals(server.isOver, false);
  await server.sweep(10_000);
  assertEquals([server.isOver, server.outcomes[0]?.error?.message], [true, "the tunnel lay idle"]);
});

Deno.test("a byte in either direction starts a tunnel's idle timeout anew", async () => {
  const server = new TunnelTest({ idleTimeoutMs: 1000, tunnelIdleTimeoutMs: 10_000 });
  await server.send(ASK);
  await server.sweep(0, 9000);
  await server.send("up");
  await server.sweep(10_000, 19_000);
  await server.give("down");
  await server.sweep(20_000, 29_000);
  assertEquals(server.isOver, false);
  await server.sweep(30_000);
  assertEquals(server.isOver, true);
});

Deno.test("a refused switch is an exchange like any other, and the next request follows", async () => {
  for (const isPipelined of [true, false]) {
    const server = new ServerTest(async ({ request }) => {
      if (request.upgrade === undefined) return responseOf("plain");
      await Promise.resolve();
      return responseOf("no", 403);
    });
    let text = await server.send(ASK + (isPipelined ? NEXT : ""));
    if (!isPipelined) text += await server.send(NEXT);
    assertEquals(responsesIn(text), ["403 Forbidden|no", "200 OK|plain"]);
    assertEquals(await textOf(server.incoming[0]!.request.body), "");
    await server.hangUp();
  }
});

Deno.test("whoever waits for a tunnel hears when its client goes away before the switch", async () => {
  const server = new ServerTest(({ cancellation }) =>
    new Promise((_, reject) => cancellation.onCancel(reject))
      .catch(() => responseOf("late", 499)) as Promise<Response>
  );
  await server.send(ASK);
  const read = textOf(server.incoming[0]!.request.body);
  await server.hangUp();
  assertEquals(await read, "");
});

Deno.test("a tunnel that is granted to a client already cut has no bytes, and gives up the upstream's", async () => {
  const { promise, resolve } = Promise.withResolvers<Response>();
  const server = new ServerTest(() => promise);
  await server.send(ASK);
  const read = textOf(server.incoming[0]!.request.body);
  server.connection.abort();
  const body = new PushBody();
  resolve({ status: 101, headers: new FieldList(), body });
  await quiet(server.transport);
  assertEquals([server.isOver, body.isCancelled, await read], [true, true, ""]);
});

Deno.test("a switch follows what the handler said before it", async () => {
  const server = new ServerTest((incoming) => {
    incoming.sendInterim({ status: 103, headers: FieldList.of({ link: "x" }) });
    textOf(incoming.request.body);
    return { status: 101, headers: new FieldList(), body: new PushBody().give("hi", null) };
  });
  const text = await server.send(ASK);
  assertEquals(text, head("HTTP/1.1 103 Early Hints", "link: x") + GRANTED + "hi");
  await server.hangUp();
});

Deno.test("a switch by HEAD or POST without a body is as good as one by GET", async () => {
  for (const ask of [ASK.replace("GET", "HEAD"), ASK.replace("GET", "POST"), posted("0")]) {
    const server = new TunnelTest();
    assertEquals(await server.send(ask), GRANTED);
    assertEquals(await server.give("x"), "x");
    await server.give(null);
    await server.hangUp();
  }
});

function posted(length: string): string {
  return head(
    "POST /t HTTP/1.1",
    "Host: a",
    "Connection: upgrade",
    "Upgrade: chat/2",
    `Content-Length: ${length}`,
  );
}

Deno.test("a wish to switch is not heard where it cannot be granted", async () => {
  const asks: Record<string, string> = {
    "h2c": ASK.replace("Chat/2", "h2c"),
    "H2C": ASK.replace("Chat/2", "H2C"),
    "several protocols": ASK.replace("Chat/2", "chat, h2c"),
    "no token": ASK.replace("Chat/2", "ch@t"),
    "nothing but a slash": ASK.replace("Chat/2", "/"),
    "not named by Connection": ASK.replace("Connection: Upgrade", "Connection: keep-alive"),
    "HTTP/1.0": ASK.replace("HTTP/1.1", "HTTP/1.0"),
    "a body": posted("2") + "hi",
  };
  for (const [what, ask] of Object.entries(asks)) {
    const server = new ServerTest();
    assertStringIncludes(await server.send(ask), " 200 OK\r\n", what);
    const { request } = server.incoming[0]!;
    assertEquals(request.upgrade, undefined, what);
    assertEquals(
      [...request.headers].map(([name]) => name.toLowerCase()).includes("upgrade"),
      false,
    );
    if (request.version === "1.1") await server.hangUp();
  }
});

Deno.test("a WebSocket's key is answered where the upstream had none", async () => {
  const server = new TunnelTest();
  const key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";
  const text = await server.send(
    head("GET / HTTP/1.1", "Host: a", "Connection: upgrade", "Upgrade: websocket", key),
  );
  assertStringIncludes(text, "sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n");
  await server.give(null);
  await server.hangUp();
});
