// What a server connection does about clients that take their time, and about being drained.
import { assertEquals } from "@std/assert";
import { PushBody, responseOf } from "../../tests/support/messages.ts";
import { quiet } from "../../tests/support/memory_transport.ts";
import { FieldList } from "../http/fields.ts";
import type { Response } from "../http/message.ts";
import { FLAG, FRAME } from "./frame.ts";
import { data, frame, settings } from "./test_peer.ts";
import { ServerTest } from "./test_server.ts";

const INITIAL_WINDOW_SIZE = 4;
const PONG = frame(FRAME.PING, FLAG.ACK, 0, "draining");
const ANNOUNCED = ["GOAWAY 2147483647 NO_ERROR", "PING draining"];

function streaming(body: PushBody): Response {
  return { status: 200, headers: new FieldList(), body };
}

Deno.test("a server connection drains in two steps and closes behind its last stream", async () => {
  const bodies = [new PushBody(), new PushBody()];
  const server = await ServerTest.open(() => streaming(bodies[server.incoming.length - 1]!));
  const { client, connection } = server;
  await client.send(client.request(1));
  connection.drain();
  connection.drain();
  assertEquals(await client.said(), ANNOUNCED);
  // A request that crossed the announcement is still served.
  assertEquals(await client.said(client.request(3)), ["HEADERS 3 :status=200"]);
  assertEquals(await client.said(PONG), ["GOAWAY 3 NO_ERROR"]);
  // One that comes after it is not looked at: the client knows, and may send it elsewhere.
  assertEquals(await client.said(client.request(5, {}, false), data(5, "x", true)), []);
  assertEquals(client.transport.isWriteClosed, false);
  bodies[0]!.give("x", null);
  assertEquals(await client.said(), ["DATA 1 x end"]);
  assertEquals([client.transport.isWriteClosed, connection.streams], [false, 1]);
  await client.send(frame(FRAME.RST_STREAM, 0, 3, "\0\0\0\x08"));
  // FIN, and not a close: the client may be sending still.
  assertEquals([client.transport.isWriteClosed, client.transport.isClosed], [true, false]);
  await server.hangUp();
});

Deno.test("a server connection waits a second for the answer to its announcement, and no longer", async () => {
  const server = await ServerTest.open();
  server.connection.drain();
  assertEquals(await server.client.said(), ANNOUNCED);
  assertEquals(await server.sweep(0, 900), []);
  assertEquals(await server.sweep(1000), ["GOAWAY 0 NO_ERROR"]);
  assertEquals(server.client.transport.isWriteClosed, true);
  await server.sweep(1100, 3000);
  assertEquals(server.isOver, false);
  await server.sweep(3100);
  assertEquals(server.isOver, true);
});

Deno.test("a server connection closes when nothing was asked of it for too long", async () => {
  const answers: ((response: Response) => void)[] = [];
  const server = await ServerTest.open(
    () => new Promise((resolve) => void answers.push(resolve)),
    { idleTimeoutMs: 1000 },
  );
  const { client } = server;
  assertEquals(await server.sweep(0, 999), []);
  await client.send(client.request(1));
  assertEquals(await server.sweep(2000, 5000), []);
  answers[0]!(responseOf(""));
  await client.said();
  assertEquals(await server.sweep(5100, 5900), []);
  assertEquals(await server.sweep(6000), ["GOAWAY 1 NO_ERROR"]);
  await server.hangUp();
});

Deno.test("a server connection wants the preface and each field block in time", async () => {
  const limits = { headTimeoutMs: 1000 };
  const silent = new ServerTest(undefined, limits);
  await silent.client.said(silent.client.preface().slice(0, 20));
  assertEquals(await silent.sweep(0, 999), []);
  assertEquals(await silent.sweep(1000), ["GOAWAY 0 ENHANCE_YOUR_CALM"]);
  await silent.hangUp();
  const slow = await ServerTest.open(undefined, limits);
  const { client } = slow;
  await client.send(frame(FRAME.HEADERS, FLAG.END_STREAM, 1, client.block({ ":method": "GET" })));
  assertEquals(await slow.sweep(0), []);
  await client.send(frame(FRAME.CONTINUATION, 0, 1, client.block({ ":path": "/" })));
  assertEquals(await slow.sweep(500, 999), []);
  assertEquals(await slow.sweep(1000), ["GOAWAY 0 ENHANCE_YOUR_CALM"]);
  await slow.hangUp();
});

Deno.test("a server connection gives up on request bodies and readers that stand still", async () => {
  const reasons: string[] = [];
  const body = new PushBody().give("xyz");
  const server = await ServerTest.open(({ request, cancellation }) => {
    cancellation.onCancel((reason) => void reasons.push(reason.message));
    if (request.method === "GET") return streaming(body);
    return request.body.pull().then(() => responseOf(""));
  }, { streamIdleTimeoutMs: 1000 });
  const { client } = server;
  await client.send(settings([INITIAL_WINDOW_SIZE, 2]));
  await client.send(client.request(1), client.request(3, {}, false), client.request(5, {}, false));
  assertEquals(await server.sweep(0, 100, 500), []);
  await client.send(data(5, "x"));
  assertEquals(await server.sweep(1000), []);
  assertEquals(await server.sweep(1200), ["RST_STREAM 1 CANCEL"]);
  // The handler was told first, and may still answer.
  assertEquals(reasons, ["the client stopped reading", "the request body stalled"]);
  assertEquals(await server.sweep(2300), ["RST_STREAM 3 CANCEL"]);
  await server.hangUp();
});

Deno.test("a server connection lets a tunnel be silent for as long as tunnels may", async () => {
  const limits = { streamIdleTimeoutMs: 1000, tunnelIdleTimeoutMs: 10_000 };
  const reasons: string[] = [];
  const server = await ServerTest.open(({ request, cancellation }) => {
    cancellation.onCancel((reason) => void reasons.push(reason.message));
    request.body.pull().catch(() => {});
    return { status: 101, headers: new FieldList(), body: new PushBody() };
  }, limits);
  const { client } = server;
  const asked = client.request(1, { ":method": "CONNECT", ":protocol": "websocket" }, false);
  assertEquals(await client.said(asked), ["HEADERS 1 :status=200"]);
  await server.sweep(0, 100, 1200, 9900);
  assertEquals(reasons, []);
  await server.sweep(10_200);
  assertEquals(reasons, ["the request body stalled"]);
  await server.hangUp();
});

Deno.test("a server connection closes on a client that stopped reading", async () => {
  const server = await ServerTest.open(undefined, { streamIdleTimeoutMs: 1000 });
  const { client, connection } = server;
  client.transport.stall();
  client.transport.send(client.request(1));
  await quiet(client.transport);
  for (const time of [0, 999]) connection.sweep(time);
  assertEquals(client.transport.isClosed, false);
  connection.sweep(1000);
  await quiet(client.transport);
  assertEquals(server.isOver, true);
});
