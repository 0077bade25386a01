import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { settle } from "../../tests/support/fake_clock.ts";
import { bodyOf, fakeExchange } from "../../tests/support/fake_exchange.ts";
import { ScriptedBody } from "../../tests/support/scripted_body.ts";
import { ok, outcome } from "../../tests/support/scripted_upstream.ts";
import { readBody } from "../http/body.ts";
import type { Response } from "../http/message.ts";
import type { Exchange } from "./exchange.ts";

import { errorOf, FOUR, gone, ONE, rig } from "./test_forward.ts";

Deno.test("forward gives an upstream its time and then answers for it", async () => {
  const { begin, upstream, clock } = rig();
  const { response } = await begin({}, 5000);
  await clock.advance(4999);
  assertEquals((await outcome(response)).is, "pending");
  await clock.advance(1);
  const error = await errorOf(response);
  assertEquals([error.kind, error.side], ["deadline", "upstream"]);
  assert(upstream.last.isClosed, "nobody will read that answer");
  assertEquals(clock.pending, 0);
});

Deno.test("forward counts the time of all tries together", async () => {
  const { begin, upstream, clock } = rig(FOUR);
  upstream.rule = "hold";
  const { response } = await begin({}, 5000);
  await clock.advance(3000);
  assertEquals(upstream.held.length, 2);
  await clock.advance(2000);
  assertEquals((await errorOf(response)).kind, "deadline");
  assert(upstream.held.every(({ signal }) => signal.aborted));
});

Deno.test("forward counts the time that a request waits for a connection, also with a body on its way", async () => {
  for (const body of ["", new ScriptedBody()]) {
    const { begin, clock } = rig(ONE, { connections: 1 });
    await begin({}, 60_000);
    const { response } = await begin({ method: "POST", body }, 5000);
    await clock.advance(5000);
    assertEquals((await errorOf(response)).kind, "deadline");
  }
});

Deno.test("forward with a timeout of 0 waits as long as it takes", async () => {
  const { begin, upstream, clock } = rig();
  const { response } = await begin({}, 0);
  await clock.advance(3_600_000);
  upstream.last.send(ok());
  assertEquals((await response).status, 200);
});

Deno.test("forward gives the upstream all of its time once a slow client has sent its request", async () => {
  for (const uploadMs of [1000, 4900, 5100, 9900, 61_000]) {
    const { begin, upstream, clock } = rig(ONE, { idleTimeoutMs: 600_000 });
    const body = new ScriptedBody(4);
    const { response } = await begin({ method: "POST", body }, 5000);
    body.push("ab");
    await clock.advance(uploadMs);
    assertEquals((await outcome(response)).is, "pending", `while uploading for ${uploadMs}`);
    body.push("cd");
    body.end();
    await clock.advance(4999);
    assertEquals((await outcome(response)).is, "pending", `cut early after ${uploadMs}`);
    await clock.advance(1251);
    assertEquals((await errorOf(response)).kind, "deadline", `late after ${uploadMs}`);
    assert(upstream.last.isClosed);
  }
});

Deno.test("forward takes an answer that comes while the client still sends", async () => {
  const { begin, upstream, clock } = rig();
  const body = new ScriptedBody(4);
  const { response } = await begin({ method: "POST", body }, 5000);
  body.push("ab");
  await settle();
  upstream.last.send("HTTP/1.1 413 Content Too Large\r\ncontent-length: 0\r\n\r\n");
  const answer = await response;
  assertEquals(answer.status, 413);
  await readBody(answer.body, 0);
  assert(upstream.last.isClosed, "half a request is on that connection");
  await clock.advance(10_000);
  assertEquals(clock.pending, 0);
});

Deno.test("forward passes on how the client broke off its request, and the upstream gets no whole one", async () => {
  const { begin, upstream } = rig();
  const body = new ScriptedBody();
  const { response } = await begin({ method: "POST", body });
  body.push("half");
  await settle();
  const error = gone();
  body.fail(error);
  assertStrictEquals(await errorOf(response), error);
  assert(upstream.last.isClosed);
  assert(!upstream.last.received.includes("0\r\n\r\n"));
});

Deno.test("forward stops when the client is gone: waiting for a connection, for its turn, for the answer, in its body", async () => {
  const stages: [
    string,
    (r: ReturnType<typeof rig>) => Promise<{ exchange: Exchange; response: Promise<Response> }>,
  ][] = [
    ["dialling", (r) => {
      r.upstream.rule = "hold";
      return r.begin();
    }],
    ["in line", async (r) => {
      await r.begin();
      return await r.begin();
    }],
    ["waiting for the answer", (r) => r.begin()],
  ];
  for (const [stage, prepare] of stages) {
    const parts = rig(ONE, { connections: 1 });
    const { exchange, response } = await prepare(parts);
    const reason = gone();
    exchange.incoming.cancellation.cancel(reason);
    assertStrictEquals(await errorOf(response), reason, stage);
    const { held, connections } = parts.upstream;
    if (stage === "dialling") assert(held[0]!.signal.aborted);
    else assertEquals(connections[0]!.isClosed, stage === "waiting for the answer", stage);
  }
});

Deno.test("forward cuts the upstream when the client goes away within the response's body", async () => {
  const { begin, upstream } = rig();
  const { exchange, response } = await begin();
  upstream.last.send("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\npart");
  const { body } = await response;
  body.take();
  exchange.incoming.cancellation.cancel(gone());
  assert(upstream.last.isClosed);
  assertEquals((await outcome(body.pull())).is, "failed");
});

Deno.test("forward never lets an old exchange's end cut a connection that serves another by now", async () => {
  const { begin, upstream } = rig();
  const first = await begin({ target: "/first" });
  upstream.last.send(ok("first"));
  await bodyOf(await first.response);
  const second = await begin({ target: "/second" });
  assertEquals(upstream.connections.length, 1);
  first.exchange.incoming.cancellation.cancel(gone());
  await settle();
  assert(!upstream.last.isClosed);
  upstream.last.send(ok("second"));
  assertEquals(await bodyOf(await second.response), "second");
});

Deno.test("forward never lets an old exchange's end close a connection that is idle", async () => {
  const { begin, upstream } = rig();
  const { exchange, response } = await begin();
  upstream.last.send(ok());
  await bodyOf(await response);
  exchange.incoming.cancellation.cancel(gone());
  assert(!upstream.last.isClosed);
});

Deno.test("forward starts nothing for a client that is gone already", async () => {
  const { forwarder, cluster, upstream, clock } = rig();
  const exchange = fakeExchange();
  const reason = gone();
  exchange.incoming.cancellation.cancel(reason);
  const error = await assertRejects(() => forwarder.forward(exchange, cluster, 5000));
  assertStrictEquals(error, reason);
  assertEquals([upstream.dialled, exchange.attempts], [[], 0]);
  await clock.advance(5000);
  assertEquals(clock.pending, 0);
});

Deno.test("forward leaves no timer and no listener behind an exchange that failed", async () => {
  const { begin, upstream, clock } = rig();
  upstream.rule = "refuse";
  const { exchange, response } = await begin();
  await errorOf(response);
  exchange.incoming.cancellation.cancel(gone());
  await clock.advance(5000);
  assertEquals(clock.pending, 0);
});
