import { assertEquals } from "@std/assert";
import { PushBody, rawFields, textOf } from "../../tests/support/messages.ts";
import { quiet } from "../../tests/support/memory_transport.ts";
import { ProxyError } from "../errors.ts";
import { BytesBody } from "../http/body.ts";
import { FieldList } from "../http/fields.ts";
import { latin1Bytes } from "../lib/bytes.ts";
import { ClientTest } from "./test_client.ts";
import { data, reset, settings } from "./test_peer.ts";

const NO_ERROR = 0;
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
