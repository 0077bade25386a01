import { assert, assertEquals } from "@std/assert";
import { settle } from "../../tests/support/fake_clock.ts";
import { outcome } from "../../tests/support/scripted_upstream.ts";
import { upstreamRig } from "../../tests/support/upstream_rig.ts";
import { httpCheck, type HttpCheckOptions } from "./http_check.ts";

const CHECK: HttpCheckOptions = {
  address: { host: "127.0.0.1", port: 8001 },
  path: "/health",
  timeoutMs: 3000,
};

function rig() {
  const parts = upstreamRig();
  return {
    ...parts,
    check: (options: Partial<HttpCheckOptions> = {}) =>
      httpCheck({ ...CHECK, ...options }, parts.context),
  };
}

Deno.test("httpCheck asks by GET, with a Host, on a connection of its own that it closes", async () => {
  const { check, upstream, clock } = rig();
  const result = check();
  await settle();
  assertEquals(upstream.dialled, ["127.0.0.1:8001"]);
  const [line, ...fields] = upstream.last.received.split("\r\n");
  assertEquals(line, "GET /health HTTP/1.1");
  assert(fields.includes("host: 127.0.0.1:8001"), upstream.last.received);
  upstream.last.send("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
  assertEquals(await result, { isHealthy: true, detail: "/health answered 200" });
  assert(upstream.last.isClosed);
  assertEquals(clock.pending, 1, "the timeout's one timer, which waits for nobody");
});

Deno.test("httpCheck brackets an IPv6 address in Host", async () => {
  const { check, upstream } = rig();
  const result = check({ address: { host: "::1", port: 8001 } });
  await settle();
  assert(upstream.last.received.includes("host: [::1]:8001\r\n"), upstream.last.received);
  upstream.last.send("HTTP/1.1 204 No Content\r\n\r\n");
  assertEquals((await result).isHealthy, true);
});

Deno.test("httpCheck takes 2xx for healthy and nothing else", async () => {
  const statuses = {
    200: true,
    204: true,
    299: true,
    301: false,
    304: false,
    404: false,
    500: false,
    503: false,
  };
  for (const [status, isHealthy] of Object.entries(statuses)) {
    const { check, upstream } = rig();
    upstream.respond = () => `HTTP/1.1 ${status} X\r\ncontent-length: 0\r\n\r\n`;
    assertEquals(await check(), { isHealthy, detail: `/health answered ${status}` });
  }
});

Deno.test("httpCheck does not wait for a body, however long", async () => {
  const { check, upstream } = rig();
  upstream.respond = () => "HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\nx";
  assertEquals((await check()).isHealthy, true);
  assert(upstream.last.isClosed);
});

Deno.test("httpCheck goes past informational responses", async () => {
  const { check, upstream } = rig();
  upstream.respond = () =>
    "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 503 No\r\ncontent-length: 0\r\n\r\n";
  assertEquals((await check()).isHealthy, false);
});

Deno.test("httpCheck says why the app is not well when it cannot be reached or speaks something else", async () => {
  const { check, upstream } = rig();
  upstream.rule = "refuse";
  assertEquals(await check(), { isHealthy: false, detail: "connection refused by the script" });
  upstream.rule = "accept";
  upstream.respond = () => "SSH-2.0-OpenSSH\r\n\r\n";
  assertEquals((await check()).isHealthy, false);
  upstream.respond = (_request, transport) => void transport.end();
  const ended = await check();
  assertEquals([ended.isHealthy, ended.detail.includes("closed")], [false, true]);
  assertEquals(upstream.open, []);
});

Deno.test("httpCheck waits for the answer up to its timeout and closes the connection", async () => {
  const { check, upstream, clock } = rig();
  const result = check();
  await clock.advance(2999);
  assertEquals((await outcome(result)).is, "pending");
  await clock.advance(1);
  assertEquals(await result, {
    isHealthy: false,
    isLate: true,
    detail: "no answer within 3000 ms",
  });
  assert(upstream.last.isClosed);
  assertEquals(clock.pending, 0);
});

Deno.test("httpCheck waits for the connection up to its timeout, gives the dial up, and closes what comes late", async () => {
  const { check, upstream, clock } = rig();
  upstream.rule = "hold";
  const result = check();
  await clock.advance(3000);
  assertEquals(await result, {
    isHealthy: false,
    isLate: true,
    detail: "no answer within 3000 ms",
  });
  assert(upstream.held[0]!.signal.aborted);
  const late = upstream.held[0]!.accept();
  await settle();
  assert(late.isClosed);
});

Deno.test("httpCheck does not extend its time for an app that drips", async () => {
  const { check, upstream, clock } = rig();
  const result = check();
  for (const letter of "HTTP") {
    await clock.advance(700);
    upstream.last.send(letter);
  }
  await clock.advance(200);
  assertEquals(await result, {
    isHealthy: false,
    isLate: true,
    detail: "no answer within 3000 ms",
  });
});
