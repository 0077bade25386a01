import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { head } from "../../tests/support/http1_cases/case.ts";
import { REQUESTS } from "../../tests/support/http1_cases/requests.ts";
import { responsesIn, ServerTest, streaming } from "../../tests/support/http1_server.ts";
import { PushBody, rawFields, responseOf, textOf } from "../../tests/support/messages.ts";
import { quiet } from "../../tests/support/memory_transport.ts";
import { EMPTY_BODY } from "../http/body.ts";
import { FieldList } from "../http/fields.ts";
import { emptyResponse, type Response } from "../http/message.ts";

const GET = head("GET /1 HTTP/1.1", "Host: a");

function post(target: string, body: string, ...fields: string[]): string {
  return head(`POST ${target} HTTP/1.1`, "Host: a", `Content-Length: ${body.length}`, ...fields) +
    body;
}

Deno.test("a server connection answers one request after another", async () => {
  const server = new ServerTest();
  for (const target of ["/1", "/2", "/3"]) {
    const answer = await server.send(head(`GET ${target} HTTP/1.1`, "Host: a"));
    assertEquals(answer, `HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nGET ${target}`);
  }
  assertEquals(server.transport.isClosed, false);
  await server.hangUp();
  assertEquals(server.outcomes, Array(3).fill({ bodyBytes: 6, error: undefined }));
});

Deno.test("a server connection hands over what the request said", async () => {
  let fields: unknown;
  const server = new ServerTest(({ request }) => {
    fields = [...request.headers];
    return responseOf("");
  });
  await server.send(head("PUT http://b:81/x?y HTTP/1.1", "Host: a", "X: z", "TE: trailers"));
  const { request, peer } = server.incoming[0]!;
  const { method, form, scheme, authority, target, version, acceptsTrailers } = request;
  assertEquals([method, form, scheme, authority, target, version, acceptsTrailers], [
    "PUT",
    "absolute",
    "http",
    "b:81",
    "/x?y",
    "1.1",
    true,
  ]);
  assertEquals(fields, [["X", "z"], ["host", "b:81"]]);
  assertEquals(peer, { host: "192.0.2.7", port: 4711 });
  await server.hangUp();
});

Deno.test("a server connection answers pipelined requests in order, one at a time", async () => {
  const waiting: ((response: Response) => void)[] = [];
  const server = new ServerTest(() => new Promise((resolve) => void waiting.push(resolve)));
  const first = await server.send(
    GET + post("/2", "body2") + head("GET /3 HTTP/1.1", "Host: a") + "GET /4",
  );
  assertEquals([first, server.targets], ["", ["/1"]]);
  waiting[0]!(responseOf("one"));
  assertEquals(responsesIn(await server.answer()), ["200 OK|one"]);
  assertEquals(server.targets, ["/1", "/2"]);
  waiting[1]!(responseOf("two"));
  assertEquals(responsesIn(await server.answer()), ["200 OK|two"]);
  waiting[2]!(responseOf("three"));
  assertEquals(responsesIn(await server.answer()), ["200 OK|three"]);
  assertEquals(server.targets, ["/1", "/2", "/3"]);
  await server.send(" HTTP/1.1\r\nHost: a\r\n\r\n");
  waiting[3]!(responseOf("four"));
  assertEquals(responsesIn(await server.answer()), ["200 OK|four"]);
  await server.hangUp();
});

Deno.test("a server connection gives the same answers however the requests are cut", async () => {
  const requests = GET + post("/2", "hello") +
    head("POST /3 HTTP/1.1", "Host: a", "Transfer-Encoding: chunked") +
    "2\r\nhi\r\n0\r\nx: y\r\n\r\n" + head("GET /4 HTTP/1.1", "Host: a");
  const echo = async (
    { request }: { request: { target: string; body: Parameters<typeof textOf>[0] } },
  ) => responseOf(`${request.target} ${await textOf(request.body)}`);
  const expected = ["200 OK|/1 ", "200 OK|/2 hello", "200 OK|/3 hi", "200 OK|/4 "];
  for (let size = 1; size <= requests.length; size++) {
    const server = new ServerTest(echo);
    server.transport.maxRead = size;
    assertEquals(responsesIn(await server.send(requests)), expected, `${size} bytes a read`);
    await server.hangUp();
  }
});

Deno.test("a server connection ends behind a request that says so, and answers nothing after it", async () => {
  for (
    const [last, answer] of [
      [head("GET /1 HTTP/1.1", "Host: a", "Connection: close"), "connection: close"],
      [head("GET /1 HTTP/1.0"), "connection: close"],
    ] as const
  ) {
    const server = new ServerTest();
    const text = await server.send(last + head("GET /2 HTTP/1.1", "Host: a"));
    assertStringIncludes(text, `\r\n${answer}\r\n`);
    assertEquals([responsesIn(text).length, server.targets], [1, ["/1"]]);
    // Bytes are unread, so a plain close could take the answer away: it lingers instead.
    assertEquals([server.transport.isWriteClosed, server.transport.isClosed], [true, false]);
    await server.hangUp();
  }
});

Deno.test("a server connection closes at once where nothing is unread", async () => {
  const server = new ServerTest();
  await server.send(head("GET /1 HTTP/1.1", "Host: a", "Connection: close"));
  assertEquals([server.isOver, server.transport.isClosed], [true, true]);
});

Deno.test("a server connection keeps HTTP/1.0 connections where asked to", async () => {
  const server = new ServerTest();
  const request = head("GET /1 HTTP/1.0", "Connection: keep-alive");
  for (let i = 0; i < 2; i++) {
    assertStringIncludes(await server.send(request), "\r\nconnection: keep-alive\r\n");
  }
  await server.hangUp();
});

Deno.test("a server connection ends a body without a length for HTTP/1.0 by closing", async () => {
  const stream = () => ({
    status: 200,
    headers: rawFields("X: y"),
    body: new PushBody().give("a", "b", null),
  });
  const old = new ServerTest(stream);
  const text = await old.send(head("GET / HTTP/1.0", "Connection: keep-alive"));
  assertEquals(text, "HTTP/1.1 200 OK\r\nX: y\r\nconnection: close\r\n\r\nab");
  assertEquals(old.transport.isClosed, true);
  const server = new ServerTest(stream);
  const chunks = "1\r\na\r\n1\r\nb\r\n0\r\n\r\n";
  const answer = "HTTP/1.1 200 OK\r\nX: y\r\ntransfer-encoding: chunked\r\n\r\n" + chunks;
  assertEquals(await server.send(GET + GET), answer + answer);
  await server.hangUp();
});

Deno.test("a server connection sends no body with HEAD, 204 and 304, and goes on", async () => {
  const bodies: PushBody[] = [];
  const server = new ServerTest(({ request }) => {
    const body = new PushBody(5).give("hello", null);
    bodies.push(body);
    const headers = FieldList.of({ "content-length": "5" });
    return { status: Number(request.headers.get("x")), headers, body };
  });
  const request = (method: string, status: number) =>
    head(`${method} / HTTP/1.1`, "Host: a", `X: ${status}`);
  const text = await server.send(
    request("HEAD", 200) + request("GET", 204) + request("GET", 304) + request("GET", 200),
  );
  assertEquals(
    text,
    "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n" +
      "HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n" +
      "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello",
  );
  assertEquals(bodies.map((body) => body.isCancelled), [true, true, true, false]);
  await server.hangUp();
});

Deno.test("a server connection keeps and filters the trailers of a request and of a response", async () => {
  let trailers: unknown;
  const server = new ServerTest(async ({ request }) => {
    await textOf(request.body);
    trailers = [...request.body.trailers ?? []];
    const body = new PushBody().give("ok", null);
    body.trailers = FieldList.of({ "x-out": "2", "content-length": "7", "set-cookie": "a" });
    return { status: 200, headers: new FieldList(), body };
  });
  const text = await server.send(
    head("POST / HTTP/1.1", "Host: a", "Transfer-Encoding: chunked") + "0\r\nX-In: 1\r\n\r\n",
  );
  assertEquals(trailers, [["X-In", "1"]]);
  assert(text.endsWith("2\r\nok\r\n0\r\nx-out: 2\r\n\r\n"), text);
  await server.hangUp();
});

Deno.test("a server connection passes informational responses on, ahead of the response", async () => {
  const server = new ServerTest((incoming) => {
    incoming.sendInterim({ status: 100, headers: new FieldList() });
    incoming.sendInterim({ status: 103, headers: FieldList.of({ link: "</a>" }) });
    return responseOf("done");
  });
  const rest = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n";
  assertEquals(
    await server.send(GET),
    `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n${rest}\r\ndone`,
  );
  const old = head("GET / HTTP/1.0", "Connection: keep-alive");
  assertEquals(await server.send(old), rest + "connection: keep-alive\r\n\r\ndone");
  server.incoming[0]!.sendInterim({ status: 102, headers: new FieldList() });
  assertEquals(await server.answer(), "");
  await server.hangUp();
});

Deno.test("a server connection sends nothing informational behind the head of a response", async () => {
  const body = new PushBody();
  const interim = { status: 103, headers: new FieldList() };
  const server = new ServerTest((incoming) =>
    incoming.request.method === "GET" ? streaming(body)(incoming) : new Promise(() => {})
  );
  assert((await server.send(GET)).endsWith("\r\n\r\n"));
  server.incoming[0]!.sendInterim(interim);
  body.give("hello", null);
  assertEquals(await server.answer(), "5\r\nhello\r\n0\r\n\r\n");
  await server.send(head("PUT / HTTP/1.1", "Host: a"));
  server.incoming[0]!.sendInterim(interim);
  assertEquals(await server.answer(), "", "it reached the next exchange");
  server.incoming[1]!.sendInterim(interim);
  assertEquals(await server.answer(), "HTTP/1.1 103 Early Hints\r\n\r\n");
});

Deno.test("a server connection lets a client that waits for 100 Continue have it before the body", async () => {
  const server = new ServerTest(async (incoming) => {
    incoming.sendInterim({ status: 100, headers: new FieldList() });
    return responseOf(await textOf(incoming.request.body));
  });
  const request = post("/", "hello", "Expect: 100-continue").slice(0, -5);
  assertEquals(await server.send(request), "HTTP/1.1 100 Continue\r\n\r\n");
  assertEquals(responsesIn(await server.send("hello")), ["200 OK|hello"]);
  await server.hangUp();
});

Deno.test("a server connection refuses what is no request, closes, and reads nothing behind it", async () => {
  for (const { name, bytes, refused } of REQUESTS) {
    if (refused === undefined) continue;
    const server = new ServerTest(undefined, { headBytes: 512 });
    const smuggled = head("GET /smuggled HTTP/1.1", "Host: a");
    const text = await server.send(bytes + smuggled);
    assertEquals(responsesIn(text).length, 1, name);
    assertStringIncludes(text, `\r\nx-mesh-reason: ${refused.kind}\r\n`, name);
    assertStringIncludes(text, "\r\nconnection: close\r\n", name);
    assertEquals([server.targets, server.refusals.length], [[], 1], name);
    assertEquals(server.transport.isWriteClosed, true, name);
    await server.hangUp();
  }
});

Deno.test("a server connection refuses a bad request behind a good one", async () => {
  const server = new ServerTest();
  const text = await server.send(GET + head("GET /2 HTTP/1.1", "Host: a", "Host: b") + GET);
  assertEquals(responsesIn(text).map((response) => response.split("|")[0]), [
    "200 OK",
    "400 Bad Request",
  ]);
  assertEquals(server.targets, ["/1"]);
  await server.hangUp();
});

Deno.test("a server connection answers with a body that is whole at once and reuses nothing of it", async () => {
  const server = new ServerTest(({ request }) => {
    const whole = request.body.whole();
    return {
      status: 200,
      headers: new FieldList(),
      body: whole ? new PushBody(whole.length).give(String(whole.length), null) : EMPTY_BODY,
    };
  });
  assertStringIncludes(await server.send(post("/", "x")), "\r\n\r\n1");
  await server.hangUp();
});

Deno.test("a server connection that drains finishes its exchange and says so", async () => {
  let answer: (response: Response) => void = () => {};
  const server = new ServerTest(() => new Promise((resolve) => answer = resolve));
  await server.send(GET);
  server.connection.drain();
  await quiet(server.transport);
  assertEquals(server.transport.isClosed, false);
  answer(emptyResponse(200));
  assertStringIncludes(await server.answer(), "\r\nconnection: close\r\n");
  assertEquals([server.isOver, server.transport.isClosed], [true, true]);
});

Deno.test("a server connection that drains closes at once when it is idle, and at its next request when not", async () => {
  const idle = new ServerTest();
  await idle.send(GET);
  idle.connection.drain();
  await quiet(idle.transport);
  assertEquals(idle.isOver, true);
  const reading = new ServerTest();
  await reading.send(GET.slice(0, 10));
  reading.connection.drain();
  assertEquals(await reading.answer(), "");
  assertStringIncludes(await reading.send(GET.slice(10)), "\r\nconnection: close\r\n");
  assertEquals(reading.isOver, true);
});
