import { assertEquals, assertStringIncludes } from "@std/assert";
import { PushBody, rawFields, textOf } from "../../tests/support/messages.ts";
import { quiet } from "../../tests/support/memory_transport.ts";
import { ProxyError } from "../errors.ts";
import { BytesBody } from "../http/body.ts";
import { FieldList } from "../http/fields.ts";
import { latin1Bytes } from "../lib/bytes.ts";
import { ClientTest } from "./test_client.ts";
import { data, goaway, reset, settings } from "./test_peer.ts";

const CANCEL = 8, REFUSED_STREAM = 7, NO_ERROR = 0, ENHANCE_YOUR_CALM = 11;
const MAX_CONCURRENT_STREAMS = 3, ENABLE_CONNECT_PROTOCOL = 8;

const CALLED_OFF = new ProxyError("deadline", "too late", { side: "upstream" });

Deno.test("a client connection sends a request and reads its response", async () => {
  const client = await ClientTest.open();
  const { server } = client;
  const sent = client.begin();
  const head = ":method=GET :scheme=http :path=/ :authority=a";
  assertEquals(await server.said(), [`HEADERS 1 ${head} end`]);
  await server.send(server.head(1, { ":status": "200", x: "y" }), data(1, "hel"));
  assertEquals(sent.response?.status, 200);
  await server.send(data(1, "lo", true));
  assertEquals([sent.text, [...sent.response!.headers]], ["hello", [["x", "y"]]]);
  assertEquals([client.connection.streams, client.connection.exchanges], [0, 1]);
  client.connection.close();
});

Deno.test("a client connection sends before its peer said anything", async () => {
  const client = new ClientTest();
  assertEquals(client.connection.room, 100);
  client.begin();
  const lines = await client.server.answer();
  assertEquals(lines.map((line) => line.split(" ")[0]), ["SETTINGS", "WINDOW_UPDATE", "HEADERS"]);
  client.connection.close();
});

Deno.test("a client connection sends what came by HTTP/1.1 in the words of HTTP/2", async () => {
  const client = await ClientTest.open();
  const headers = rawFields("Host: b:81", "X-Some: Thing", "Content-Length: 2");
  const body = new BytesBody(latin1Bytes("hi"));
  const parts = { method: "PUT", headers, body, target: "/x?y", acceptsTrailers: true };
  client.begin(parts);
  assertEquals(await client.server.said(), [
    "HEADERS 1 :method=PUT :scheme=http :path=/x?y :authority=b:81 x-some=Thing content-length=2 te=trailers",
    "DATA 1 hi end",
  ]);
  client.connection.close();
});

Deno.test("a client connection makes content-length say what the body is", async () => {
  const client = await ClientTest.open();
  const headers = () => FieldList.of({ "content-length": "9" });
  client.begin({ method: "POST", headers: headers(), body: new BytesBody(latin1Bytes("hi")) });
  client.begin({ method: "POST", headers: headers(), body: new PushBody().give("hi", null) });
  assertEquals((await client.server.said()).map((line) => line.replace(/.*:authority=a/, "")), [
    " content-length=2",
    "DATA 1 hi end",
    "",
    "DATA 3 hi end",
  ]);
  client.connection.close();
});

Deno.test("a client connection passes informational responses and trailers on", async () => {
  const client = await ClientTest.open();
  const { server } = client;
  const sent = client.begin();
  await server.send(server.head(1, { ":status": "103", link: "x" }));
  await server.send(server.head(1, { ":status": "200" }), data(1, "ok"));
  await server.send(server.head(1, { "grpc-status": "0", "content-length": "7" }, true));
  assertEquals(sent.interims.map(({ status, headers }) => [status, ...headers]), [
    [103, ["link", "x"]],
  ]);
  assertEquals([sent.text, [...sent.response!.body.trailers!]], ["ok", [["grpc-status", "0"]]]);
  client.connection.close();
});

Deno.test("a client connection sends trailers, and ends a request in its last frame", async () => {
  const client = await ClientTest.open();
  const body = new PushBody();
  body.trailers = FieldList.of({ a: "b", "x-user-id": "root" });
  client.begin({ method: "POST", body });
  await client.server.said();
  body.give("one", "two", null);
  assertEquals(await client.server.said(), ["DATA 1 one", "DATA 1 two", "HEADERS 1 a=b end"]);
  const plain = new PushBody();
  client.begin({ method: "POST", body: plain });
  await client.server.said();
  plain.give("one", null);
  assertEquals(await client.server.said(), ["DATA 3 one end"]);
  client.connection.close();
});

Deno.test("a client connection does not take the length of another response for one of its own", async () => {
  const client = await ClientTest.open();
  const { server } = client;
  const head = client.begin({ method: "HEAD" });
  const cached = client.begin();
  const bad = client.begin({ method: "HEAD" });
  await server.send(server.head(1, { ":status": "200", "content-length": "5" }, true));
  await server.send(server.head(3, { ":status": "304", "content-length": "5" }), data(3, "", true));
  await server.send(server.head(5, { ":status": "200", "content-length": "5" }), data(5, "hello"));
  assertEquals([head.text, cached.text, bad.error?.kind], ["", "", "upstream-protocol"]);
  client.connection.close();
});

Deno.test("a client connection never hands over a malformed response", async () => {
  const client = await ClientTest.open();
  const { server } = client;
  const cases: (readonly [string, string])[][] = [
    [],
    [["x", "y"]],
    [["x", "y"], [":status", "200"]],
    [[":status", "200"], [":status", "200"]],
    [[":status", "200"], [":path", "/"]],
    [[":status", "20"]],
    [[":status", "+20"]],
    [[":status", "600"]],
    [[":status", "101"]],
    [[":status", "200"], ["X", "y"]],
    [[":status", "200"], ["x", "a\nb"]],
    [[":status", "200"], ["connection", "close"]],
    [[":status", "200"], ["transfer-encoding", "chunked"]],
    [[":status", "200"], ["content-length", "1"], ["content-length", "1"]],
    [[":status", "200"], ["content-length", "x"]],
  ];
  for (const [i, fields] of cases.entries()) {
    const id = 2 * i + 1;
    const sent = client.begin();
    await server.said();
    const lines = await server.said(server.head(id, fields));
    assertEquals(lines, [`RST_STREAM ${id} PROTOCOL_ERROR`], JSON.stringify(fields));
    assertEquals([sent.error?.kind, sent.error?.retry], ["upstream-protocol", "no"]);
  }
  for (
    const [frames, text] of [
      [(id: number) => [data(id, "x")], "DATA before a head"],
      [(id: number) => [server.head(id, { ":status": "103" }, true)], "an end without a response"],
      [
        (id: number) => [server.head(id, { ":status": "200", "content-length": "1" }, true)],
        "none",
      ],
    ] as const
  ) {
    const sent = client.begin();
    await server.said();
    await server.said(...frames(sent.turn));
    assertEquals(sent.error?.kind, "upstream-protocol", text);
  }
  client.connection.close();
});

Deno.test("a client connection gives up on responses that stay informational", async () => {
  const client = await ClientTest.open();
  const { server } = client;
  const sent = client.begin();
  for (let i = 0; i < 17; i++) await server.send(server.head(1, { ":status": "102" }));
  assertEquals([sent.interims.length, sent.error?.kind], [16, "upstream-protocol"]);
  client.connection.close();
});

Deno.test("a client connection refuses a head over its limits", async () => {
  const client = await ClientTest.open({ headBytes: 500 });
  const { server } = client;
  const sent = client.begin();
  await server.said();
  const large = server.head(1, { ":status": "200", x: "y".repeat(500) });
  assertEquals(await server.said(large), ["RST_STREAM 1 CANCEL"]);
  assertStringIncludes(sent.error!.message, "over the limits");
  client.connection.close();
});

Deno.test("a client connection says what may be sent again", async () => {
  const cases = [
    ["yes", "REFUSED_STREAM", (c: ClientTest) => c.server.send(reset(1, REFUSED_STREAM))],
    ["no", "CANCEL", (c: ClientTest) => c.server.send(reset(1, CANCEL))],
    ["no", "NO_ERROR", (c: ClientTest) => c.server.send(reset(1, NO_ERROR))],
    ["no", "0xfe", (c: ClientTest) => c.server.send(reset(1, 0xfe))],
    ["yes", "ENHANCE_YOUR_CALM", (c: ClientTest) => c.server.send(goaway(0, ENHANCE_YOUR_CALM))],
    ["no", "the peer closed", (c: ClientTest) => c.server.transport.end()],
    ["no", "the peer closed", (c: ClientTest) => c.server.transport.reset()],
  ] as const;
  for (const [retry, message, what] of cases) {
    const client = await ClientTest.open();
    const sent = client.begin();
    await quiet(client.server.transport);
    await what(client);
    await quiet(client.server.transport);
    assertEquals([sent.error?.kind, sent.error?.retry], ["upstream-reset", retry], message);
    assertStringIncludes(sent.error!.message, message);
    client.connection.close();
  }
});

Deno.test("a client connection that has served may have been closed before the request came", async () => {
  const client = await ClientTest.open();
  const { server } = client;
  const first = client.begin();
  await server.send(server.head(1, { ":status": "200" }, true));
  const [unanswered, informed, answered] = [client.begin(), client.begin(), client.begin()];
  await server.send(server.head(5, { ":status": "103" }), server.head(7, { ":status": "200" }));
  server.transport.end();
  await quiet(server.transport);
  assertEquals(first.text, "");
  assertEquals([unanswered, informed, answered].map(({ error }) => error?.retry), [
    "if-reused",
    "no",
    "no",
  ]);
});

Deno.test("a client connection knows what never left", async () => {
  const client = await ClientTest.open();
  const { server } = client;
  server.transport.stall();
  client.begin();
  await quiet(server.transport);
  const waiting = client.begin();
  await quiet(server.transport);
  server.transport.reset();
  await quiet(server.transport);
  assertEquals(waiting.error?.retry, "yes");
  const late = client.begin();
  await quiet(server.transport);
  assertEquals([late.error?.retry, client.events], ["yes", ["closed"]]);
});

Deno.test("a client connection lets its streams finish after GOAWAY, and takes no new ones", async () => {
  const client = await ClientTest.open();
  const { server, connection } = client;
  const [first, second] = [client.begin(), client.begin()];
  await server.said();
  await server.send(goaway(2 ** 31 - 1), goaway(1));
  assertEquals([connection.isUsable, connection.room, client.events], [false, 0, ["goaway"]]);
  assertEquals([second.error?.retry, first.error], ["yes", undefined]);
  await server.send(server.head(1, { ":status": "200" }), data(1, "ok", true));
  assertEquals([first.text, client.events], ["ok", ["goaway", "closed"]]);
  assertEquals(server.transport.isClosed, true);
  const idle = await ClientTest.open();
  await idle.server.send(goaway(0));
  assertEquals(idle.events, ["closed"]);
});

Deno.test("a client connection drains: no new exchanges, and the end behind the last", async () => {
  const client = await ClientTest.open();
  const { server, connection } = client;
  const sent = client.begin();
  await server.said();
  connection.drain();
  assertEquals([connection.isUsable, client.events], [false, ["goaway"]]);
  await server.send(server.head(1, { ":status": "200" }), data(1, "ok", true));
  assertEquals([sent.text, client.events], ["ok", ["goaway", "closed"]]);
  const idle = await ClientTest.open();
  idle.connection.drain();
  assertEquals(idle.events, ["closed"]);
});

Deno.test("a client connection opens as many streams as both sides allow, and says when there is room", async () => {
  const client = await ClientTest.open({}, [MAX_CONCURRENT_STREAMS, 2]);
  const { server, connection } = client;
  assertEquals(connection.room, 2);
  client.begin();
  client.begin();
  assertEquals([connection.room, connection.isUsable], [0, false]);
  await server.send(server.head(1, { ":status": "200" }, true));
  assertEquals([connection.room, client.events], [1, ["free"]]);
  client.begin();
  await server.send(settings([MAX_CONCURRENT_STREAMS, 9]));
  assertEquals([connection.room, client.events], [7, ["free", "free"]]);
  assertEquals((await ClientTest.open({ concurrentStreams: 5 })).connection.room, 5);
});

Deno.test("a client connection resets what is called off, and only while it is there", async () => {
  const client = await ClientTest.open();
  const { server, connection } = client;
  const waiting = client.begin();
  const reading = client.begin();
  const over = client.begin();
  await server.send(server.head(3, { ":status": "200" }), data(3, "x"));
  await server.send(server.head(5, { ":status": "200" }, true));
  for (const { turn } of [waiting, reading, over]) connection.abortExchange(turn, CALLED_OFF);
  connection.abortExchange(99, CALLED_OFF);
  assertEquals(await server.said(), ["RST_STREAM 1 CANCEL", "RST_STREAM 3 CANCEL"]);
  assertEquals([waiting.error, reading.error, over.error], [CALLED_OFF, CALLED_OFF, undefined]);
  // What crossed the reset on its way is no fault.
  assertEquals(await server.said(server.head(1, { ":status": "200" }), data(1, "late")), []);
  connection.close();
});

Deno.test("a client connection resets a stream whose response nobody wants", async () => {
  const client = await ClientTest.open();
  const { server } = client;
  const sent = client.begin({}, false);
  await server.send(server.head(1, { ":status": "200" }), data(1, "x"));
  sent.response!.body.cancel();
  assertEquals(await server.said(), ["RST_STREAM 1 CANCEL"]);
  assertEquals(client.connection.streams, 0);
  client.connection.close();
});

Deno.test("a client connection resets a request that broke, and does not end it", async () => {
  const client = await ClientTest.open();
  const body = new PushBody();
  const sent = client.begin({ method: "POST", body });
  await client.server.said();
  const broken = new ProxyError("downstream-gone", "gone", { side: "downstream" });
  body.give("x", broken);
  assertEquals(await client.server.said(), ["DATA 1 x", "RST_STREAM 1 CANCEL"]);
  assertEquals(sent.error, broken);
  client.connection.close();
});

Deno.test("a client connection stops sending when the response is whole", async () => {
  const client = await ClientTest.open();
  const { server } = client;
  const body = new PushBody();
  const sent = client.begin({ method: "POST", body });
  await server.said();
  const early = [server.head(1, { ":status": "413" }), data(1, "no", true)];
  assertEquals(await server.said(...early), ["RST_STREAM 1 NO_ERROR"]);
  assertEquals([sent.text, body.isCancelled], ["no", true]);
  // A server that asks for the same by RST_STREAM takes nothing of its response back (8.1).
  const other = new PushBody();
  const second = client.begin({ method: "POST", body: other }, false);
  await server.said();
  await server.send(server.head(3, { ":status": "200" }), data(3, "ok", true), reset(3, NO_ERROR));
  assertEquals([await textOf(second.response!.body), other.isCancelled], ["ok", true]);
  client.connection.close();
});

Deno.test("a client connection opens a tunnel by extended CONNECT, once it knows that it may", async () => {
  const client = new ClientTest();
  const { server } = client;
  const up = new PushBody();
  const sent = client.begin({ upgrade: "websocket", target: "/chat", body: up }, false);
  const other = client.begin();
  await server.said();
  assertEquals(client.connection.streams, 2);
  const lines = await server.said(settings([ENABLE_CONNECT_PROTOCOL, 1]));
  const head = ":method=CONNECT :protocol=websocket :scheme=http :path=/chat :authority=a";
  assertEquals(lines, [`HEADERS 3 ${head}`]);
  await server.send(server.head(3, { ":status": "200" }), data(3, "down", true));
  assertEquals([sent.response?.status, await textOf(sent.response!.body)], [101, "down"]);
  up.give("up", null);
  assertEquals(await server.said(), ["DATA 3 up end"]);
  // The turns of both still mean what they meant.
  client.connection.abortExchange(other.turn, CALLED_OFF);
  await server.said();
  assertEquals([other.error, client.connection.streams], [CALLED_OFF, 0]);
  client.connection.close();
});

Deno.test("a client connection opens no tunnel where the server takes none", async () => {
  const client = new ClientTest();
  const early = client.begin({ upgrade: "websocket" });
  const calledOff = client.begin({ upgrade: "websocket" });
  client.connection.abortExchange(calledOff.turn, CALLED_OFF);
  await client.server.send(settings());
  const late = client.begin({ upgrade: "websocket" });
  await quiet(client.server.transport);
  assertEquals(calledOff.error, CALLED_OFF);
  for (const { error } of [early, late]) {
    assertEquals([error?.kind, error?.retry], ["upstream-protocol", "no"]);
  }
  client.connection.close();
});

Deno.test("a client connection asks a silent peer whether it lives, and gives up on a dead one", async () => {
  const client = await ClientTest.open({ keepAliveMs: 30_000, pingTimeoutMs: 10_000 });
  const { server } = client;
  const sent = client.begin();
  await server.said();
  assertEquals(await client.sweep(0, 29_000), []);
  assertEquals(await client.sweep(30_000), ["PING are you?"]);
  assertEquals(await server.said(server.head(1, { ":status": "200" })), []);
  assertEquals(await client.sweep(41_000, 70_000), []);
  assertEquals(await client.sweep(71_001), ["PING are you?"]);
  await client.sweep(81_001);
  assertEquals([sent.error?.message, client.events], [
    "the upstream did not answer a PING",
    ["closed"],
  ]);
});

Deno.test("a client connection gives up on bodies that stand still", async () => {
  const limits = { streamIdleTimeoutMs: 1000, keepAliveMs: 1e9 };
  const client = await ClientTest.open(limits, [4, 1]);
  const { server } = client;
  const reading = client.begin();
  const sending = client.begin({ method: "POST", body: new PushBody().give("xy") });
  const unread = client.begin({}, false);
  await server.send(server.head(1, { ":status": "200" }), server.head(5, { ":status": "200" }));
  await client.sweep(0, 100, 999);
  assertEquals([reading.error, sending.error], [undefined, undefined]);
  assertEquals(await client.sweep(1100), ["RST_STREAM 1 CANCEL", "RST_STREAM 3 CANCEL"]);
  assertEquals([reading.error?.kind, sending.error?.kind], ["deadline", "deadline"]);
  assertEquals(unread.error, undefined);
  client.connection.close();
});

Deno.test("a client connection takes no push, and no stream that it did not begin", async () => {
  for (const id of [2, 3]) {
    const client = await ClientTest.open();
    const { server } = client;
    const sent = client.begin();
    await server.said();
    const lines = await server.said(server.head(id, { ":status": "200" }));
    assertEquals(lines, ["GOAWAY 0 PROTOCOL_ERROR"]);
    assertEquals(sent.error?.kind, "upstream-protocol");
    client.connection.close();
  }
});
