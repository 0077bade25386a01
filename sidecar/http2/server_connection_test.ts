import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { PushBody, responseOf, textOf } from "../../tests/support/messages.ts";
import { quiet } from "../../tests/support/memory_transport.ts";
import { EMPTY_BODY } from "../http/body.ts";
import { FieldList } from "../http/fields.ts";
import type { Incoming, Response } from "../http/message.ts";
import { FLAG, FRAME } from "./frame.ts";
import { data, frame, joined, reset, windowUpdate } from "./test_peer.ts";
import { ServerTest } from "./test_server.ts";

const NO_ERROR = 0, CANCEL = 8;

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

Deno.test("a server connection tells the handler of a reset, and does not wait for its answer", async () => {
  const reasons: string[] = [];
  const answers: ((response: Response) => void)[] = [];
  const server = await ServerTest.open(({ cancellation }) => {
    cancellation.onCancel((reason) => void reasons.push(reason.message));
    return new Promise((resolve) => void answers.push(resolve));
  });
  const { client } = server;
  await client.send(client.request(1), client.request(3, {}, false), data(3, "x"));
  const { body } = server.incoming[1]!.request;
  await client.send(reset(1, CANCEL), reset(3, NO_ERROR));
  assertEquals(reasons, [
    "the client reset the stream: CANCEL",
    "the client reset the stream: NO_ERROR",
  ]);
  assertEquals([server.outcomes, server.connection.streams, server.connection.isIdle], [
    [],
    0,
    false,
  ]);
  let thrown: unknown;
  try {
    body.take();
  } catch (error) {
    thrown = error;
  }
  assertStringIncludes(String(thrown), "NO_ERROR");
  const late = new PushBody();
  for (const answer of answers) answer(streaming(late));
  assertEquals(await client.said(), []);
  assertEquals([late.isCancelled, server.connection.isIdle], [true, true]);
  assertEquals(server.endings, reasons);
  await server.hangUp();
});

Deno.test("a server connection tells of a response that broke, and not as its end", async () => {
  const body = new PushBody();
  const server = await ServerTest.open(() => streaming(body));
  const { client } = server;
  await client.send(client.request(1));
  body.give("x", new Error("upstream gone"));
  assertEquals(await client.said(), ["DATA 1 x", "RST_STREAM 1 INTERNAL_ERROR"]);
  assertEquals(server.outcomes[0]!.bodyBytes, 1);
  const short = new PushBody(5).give("abc", null);
  const other = await ServerTest.open(() => streaming(short, { "content-length": "5" }));
  const lines = await other.client.said(other.client.request(1));
  assertEquals(lines.slice(1), ["DATA 1 abc", "RST_STREAM 1 INTERNAL_ERROR"]);
  await server.hangUp();
  await other.hangUp();
});

Deno.test("a server connection answers a handler that throws", async () => {
  const server = await ServerTest.open(() => Promise.reject(new Error("a bug")));
  const lines = await server.client.said(server.client.request(1));
  assertStringIncludes(lines[0]!, ":status=431");
  assertEquals(server.refusals, ["the handler failed"]);
  await server.hangUp();
});

Deno.test("a server connection answers a head over its limits by itself", async () => {
  const server = await ServerTest.open(undefined, { headBytes: 500, headFields: 10 });
  const { client } = server;
  const large = client.request(1, { x: "y".repeat(500) });
  const many = client.request(
    3,
    Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`x${i}`, "y"])),
    false,
  );
  const lines = await client.said(large, many, data(3, "body"), client.request(5));
  assertStringIncludes(lines[0]!, "HEADERS 1 :status=431");
  assertStringIncludes(lines[2]!, "HEADERS 3 :status=431");
  assertEquals(lines[4], "RST_STREAM 3 NO_ERROR");
  assertEquals(lines.at(-1), "DATA 5 GET /5 end");
  assertEquals(server.incoming.length, 1);
  await server.hangUp();
});

Deno.test("a server connection never hands over a malformed request", async () => {
  const server = await ServerTest.open();
  const { client } = server;
  const base = [[":method", "GET"], [":scheme", "http"], [":path", "/"], [":authority", "a"]];
  const without = (name: string) => base.filter(([other]) => other !== name);
  const cases: (readonly (readonly string[])[])[] = [
    without(":method"),
    without(":scheme"),
    without(":path"),
    without(":authority"),
    [...base, [":path", "/"]],
    [...base, [":status", "200"]],
    [...base, ["x", "y"], [":method", "GET"]],
    [...without(":path"), [":path", ""]],
    [...without(":path"), [":path", "*"]],
    [...without(":path"), [":path", "/a b"]],
    [...without(":path"), [":path", "/a#b"]],
    [...without(":scheme"), [":scheme", "ftp"]],
    [...without(":method"), [":method", "G T"]],
    [...without(":authority"), [":authority", "u@a"]],
    [...base, ["host", "b"]],
    [...base, ["host", "a"], ["host", "a"]],
    [...base, [":protocol", "websocket"]],
    [...without(":method"), [":method", "CONNECT"]],
    [[":method", "CONNECT"], [":authority", "a"]],
    [...base, ["X", "y"]],
    [...base, ["", "y"]],
    [...base, ["x y", "z"]],
    [...base, ["x", " y"]],
    [...base, ["x", "y\n"]],
    [...base, ["x", "a\r\nb: c"]],
    [...base, ["x", "a\0b"]],
    [...base, ["connection", "close"]],
    [...base, ["transfer-encoding", "chunked"]],
    [...base, ["upgrade", "h2c"]],
    [...base, ["keep-alive", "1"]],
    [...base, ["te", "gzip"]],
    [...base, ["content-length", "1"]],
    [...base, ["content-length", "0"], ["content-length", "0"]],
    [...base, ["content-length", "-1"]],
    [...base, ["content-length", ""]],
  ];
  for (const [i, fields] of cases.entries()) {
    const id = 2 * i + 1;
    const lines = await client.said(client.head(id, fields as [string, string][], true));
    assertEquals(lines, [`RST_STREAM ${id} PROTOCOL_ERROR`], JSON.stringify(fields));
  }
  assertEquals(server.incoming, []);
  assertEquals((await client.said(client.request(999))).at(-1), "DATA 999 GET /999 end");
  await server.hangUp();
});

Deno.test("a server connection holds a body to its content-length", async () => {
  for (const [length, frames] of [["3", ["ab"]], ["3", ["ab", "cd"]], ["0", ["x"]]] as const) {
    const answers: unknown[] = [];
    const server = await ServerTest.open(async ({ request }) => {
      answers.push(await textOf(request.body).catch((error) => error.kind));
      return responseOf("");
    });
    const { client } = server;
    const head = client.request(1, { "content-length": length }, false);
    const bodies = frames.map((text, i) => data(1, text, i === frames.length - 1));
    const lines = await client.said(head, ...bodies);
    assertEquals(lines[0], "RST_STREAM 1 PROTOCOL_ERROR");
    assertEquals(answers.filter((answer) => answer !== "bad-request"), []);
    await server.hangUp();
  }
});

Deno.test("a server connection refuses streams above its number, and a client that insists", async () => {
  const server = await ServerTest.open(() => new Promise(() => {}), {
    concurrentStreams: 2,
    resetsPerWindow: 5,
  });
  const { client } = server;
  const lines = await client.said(...[1, 3, 5, 7].map((id) => client.request(id)));
  assertEquals(lines, ["RST_STREAM 5 REFUSED_STREAM", "RST_STREAM 7 REFUSED_STREAM"]);
  const more = [9, 11, 13, 15].map((id) => client.request(id));
  assertEquals((await client.said(...more)).at(-1), "GOAWAY 15 ENHANCE_YOUR_CALM");
});

Deno.test("a server connection counts handlers whose stream is gone: resets do not multiply work", async () => {
  const answers: ((response: Response) => void)[] = [];
  const respond = () => new Promise<Response>((resolve) => void answers.push(resolve));
  const server = await ServerTest.open(respond, { concurrentStreams: 2 });
  const { client } = server;
  await client.send(client.request(1), client.request(3));
  await client.send(reset(1, CANCEL), reset(3, CANCEL));
  assertEquals(await client.said(client.request(5)), ["RST_STREAM 5 REFUSED_STREAM"]);
  answers[0]!(responseOf(""));
  await quiet(client.transport);
  assertEquals(await client.said(client.request(7)), []);
  assertEquals(server.incoming.length, 3);
  answers.forEach((answer) => answer(responseOf("")));
  await server.hangUp();
});

Deno.test("a server connection is cut by abort, and its exchanges with it", async () => {
  const body = new PushBody();
  const server = await ServerTest.open(() => streaming(body));
  const { client } = server;
  await client.send(client.request(1));
  server.connection.abort();
  await quiet(client.transport);
  assertEquals([server.isOver, body.isCancelled], [true, true]);
  assertEquals(server.endings, ["the connection was cut by shutdown"]);
});

Deno.test("a server connection that breaks tells every exchange", async () => {
  const server = await ServerTest.open(() => streaming(new PushBody()));
  const { client } = server;
  await client.send(client.request(1), client.request(3));
  client.transport.reset();
  await quiet(client.transport);
  assert(server.isOver);
  assertEquals(server.endings, Array(2).fill("the peer closed the connection"));
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
