import { assertEquals } from "@std/assert";
import { PushBody, responseOf, textOf } from "../../tests/support/messages.ts";
import { EMPTY_BODY } from "../http/body.ts";
import { FieldList } from "../http/fields.ts";
import type { Incoming, Response } from "../http/message.ts";
import { FLAG, FRAME } from "./frame.ts";
import { data, frame, joined, reset, windowUpdate } from "./test_peer.ts";
import { ServerTest } from "./test_server.ts";

const CANCEL = 8;

function streaming(body: PushBody, fields: Record<string, string> = {}): Response {
  return { status: 200, headers: FieldList.of(fields), body };
}

Deno.test("a server connection answers one request after another", async () => {
  const server = await ServerTest.open();
  for (const id of [1, 3, 5]) {
    const answer = await server.client.said(server.client.request(id));
    assertEquals(answer, [
      `HEADERS ${id} :status=200 content-length=6`,
      `DATA ${id} GET /${id} end`,
    ]);
  }
  await server.hangUp();
  assertEquals(server.outcomes, Array(3).fill({ bodyBytes: 6, error: undefined }));
});

Deno.test("a server connection hands over what the request said", async () => {
  const server = await ServerTest.open();
  const { client } = server;
  await client.send(client.request(1, { "te": "trailers", "x": "z", "cookie": "a=1" }));
  const { request, peer } = server.incoming[0]!;
  const { method, form, scheme, authority, target, version, acceptsTrailers, upgrade } = request;
  assertEquals(
    [method, form, scheme, authority, target, version, acceptsTrailers, upgrade],
    ["GET", "origin", "http", "a", "/1", "2", true, undefined],
  );
  assertEquals([...request.headers], [["host", "a"], ["x", "z"], ["cookie", "a=1"]]);
  assertEquals([peer, request.body], [{ host: "192.0.2.7", port: 4711 }, EMPTY_BODY]);
  await server.hangUp();
});

Deno.test("a server connection gives the same answers however the bytes are cut", async () => {
  const echo = async ({ request }: Incoming) =>
    responseOf(`${request.target} ${await textOf(request.body)}`);
  for (let size = 1; size < 60; size++) {
    const server = new ServerTest(echo);
    const { client } = server;
    client.transport.maxRead = size;
    const frames = [client.preface(), client.request(1), client.request(3, {}, false)];
    const lines = await client.said(...frames, data(3, "hel"), data(3, "lo", true));
    const bodies = lines.filter((line) => line.startsWith("DATA"));
    assertEquals(bodies, ["DATA 1 /1  end", "DATA 3 /3 hello end"], `${size} bytes a read`);
    await server.hangUp();
  }
});

Deno.test("a server connection goes on with bytes that were read before it", async () => {
  const preface = new ServerTest().client.preface();
  const server = new ServerTest(undefined, {}, joined(preface).slice(0, 30));
  const lines = await server.client.said(preface.slice(30), server.client.request(1));
  assertEquals(lines[1], "DATA 1 GET /1 end");
  await server.hangUp();
});

Deno.test("a server connection hands over a small body together with its head", async () => {
  const bodies: (string | undefined)[] = [];
  const server = await ServerTest.open(({ request }) => {
    const whole = request.body.whole();
    bodies.push(whole && new TextDecoder().decode(whole));
    return responseOf("");
  });
  const { client } = server;
  await client.send(client.request(1, {}, false), data(1, "he"), data(1, "llo", true));
  await client.send(client.request(3, {}, false), data(3, "hello"));
  assertEquals(bodies, ["hello", undefined]);
  await server.hangUp();
});

Deno.test("a server connection does not begin what was reset in the same read", async () => {
  const server = await ServerTest.open();
  const { client } = server;
  await client.send(client.request(1), reset(1, CANCEL), client.request(3));
  assertEquals(server.incoming.map(({ request }) => request.target), ["/3"]);
  await server.hangUp();
});

Deno.test("a server connection passes trailers both ways", async () => {
  let trailers: unknown;
  const body = new PushBody();
  body.trailers = FieldList.of({ "grpc-status": "0" });
  const server = await ServerTest.open(async ({ request }) => {
    await textOf(request.body);
    trailers = [...request.body.trailers ?? []];
    return streaming(body);
  });
  const { client } = server;
  const sent = [client.request(1, {}, false), data(1, "x"), client.head(1, { a: "b" }, true)];
  assertEquals(await client.said(...sent), ["HEADERS 1 :status=200"]);
  assertEquals(trailers, [["a", "b"]]);
  body.give("one", null);
  assertEquals(await client.said(), ["DATA 1 one", "HEADERS 1 grpc-status=0 end"]);
  await server.hangUp();
});

Deno.test("a server connection sends no body with HEAD, 204 and 304, and one HEADERS for an empty one", async () => {
  const body = new PushBody().give("x", null);
  for (
    const [status, method, headers, expected] of [
      [200, "HEAD", { "content-length": "5" }, ":status=200 content-length=5"],
      [204, "GET", {}, ":status=204"],
      [304, "GET", { "content-length": "5" }, ":status=304 content-length=5"],
    ] as const
  ) {
    const server = await ServerTest.open(() => ({ status, headers: FieldList.of(headers), body }));
    const { client } = server;
    const lines = await client.said(client.request(1, { ":method": method }));
    assertEquals(lines, [`HEADERS 1 ${expected} end`]);
    assertEquals(body.isCancelled, true);
    await server.hangUp();
  }
  const server = await ServerTest.open(() => ({
    status: 200,
    headers: FieldList.of({ "grpc-status": "5" }),
    body: EMPTY_BODY,
  }));
  assertEquals(await server.client.said(server.client.request(1)), [
    "HEADERS 1 :status=200 grpc-status=5 end",
  ]);
  await server.hangUp();
});

Deno.test("a server connection passes informational responses on, before the response alone", async () => {
  const server = await ServerTest.open((incoming) => {
    incoming.sendInterim({ status: 103, headers: FieldList.of({ link: "x" }) });
    return responseOf("ok");
  });
  const { client } = server;
  assertEquals(await client.said(client.request(1)), [
    "HEADERS 1 :status=103 link=x",
    "HEADERS 1 :status=200 content-length=2",
    "DATA 1 ok end",
  ]);
  server.incoming[0]!.sendInterim({ status: 103, headers: new FieldList() });
  assertEquals(await client.said(), []);
  await server.hangUp();
});

Deno.test("a server connection lets response and request body run at once", async () => {
  const response = new PushBody();
  const server = await ServerTest.open(() => streaming(response));
  const { client } = server;
  await client.send(client.request(1, {}, false));
  const { body } = server.incoming[0]!.request;
  for (const word of ["one", "two"]) {
    response.give(word);
    assertEquals(await client.said(data(1, word)), [`DATA 1 ${word}`]);
    assertEquals(new TextDecoder().decode(body.take()!), word);
  }
  // The response is over before the request: the rest of that is not wanted (8.1).
  response.give(null);
  assertEquals(await client.said(), ["DATA 1  end", "RST_STREAM 1 NO_ERROR"]);
  assertEquals(await client.said(data(1, "late"), client.head(1, { a: "b" }, true)), []);
  assertEquals(server.endings, [undefined]);
  await server.hangUp();
});

Deno.test("a server connection takes an extended CONNECT for an upgrade and its 101 for 200", async () => {
  const down = new PushBody();
  const server = await ServerTest.open(({ request }) => {
    assertEquals([request.method, request.upgrade, request.target], ["GET", "websocket", "/chat"]);
    return { status: 101, headers: FieldList.of({ "content-length": "0" }), body: down };
  });
  const { client } = server;
  const connect = { ":method": "CONNECT", ":protocol": "websocket", ":path": "/chat" };
  const open = client.request(1, connect, false);
  assertEquals(await client.said(open), ["HEADERS 1 :status=200"]);
  assertEquals(await client.said(data(1, "up")), []);
  const { body } = server.incoming[0]!.request;
  assertEquals([body.length, new TextDecoder().decode(body.take()!)], [undefined, "up"]);
  // Either side may end before the other (8.5).
  down.give("down", null);
  assertEquals(await client.said(), ["DATA 1 down end"]);
  assertEquals(server.outcomes, []);
  await client.said(data(1, "more", true));
  assertEquals(new TextDecoder().decode(body.take()!), "more");
  assertEquals(server.endings, [undefined]);
  await server.hangUp();
});

Deno.test("a server connection hands a plain CONNECT over as one, and refuses HEADERS within a tunnel", async () => {
  const server = await ServerTest.open(() => streaming(new PushBody()));
  const { client } = server;
  const connect = client.head(1, { ":method": "CONNECT", ":authority": "b:443" });
  assertEquals(await client.said(connect), ["HEADERS 1 :status=200"]);
  const { method, form, authority, target } = server.incoming[0]!.request;
  assertEquals([method, form, authority, target], ["CONNECT", "authority", "b:443", "b:443"]);
  assertEquals(await client.said(client.head(1, { a: "b" }, true)), [
    "RST_STREAM 1 PROTOCOL_ERROR",
  ]);
  await server.hangUp();
});

Deno.test("a server connection spreads a large head over CONTINUATION, no larger than the client takes", async () => {
  const headers = FieldList.of({ x: "y".repeat(40_000), z: "~".repeat(40_000) });
  const server = await ServerTest.open(() => ({ status: 200, headers, body: EMPTY_BODY }));
  const lines = await server.client.said(server.client.request(1));
  assertEquals(lines[0], "HEADERS 1 ... end");
  assertEquals(new Set(lines.slice(1)), new Set(["CONTINUATION 1"]));
  await server.hangUp();
});

Deno.test("a server connection ignores frames that it does not know, and answers PING", async () => {
  const server = await ServerTest.open();
  const { client } = server;
  const unknown = frame(0xfe, 0xff, 1, "whatever");
  const lines = await client.said(unknown, frame(FRAME.PING, 0, 0, "12345678"), client.request(1));
  assertEquals([lines[0], lines.length], ["PING 12345678 ack", 3]);
  assertEquals(await client.said(frame(FRAME.PING, FLAG.ACK, 0, "12345678")), []);
  assertEquals(await client.said(windowUpdate(1, 1)), []);
  await server.hangUp();
});
