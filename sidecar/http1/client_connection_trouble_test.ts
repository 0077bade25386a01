// Upstreams that reset, stall, flood, or answer what nobody asked: no byte of it may reach another exchange.
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { ClientTest } from "../../tests/support/http1_client.ts";
import { head } from "../../tests/support/http1_cases/case.ts";
import { quiet } from "../../tests/support/memory_transport.ts";
import { PushBody } from "../../tests/support/messages.ts";
import { ProxyError } from "../errors.ts";
import { BytesBody } from "../http/body.ts";

function ok(body: string): string {
  return head("HTTP/1.1 200 OK", `Content-Length: ${body.length}`) + body;
}

const CHUNKED = head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked");

Deno.test("an upstream that goes away before it answered is an upstream-reset", async () => {
  for (const how of ["end", "reset"] as const) {
    const client = new ClientTest();
    const sent = await client.begin();
    client.transport[how]();
    await quiet(client.transport);
    const { kind, side, retry } = sent.error!;
    assertEquals([kind, side, retry], ["upstream-reset", "upstream", "no"], how);
    assertEquals([client.closes, client.idles], [1, 0]);
  }
});

Deno.test("a reused connection that died before any answer may be retried, one that answered in part may not", async () => {
  for (const how of ["end", "reset"] as const) {
    for (
      const [partly, retry] of [["", "if-reused"], ["H", "no"], [head("HTTP/1.1 100 X"), "no"]]
    ) {
      const client = new ClientTest();
      await client.exchange(ok("first"));
      const sent = await client.begin();
      await client.answer(partly!);
      client.transport[how]();
      await quiet(client.transport);
      assertEquals([sent.error?.kind, sent.error?.retry], ["upstream-reset", retry], partly);
    }
  }
});

Deno.test("a reused connection that cannot even be written to may be retried", async () => {
  const client = new ClientTest();
  await client.exchange(ok("first"));
  client.transport.refuseWrites();
  const sent = await client.begin();
  await client.end();
  assertEquals([sent.error?.kind, sent.error?.retry], ["upstream-reset", "if-reused"]);
});

Deno.test("an upstream that breaks within a body leaves no whole one behind", async () => {
  for (const how of ["end", "reset"] as const) {
    for (const answer of [ok("hello").slice(0, -1), CHUNKED + "5\r\nhello\r\n", CHUNKED]) {
      const client = new ClientTest();
      const sent = await client.exchange(answer);
      client.transport[how]();
      await quiet(client.transport);
      assertEquals([sent.response?.status, sent.text], [200, undefined]);
      assertEquals([sent.error?.kind, client.closes, client.idles], ["upstream-reset", 1, 0]);
    }
  }
});

Deno.test("a reset within a body that the end of the connection delimits is not its end", async () => {
  const client = new ClientTest();
  const sent = await client.exchange(head("HTTP/1.1 200 OK") + "hello");
  client.transport.reset();
  await quiet(client.transport);
  assertEquals([sent.error?.kind, sent.text], ["upstream-reset", undefined]);
});

Deno.test("bytes behind a response end the connection and reach nobody", async () => {
  const smuggled = ok("smuggled");
  const responses = [
    ok("hello") + smuggled,
    CHUNKED + "5\r\nhello\r\n0\r\n\r\n" + smuggled,
    ok("hello") + "x",
  ];
  for (const answer of responses) {
    const client = new ClientTest();
    const sent = await client.exchange(answer);
    assertEquals([sent.text, client.closes, client.idles], ["hello", 1, 0]);
  }
  const client = new ClientTest();
  const none = await client.exchange(
    head("HTTP/1.1 204 No Content", "Content-Length: 5") + smuggled,
  );
  assertEquals([none.text, client.closes, client.idles], ["", 1, 0]);
  const answered = new ClientTest();
  const sent = await answered.exchange(ok("body of HEAD"), { method: "HEAD" });
  assertEquals([sent.text, answered.closes, answered.idles], ["", 1, 0]);
});

Deno.test("bytes that come while a connection is idle make it unusable", async () => {
  const client = new ClientTest();
  await client.exchange(ok("hello"));
  assertEquals(client.connection.isUsable, true);
  await client.answer(ok("smuggled"));
  assertEquals([client.connection.isUsable, client.closes], [false, 0]);
  await client.sweep(0);
  assertEquals([client.closes, client.transport.isClosed], [1, true]);
});

Deno.test("a response that was dealt with cannot end the next one on its connection", async () => {
  for (const answer of [head("HTTP/1.1 204 No Content"), ok(""), ok("hello")]) {
    for (const deal of ["take", "whole", "cancel"] as const) {
      const client = new ClientTest();
      const first = await client.exchange(answer);
      assertEquals(client.idles, 1);
      const second = await client.begin();
      // As a server connection does that finds its client gone while the head of the response was on its way.
      first.response?.body[deal]();
      await quiet(client.transport);
      assertEquals([client.idles, client.connection.isUsable], [1, false], deal);
      await client.answer(ok("second"));
      assertEquals([second.text, client.idles, client.closes], ["second", 2, 0]);
      client.connection.close();
    }
  }
});

Deno.test("a connection that is not idle refuses another request", async () => {
  const busy = new ClientTest();
  const first = await busy.begin();
  const second = await busy.begin();
  assertEquals([second.error?.kind, first.error], ["internal", undefined]);
  await busy.answer(ok("first"));
  assertEquals(first.text, "first");
  busy.connection.close();
  const closed = new ClientTest();
  await closed.exchange(ok("first"));
  closed.connection.close();
  const sent = await closed.begin();
  assertEquals([sent.error?.kind, sent.error?.retry, closed.closes], [
    "upstream-reset",
    "if-reused",
    1,
  ]);
});

Deno.test("an upstream that ends an idle connection takes it away", async () => {
  for (const how of ["end", "reset"] as const) {
    const client = new ClientTest();
    await client.exchange(ok("hello"));
    client.transport[how]();
    await quiet(client.transport);
    assertEquals([client.closes, client.connection.isUsable], [1, false]);
  }
});

Deno.test("an upstream that floods with informational responses is broken", async () => {
  const client = new ClientTest();
  const sent = await client.exchange(head("HTTP/1.1 103 X", "X: y").repeat(50));
  assertEquals(sent.error?.kind, "upstream-protocol");
  assertStringIncludes(sent.error!.message, "informational responses");
  assertEquals([sent.interims.length <= 17, client.closes], [true, 1]);
});

Deno.test("an upstream that switches protocols unasked is broken", async () => {
  const client = new ClientTest();
  const sent = await client.exchange(head("HTTP/1.1 101 X", "Upgrade: h2c", "Connection: upgrade"));
  assertEquals([sent.error?.kind, client.closes], ["upstream-protocol", 1]);
});

Deno.test("an exchange that is called off before its response throws the reason", async () => {
  const reason = new ProxyError("deadline", "too late", { side: "upstream" });
  const body = new PushBody(5);
  const client = new ClientTest();
  const sent = await client.begin({ method: "POST", body });
  client.connection.abort(reason);
  await quiet(client.transport);
  assertEquals([sent.error === reason, client.closes, body.isCancelled], [true, 1, true]);
  client.connection.abort(new ProxyError("internal", "again", { side: "local" }));
  assertEquals(client.closes, 1);
});

Deno.test("an exchange that is called off within its response throws the reason from the body", async () => {
  const reason = new ProxyError("downstream-gone", "gone", { side: "downstream" });
  const client = new ClientTest();
  const sent = await client.exchange(CHUNKED + "1\r\na\r\n");
  client.connection.abort(reason);
  await quiet(client.transport);
  assertEquals([sent.error === reason, client.closes, client.idles], [true, 1, 0]);
});

Deno.test("an exchange is called off by its number, and the next one on the connection is not", async () => {
  const reason = new ProxyError("deadline", "too late", { side: "upstream" });
  const client = new ClientTest();
  await client.exchange(ok("first"));
  client.connection.abortExchange(1, reason);
  assertEquals(client.closes, 0);
  const sent = await client.begin();
  client.connection.abortExchange(1, reason);
  await client.answer(ok("second"));
  assertEquals([sent.text, client.closes], ["second", 0]);
  const third = await client.begin();
  client.connection.abortExchange(3, reason);
  await quiet(client.transport);
  assertEquals([third.error === reason, client.closes], [true, 1]);
});

Deno.test("a downstream that breaks within its body never lets half a request pass for a whole one", async () => {
  const gone = new ProxyError("downstream-gone", "gone", { side: "downstream" });
  for (const length of [undefined, 12]) {
    const client = new ClientTest();
    const sent = await client.begin({
      method: "POST",
      body: new PushBody(length).give("half", gone),
    });
    assertEquals([sent.error === gone, client.closes, client.transport.isClosed], [true, 1, true]);
    assert(!client.transport.received.includes("0\r\n\r\n"));
    const later = new ClientTest();
    const body = new PushBody(length).give("half");
    const waiting = await later.begin({ method: "POST", body });
    body.give(gone);
    await quiet(later.transport);
    assertEquals([waiting.error === gone, later.closes], [true, 1]);
    assert(!later.transport.received.includes("0\r\n\r\n"));
  }
});

Deno.test("an upstream that stands still within a body is cut", async () => {
  const client = new ClientTest();
  const sent = await client.exchange(CHUNKED + "1\r\na\r\n");
  await client.sweep(0, 59_999);
  assertEquals(client.closes, 0);
  await client.answer("1\r\nb\r\n");
  await client.sweep(60_000, 119_999);
  assertEquals(client.closes, 0);
  await client.sweep(120_000);
  assertEquals([sent.error?.kind, client.closes], ["deadline", 1]);
});

Deno.test("an upstream that does not read its request is cut", async () => {
  const client = new ClientTest();
  client.transport.stall();
  const sent = await client.begin({ method: "POST", body: new BytesBody(new Uint8Array(50_000)) });
  await client.sweep(0, 59_999);
  assertEquals(client.closes, 0);
  await client.sweep(60_000);
  assertEquals([sent.error?.kind, client.closes], ["deadline", 1]);
});

Deno.test("waiting for the response, or for the client's body, is not the upstream's fault here", async () => {
  const client = new ClientTest();
  await client.begin({ method: "POST", body: new PushBody(5) });
  await client.sweep(0, 60_000, 600_000);
  assertEquals(client.closes, 0);
  client.connection.close();
});

Deno.test("a reader that does not read stops the upstream, and is no stall of the upstream", async () => {
  const client = new ClientTest();
  const sent = await client.begin({}, false);
  for (const part of [head("HTTP/1.1 200 OK", "Content-Length: 1000000"), "x".repeat(1_000_000)]) {
    client.transport.send(part);
  }
  await quiet(client.transport);
  assert(client.transport.bytesRead <= 8192, `${client.transport.bytesRead} bytes read`);
  await client.sweep(0, 60_000, 600_000);
  assertEquals(client.closes, 0);
  const { body } = sent.response!;
  for (let pulls = 0; pulls < 3; pulls++) {
    while (body.take());
    await body.pull();
  }
  assert(client.transport.bytesRead <= 300_000, `${client.transport.bytesRead} bytes read`);
  body.cancel();
  assertEquals(client.closes, 1);
});

Deno.test("an upstream that does not read stops the client's body", async () => {
  const client = new ClientTest();
  const body = new PushBody();
  await client.begin({ method: "POST", body });
  client.transport.stall();
  for (let i = 0; i < 100; i++) body.give("x".repeat(10_000));
  await quiet(client.transport);
  assert(body.taken <= 4, `${body.taken} pieces taken`);
  client.connection.close();
  await quiet(client.transport);
});

Deno.test("an idle connection is closed after its time", async () => {
  const client = new ClientTest();
  await client.exchange(ok("hello"));
  await client.sweep(0, 59_999);
  assertEquals(client.closes, 0);
  await client.sweep(60_000);
  assertEquals([client.closes, client.transport.isClosed], [1, true]);
});

Deno.test("an idle connection is given its whole time after a slow response", async () => {
  for (let pulls = 1; pulls < 6; pulls++) {
    const client = new ClientTest();
    await client.begin();
    await client.answer(head("HTTP/1.1 200 OK", `Content-Length: ${pulls + 1}`));
    for (let i = 0; i < pulls; i++) await client.answer("x");
    await client.sweep(0, 59_000);
    await client.answer("x");
    assertEquals(client.idles, 1);
    await client.sweep(59_001, 61_000);
    assertEquals(client.closes, 0, `closed too early after ${pulls} pulls`);
    client.connection.close();
  }
});

Deno.test("the head of a response stays intact while its body streams, big or small", async () => {
  for (const [pieces, size] of [[30, 10_000], [12, 150]] as const) {
    const lines = Array.from({ length: 6 }, (_, i) => `X-${i}: ${String(i).repeat(100)}`);
    const client = new ClientTest();
    const sent = await client.begin({}, false);
    await client.answer(head("HTTP/1.1 200 OK", `Content-Length: ${pieces * size + 1}`, ...lines));
    const { headers, body } = sent.response!;
    const before = [...headers];
    let length = 0;
    for (let i = 0; i < pieces; i++) {
      const pulled = body.pull();
      await client.answer("y".repeat(size));
      await pulled;
      for (let chunk = body.take(); chunk; chunk = body.take()) length += chunk.length;
      assertEquals([...headers], before);
    }
    assert(length > 0);
    client.connection.close();
  }
});

Deno.test("server-sent events may be silent as long as a tunnel", async () => {
  const client = new ClientTest();
  const type = "Content-Type: text/event-stream; charset=utf-8";
  const sent = await client.exchange(head("HTTP/1.1 200 OK", type, "Transfer-Encoding: chunked"));
  await client.sweep(0, 60_000, 3_599_999);
  assertEquals([sent.response?.status, client.closes], [200, 0]);
  await client.sweep(3_600_000);
  assertEquals(client.closes, 1);
});
