// What a server connection does about clients that break the rules, leave, or ask for too much.
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { PushBody, responseOf, textOf } from "../../tests/support/messages.ts";
import { quiet } from "../../tests/support/memory_transport.ts";
import { FieldList } from "../http/fields.ts";
import type { Response } from "../http/message.ts";
import { data, reset } from "./test_peer.ts";
import { ServerTest } from "./test_server.ts";

const NO_ERROR = 0, CANCEL = 8;

function streaming(body: PushBody, fields: Record<string, string> = {}): Response {
  return { status: 200, headers: FieldList.of(fields), body };
}

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
