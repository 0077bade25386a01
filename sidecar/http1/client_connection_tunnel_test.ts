import { assertEquals, assertStringIncludes } from "@std/assert";
import { head } from "../../tests/support/http1_cases/case.ts";
import { ClientTest, type Sent } from "../../tests/support/http1_client.ts";
import { PushBody, requestOf } from "../../tests/support/messages.ts";
import { quiet } from "../../tests/support/memory_transport.ts";
import { ProxyError } from "../errors.ts";
import { FieldList } from "../http/fields.ts";
import type { Request } from "../http/message.ts";
import type { ClientLimits } from "./client_connection.ts";
import { acceptOf } from "./websocket.ts";

const GRANT = head("HTTP/1.1 101 Switching Protocols", "Connection: upgrade", "Upgrade: Chat/2");
const REFUSE = head("HTTP/1.1 403 Forbidden", "Content-Length: 2") + "no";

/** A connection whose next request asks for a tunnel; `up` is what the client sends through it. */
async function ask(
  limits: Partial<ClientLimits> = {},
  parts: Partial<Request> = {},
): Promise<{ client: ClientTest; up: PushBody; sent: Sent }> {
  const client = new ClientTest(limits);
  const up = new PushBody();
  const sent = await client.begin({ upgrade: "chat/2", body: up, ...parts });
  return { client, up, sent };
}

Deno.test("a tunnel is asked for by a head alone, and nothing follows before the switch", async () => {
  const { client, up } = await ask();
  assertEquals(
    client.transport.take(),
    head("GET / HTTP/1.1", "host: a", "connection: upgrade", "upgrade: chat/2"),
  );
  up.give("early");
  await quiet(client.transport);
  assertEquals([client.transport.take(), up.taken], ["", 0]);
  await client.answer(GRANT);
  assertEquals(client.transport.take(), "early");
  await client.end();
  up.give(null);
  await quiet(client.transport);
});

Deno.test("a tunnel carries bytes both ways, those behind the switch included", async () => {
  const { client, up, sent } = await ask();
  await client.answer(GRANT + "first ");
  assertEquals(sent.response?.status, 101);
  client.transport.take();
  up.give("up");
  await client.answer("second");
  assertEquals(client.transport.take(), "up");
  up.give(null);
  await client.end();
  assertEquals([sent.text, sent.error, client.closes], ["first second", undefined, 1]);
});

Deno.test("a tunnel has all bytes behind the switch, cut wherever", async () => {
  const bytes = GRANT + "\0rest";
  for (let at = 1; at < bytes.length; at++) {
    const { client, up, sent } = await ask();
    await client.answer(bytes.slice(0, at));
    await client.answer(bytes.slice(at));
    up.give(null);
    await client.end();
    assertEquals(sent.text, "\0rest");
  }
});

Deno.test("a tunnel whose upstream ended still carries what the client sends", async () => {
  const { client, up, sent } = await ask();
  await client.answer(GRANT + "bye");
  await client.end();
  assertEquals([sent.text, client.closes], ["bye", 0]);
  client.transport.take();
  up.give("more");
  await quiet(client.transport);
  assertEquals(client.transport.take(), "more");
  up.give(null);
  await quiet(client.transport);
  assertEquals([client.closes, client.transport.isClosed], [1, true]);
});

Deno.test("a tunnel whose client ended says so upstream and still carries the answer", async () => {
  const { client, up, sent } = await ask();
  await client.answer(GRANT);
  up.give("all", null);
  await quiet(client.transport);
  assertEquals([client.transport.isWriteClosed, client.closes], [true, 0]);
  await client.answer("late answer");
  await client.end();
  assertEquals([sent.text, client.closes, client.idles], ["late answer", 1, 0]);
});

Deno.test("a tunnel is cut when the client's side breaks", async () => {
  const { client, up, sent } = await ask();
  await client.answer(GRANT);
  up.give(new ProxyError("downstream-gone", "reset", { side: "downstream" }));
  await quiet(client.transport);
  assertEquals([client.closes, client.transport.isClosed], [1, true]);
  assertEquals(sent.error?.kind, "downstream-gone");
});

Deno.test("a tunnel is cut when the upstream resets it", async () => {
  const { client, up, sent } = await ask();
  await client.answer(GRANT);
  client.transport.reset();
  await quiet(client.transport);
  assertEquals([sent.error?.kind, up.isCancelled, client.closes], ["upstream-reset", true, 1]);
});

Deno.test("a tunnel whose upstream takes no more gives up the client's half", async () => {
  const { client, up, sent } = await ask();
  await client.answer(GRANT);
  client.transport.refuseWrites();
  up.give("lost");
  await quiet(client.transport);
  assertEquals([up.isCancelled, client.closes], [true, 0]);
  await client.answer("last words");
  await client.end();
  assertEquals([sent.text, client.closes], ["last words", 1]);
});

Deno.test("a tunnel ends when the upstream has closed altogether", async () => {
  const { client, up } = await ask();
  await client.answer(GRANT);
  await client.end();
  client.transport.refuseWrites();
  up.give("to nobody");
  await quiet(client.transport);
  assertEquals([up.isCancelled, client.closes, client.transport.isClosed], [true, 1, true]);
});

Deno.test("a tunnel that nobody reads any more is closed", async () => {
  const client = new ClientTest();
  const up = new PushBody();
  const sent = await client.begin({ upgrade: "chat/2", body: up }, false);
  await client.answer(GRANT);
  sent.response!.body.cancel();
  await quiet(client.transport);
  assertEquals([client.closes, up.isCancelled, client.transport.isClosed], [1, true, true]);
});

Deno.test("a tunnel that is called off fails with the reason", async () => {
  const { client, up, sent } = await ask();
  await client.answer(GRANT);
  const reason = new ProxyError("draining", "shutdown", { side: "local" });
  client.connection.abortExchange(1, reason);
  await quiet(client.transport);
  assertEquals([sent.error, up.isCancelled, client.closes], [reason, true, 1]);
});

Deno.test("a tunnel may be silent for its own idle timeout and no longer", async () => {
  const { client, up, sent } = await ask({ idleTimeoutMs: 1000, tunnelIdleTimeoutMs: 10_000 });
  await client.answer(GRANT);
  await client.sweep(0, 9999);
  up.give("moves");
  await client.sweep(10_000, 19_999);
  await client.answer("moves");
  await client.sweep(20_000, 29_999);
  assertEquals(client.closes, 0);
  await client.sweep(30_000);
  assertEquals([client.closes, sent.error?.kind], [1, "deadline"]);
});

Deno.test("a refused switch leaves the connection to the next exchange and the body to its sender", async () => {
  const { client, up, sent } = await ask();
  await client.answer(REFUSE);
  assertEquals([sent.response?.status, sent.text], [403, "no"]);
  assertEquals([client.idles, client.closes, up.isCancelled, up.taken], [1, 0, false, 0]);
  assertEquals(client.tunnels, 0);
  client.transport.take();
  const next = await client.exchange(head("HTTP/1.1 200 OK", "Content-Length: 2") + "ok");
  assertEquals(client.transport.take(), head("GET / HTTP/1.1", "host: a"));
  assertEquals(next.text, "ok");
});

Deno.test("a switch that was lost with its connection can be asked for again with the same body", async () => {
  const { client, up, sent } = await ask();
  await client.end();
  assertEquals([sent.error?.kind, up.isCancelled], ["upstream-reset", false]);
  const second = new ClientTest();
  const again = await second.begin({ upgrade: "chat/2", body: up });
  await second.answer(GRANT + "hello");
  second.transport.take();
  up.give("hello too", null);
  await second.end();
  assertEquals([second.transport.take(), again.text], ["hello too", "hello"]);
});

Deno.test("a switch follows any informational responses", async () => {
  const { client, up, sent } = await ask();
  await client.answer(head("HTTP/1.1 100 Continue") + head("HTTP/1.1 103 Early Hints", "link: x"));
  await client.answer(GRANT + "bytes");
  up.give(null);
  await client.end();
  assertEquals(sent.interims.map(({ status }) => status), [100, 103]);
  assertEquals(sent.text, "bytes");
});

Deno.test("a switch that was not asked for, or to something else, is an error of the upstream", async () => {
  const other = GRANT.replace("Chat/2", "chat/3");
  const unnamed = head("HTTP/1.1 101 Switching Protocols", "Upgrade: chat/2");
  const cases: [string, Partial<Request>][] = [
    [GRANT, { upgrade: undefined }],
    [other, {}],
    [unnamed, {}],
  ];
  for (const [bytes, parts] of cases) {
    const { client, sent } = await ask({}, parts);
    await client.answer(bytes);
    assertEquals([sent.error?.kind, client.closes], ["upstream-protocol", 1]);
  }
});

Deno.test("a WebSocket for a client of HTTP/2 is asked for with a key, which the answer must know", async () => {
  for (const isRight of [true, false]) {
    const headers = FieldList.of({ host: "a" });
    const parts: Partial<Request> = { upgrade: "websocket", version: "2", headers };
    const { client, up, sent } = await ask({}, parts);
    const key = headers.get("sec-websocket-key")!;
    assertStringIncludes(client.transport.take(), `sec-websocket-key: ${key}\r\n`);
    const accept = `Sec-WebSocket-Accept: ${acceptOf(isRight ? key : "another")}`;
    await client.answer(
      head("HTTP/1.1 101 Switching Protocols", "Connection: upgrade", "Upgrade: websocket", accept),
    );
    assertEquals(sent.response?.headers.has("sec-websocket-accept"), isRight ? false : undefined);
    assertEquals(sent.error?.kind, isRight ? undefined : "upstream-protocol");
    up.give(null);
    await client.end();
  }
});

Deno.test("a WebSocket's answer is checked for a client of HTTP/1.1 and passed on", async () => {
  const headers = FieldList.of({ host: "a", "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==" });
  const answer = (accept: string) =>
    head("HTTP/1.1 101 x", "Connection: upgrade", "Upgrade: websocket", ...accept ? [accept] : []);
  const right = "sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
  for (const accept of [right, "", "sec-websocket-accept: no"]) {
    const parts: Partial<Request> = { upgrade: "websocket", headers };
    const { client, up, sent } = await ask({}, parts);
    await client.answer(answer(accept));
    assertEquals(sent.error?.kind, accept === right ? undefined : "upstream-protocol");
    if (accept === right) assertEquals(sent.response?.headers.has("sec-websocket-accept"), true);
    up.give(null);
    await client.end();
  }
});

Deno.test("a tunnel can be asked for on a kept connection", async () => {
  const client = new ClientTest();
  await client.exchange(head("HTTP/1.1 200 OK", "Content-Length: 2") + "ok");
  const up = new PushBody();
  const sent = await client.begin(requestOf({ upgrade: "chat/2", body: up }));
  await client.answer(GRANT + "x");
  up.give(null);
  await client.end();
  assertEquals([sent.text, client.idles, client.tunnels, client.closes], ["x", 1, 1, 1]);
});
