import { assert, assertEquals } from "@std/assert";
import { ClientTest } from "../../tests/support/http1_client.ts";
import { head } from "../../tests/support/http1_cases/case.ts";
import { CHUNKED_BODIES, RESPONSES } from "../../tests/support/http1_cases/responses.ts";
import { quiet } from "../../tests/support/memory_transport.ts";
import { PushBody, rawFields } from "../../tests/support/messages.ts";
import { cutBy } from "../../tests/support/parts.ts";
import { latin1Bytes } from "../lib/bytes.ts";

const GET = head("GET / HTTP/1.1", "host: a");

function ok(body: string, ...fields: string[]): string {
  return head("HTTP/1.1 200 OK", `Content-Length: ${body.length}`, ...fields) + body;
}

const CHUNKED = head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked");

Deno.test("a client connection sends one request after another and keeps its connection", async () => {
  const client = new ClientTest();
  for (let i = 1; i <= 3; i++) {
    const sent = await client.begin();
    assertEquals([client.transport.take(), client.connection.isUsable], [GET, false]);
    await client.answer(ok(`body ${i}`, "X: y"));
    assertEquals([sent.text, sent.response?.status], [`body ${i}`, 200]);
    assertEquals([client.idles, client.connection.isUsable, client.connection.exchanges], [
      i,
      true,
      i,
    ]);
  }
  client.connection.close();
  assertEquals([client.closes, client.transport.isClosed], [1, true]);
});

Deno.test("a client connection reads the same response however it is cut", async () => {
  const response = head("HTTP/1.1 103 Early Hints", "Link: </a>") + CHUNKED +
    "5\r\nhello\r\n7;x\r\n, world\r\n0\r\nX-Sum: 1\r\n\r\n";
  for (let size = 1; size <= response.length; size++) {
    const client = new ClientTest();
    client.transport.maxRead = size;
    const sent = await client.exchange(response);
    assertEquals(sent.text, "hello, world", `${size} bytes a read`);
    assertEquals([...sent.response?.body.trailers ?? []], [["X-Sum", "1"]]);
    assertEquals(sent.interims.map(({ status, headers }) => [status, ...headers]), [
      [103, ["link", "</a>"]],
    ]);
    assertEquals(client.idles, 1);
    client.connection.close();
  }
});

Deno.test("a client connection sends a body as it comes, beside the response that comes back", async () => {
  const client = new ClientTest();
  const body = new PushBody().give("a");
  const sent = await client.begin({ method: "POST", body });
  const start = head("POST / HTTP/1.1", "host: a", "transfer-encoding: chunked");
  assertEquals(client.transport.take(), start + "1\r\na\r\n");
  await client.answer(CHUNKED + "1\r\nA\r\n");
  assertEquals(sent.response?.status, 200);
  body.give("b");
  await quiet(client.transport);
  assertEquals(client.transport.take(), "1\r\nb\r\n");
  body.give(null);
  await quiet(client.transport);
  assertEquals([client.transport.take(), client.idles], ["0\r\n\r\n", 0]);
  await client.answer("1\r\nB\r\n0\r\n\r\n");
  assertEquals([sent.text, client.idles, client.connection.isUsable], ["AB", 1, true]);
  client.connection.close();
});

Deno.test("a client connection knows the responses that have no body", async () => {
  const client = new ClientTest();
  const answers = [
    ["HEAD", head("HTTP/1.1 200 OK", "Content-Length: 5")],
    ["HEAD", head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked")],
    ["HEAD", head("HTTP/1.1 200 OK")],
    ["GET", head("HTTP/1.1 204 No Content")],
    ["GET", head("HTTP/1.1 304 Not Modified", "Content-Length: 5")],
    ["GET", ok("")],
  ] as const;
  for (const [index, [method, answer]] of answers.entries()) {
    const sent = await client.exchange(answer, { method });
    assertEquals([sent.text, client.idles], ["", index + 1], answer);
  }
  client.connection.close();
});

Deno.test("a client connection frees itself when a response without a body is dealt with, however", async () => {
  for (const deal of ["take", "whole", "cancel"] as const) {
    const client = new ClientTest();
    const sent = await client.begin({}, false);
    await client.answer(head("HTTP/1.1 204 No Content"));
    assertEquals(client.idles, 0);
    sent.response?.body[deal]();
    sent.response?.body[deal]();
    assertEquals([client.idles, client.connection.isUsable], [1, true]);
    client.connection.close();
  }
});

Deno.test("a client connection passes informational responses on and waits for the final one", async () => {
  const client = new ClientTest();
  const sent = await client.begin({ method: "PUT", body: new PushBody(5) });
  await client.answer(head("HTTP/1.1 100 Continue") + head("HTTP/1.1 103 X", "X-A: 1", "x-b: 2"));
  assertEquals(sent.response, undefined);
  assertEquals(sent.interims.map(({ status, headers }) => [status, ...headers]), [
    [100],
    [103, ["x-a", "1"], ["x-b", "2"]],
  ]);
  client.connection.close();
});

Deno.test("a client connection waits for 100 Continue no longer than its client does", async () => {
  const client = new ClientTest();
  const body = new PushBody(5);
  const headers = rawFields("host: a", "Content-Length: 5", "Expect: 100-continue");
  const sent = await client.begin({ method: "PUT", headers, body });
  assert(client.transport.take().endsWith("Expect: 100-continue\r\n\r\n"));
  await client.answer(head("HTTP/1.1 100 Continue"));
  assertEquals(sent.interims.length, 1);
  body.give("hello", null);
  await quiet(client.transport);
  await client.answer(ok("done"));
  assertEquals([client.transport.take(), sent.text, client.idles], ["hello", "done", 1]);
  client.connection.close();
});

Deno.test("a client connection ends where the upstream said so", async () => {
  const lasts = [
    ok("hello", "Connection: close"),
    head("HTTP/1.0 200 OK", "Content-Length: 5") + "hello",
  ];
  for (const answer of lasts) {
    const client = new ClientTest();
    const sent = await client.exchange(answer);
    assertEquals([sent.text, client.idles, client.closes], ["hello", 0, 1], answer);
    assertEquals([client.transport.isClosed, client.connection.isUsable], [true, false]);
  }
});

Deno.test("a client connection reads a body without a length to the end of the connection", async () => {
  const client = new ClientTest();
  const sent = await client.exchange(head("HTTP/1.1 200 OK") + "hello");
  assertEquals([sent.response?.status, sent.text], [200, undefined]);
  await client.answer(", world");
  await client.end();
  assertEquals([sent.text, client.closes, client.idles], ["hello, world", 1, 0]);
});

Deno.test("a client connection closes when the body is not wanted to its end", async () => {
  const client = new ClientTest();
  const sent = await client.begin({}, false);
  await client.answer(ok("hello").slice(0, -1));
  sent.response?.body.cancel();
  assertEquals([client.closes, client.transport.isClosed, client.idles], [1, true, 0]);
});

Deno.test("a client connection takes an early response and does not wait to be read from", async () => {
  const client = new ClientTest();
  const body = new PushBody(1_000_000).give("x");
  const sent = await client.exchange(head("HTTP/1.1 413 X", "Content-Length: 2") + "no", {
    method: "POST",
    body,
  });
  assertEquals([sent.response?.status, sent.text], [413, "no"]);
  assertEquals([client.closes, client.idles, body.isCancelled], [1, 0, true]);
});

Deno.test("a client connection reads a response although the upstream stopped reading the request", async () => {
  const client = new ClientTest();
  const body = new PushBody(1_000_000);
  const sent = await client.begin({ method: "POST", body });
  client.transport.refuseWrites();
  body.give("x".repeat(20_000));
  await quiet(client.transport);
  assertEquals(sent.error, undefined);
  await client.answer(head("HTTP/1.1 413 X", "Content-Length: 2") + "no");
  assertEquals([sent.response?.status, sent.text, client.closes], [413, "no", 1]);
});

Deno.test("a client connection refuses every response that is none, and is gone", async () => {
  for (const { name, bytes, method, refused } of RESPONSES) {
    if (refused === undefined) continue;
    const client = new ClientTest({ headBytes: 512 });
    const sent = await client.exchange(bytes, { method: method ?? "GET" });
    assertEquals([sent.error?.kind, sent.error?.side], ["upstream-protocol", "upstream"], name);
    assert(sent.error?.message.includes(refused), `${name}: ${sent.error?.message}`);
    assertEquals([sent.error?.retry, client.closes, client.idles], ["no", 1, 0], name);
  }
});

Deno.test("a client connection refuses every body that is none, and is gone", async () => {
  for (const { name, bytes, refused } of CHUNKED_BODIES) {
    if (refused === undefined) continue;
    const client = new ClientTest({ headBytes: 512 });
    const sent = await client.begin();
    for (const part of cutBy(latin1Bytes(CHUNKED + bytes), [50, 5, 7])) {
      await client.answer(String.fromCharCode(...part));
    }
    assertEquals([sent.response?.status, sent.text], [200, undefined], name);
    assertEquals([sent.error?.kind, sent.error?.side], ["upstream-protocol", "upstream"], name);
    assertEquals([client.closes, client.idles], [1, 0], name);
  }
});
