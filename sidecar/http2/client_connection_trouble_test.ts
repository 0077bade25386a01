// What a client connection does about servers that break the rules, go away, or stand still.
import { assertEquals, assertStringIncludes } from "@std/assert";
import { PushBody } from "../../tests/support/messages.ts";
import { quiet } from "../../tests/support/memory_transport.ts";
import { ProxyError } from "../errors.ts";
import { ClientTest } from "./test_client.ts";
import { data, goaway, reset } from "./test_peer.ts";

const CANCEL = 8, REFUSED_STREAM = 7, NO_ERROR = 0, ENHANCE_YOUR_CALM = 11;

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
