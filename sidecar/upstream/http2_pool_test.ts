import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { settle } from "../../tests/support/fake_clock.ts";
import { fakeRequest } from "../../tests/support/fake_exchange.ts";
import { Http2Upstream } from "../../tests/support/http2_upstream.ts";
import { upstreamRig } from "../../tests/support/upstream_rig.ts";
import { ProxyError } from "../errors.ts";
import { emptyResponse, type Response } from "../http/message.ts";
import type { Http2Limits } from "../http2/limits.ts";
import { Cancellation } from "../lib/cancellation.ts";
import { Http2Pool } from "./http2_pool.ts";
import type { PoolLimits } from "./pool.ts";

const ADDRESS = { host: "10.0.0.1", port: 80 };

function rig(http2: Partial<Http2Limits> = {}, limits: Partial<PoolLimits> = {}) {
  const upstream = new Http2Upstream(http2);
  const { context, clock } = upstreamRig(limits);
  const pool = new Http2Pool(ADDRESS, { ...context, dial: upstream.dial });
  const connect = () => pool.connect(new Cancellation());
  /** An exchange that stays open until `answer` is called. */
  const hold = () => {
    const { promise, resolve } = Promise.withResolvers<Response>();
    upstream.respond = () => promise;
    return { answer: () => resolve(emptyResponse(200)) };
  };
  return { upstream, pool, clock, connect, hold };
}

/** HTTP/2 fields of a GET. */
function request() {
  return fakeRequest({ version: "2" });
}

Deno.test("Http2Pool makes one connection for everybody who waits", async () => {
  const { pool, upstream, connect } = rig();
  assertEquals(pool.take(), undefined);
  const connections = await Promise.all([connect(), connect(), connect()]);
  assertEquals(new Set(connections).size, 1);
  assertStrictEquals(pool.take(), connections[0]);
  assertEquals(upstream.connections.length, 1);
  assertEquals(pool.size, { idle: 1, busy: 0, pending: 0 });
  pool.close();
  assert(pool.isEmpty);
});

Deno.test("Http2Pool sends many exchanges over one connection at once", async () => {
  const { pool, upstream, connect, hold } = rig();
  const { answer } = hold();
  const connection = await connect();
  const responses = [1, 2, 3].map(() => connection.send(request(), () => {}));
  await settle();
  assertEquals(upstream.requests.length, 3);
  assertEquals(pool.size, { idle: 0, busy: 1, pending: 0 });
  answer();
  for (const { status } of await Promise.all(responses)) assertEquals(status, 200);
  await settle();
  assertEquals(pool.size, { idle: 1, busy: 0, pending: 0 });
  pool.close();
});

Deno.test("Http2Pool makes another connection when the first is full, up to its limit, and queues the rest", async () => {
  const { pool, upstream, connect, hold } = rig({ concurrentStreams: 1 }, { connections: 2 });
  const { answer } = hold();
  const first = await connect();
  await settle();
  const one = first.send(request(), () => {});
  const second = await connect();
  await settle();
  const two = second.send(request(), () => {});
  assert(first !== second);
  const third = connect();
  await settle();
  assertEquals([upstream.connections.length, pool.size.pending], [2, 1]);
  answer();
  await Promise.all([one, two]);
  assert([first, second].includes(await third));
  assertEquals(upstream.connections.length, 2);
  pool.close();
});

Deno.test("Http2Pool tells everybody who waits that no connection can be made", async () => {
  const { pool, upstream, connect } = rig();
  upstream.down.add("10.0.0.1:80");
  const waiting = [connect(), connect()];
  for (const each of waiting) {
    const error = await assertRejects(() => each, ProxyError);
    assertEquals([error.kind, error.retry], ["connect-failed", "yes"]);
  }
  assert(pool.isEmpty);
});

Deno.test("Http2Pool refuses more waiters than it may have, and lets one leave", async () => {
  const { pool, connect, hold } = rig({ concurrentStreams: 1 }, { connections: 1, pending: 1 });
  hold();
  const connection = await connect();
  await settle();
  connection.send(request(), () => {}).catch(() => {});
  const cancellation = new Cancellation();
  const waiting = pool.connect(cancellation);
  waiting.catch(() => {});
  const error = await assertRejects(connect, ProxyError);
  assertEquals(error.kind, "overloaded");
  cancellation.cancel(new Error("left"));
  await assertRejects(() => waiting, Error, "left");
  assertEquals(pool.size.pending, 0);
  pool.close();
});

Deno.test("Http2Pool dials anew when the peer takes no more streams, and lets the open ones finish", async () => {
  const { pool, upstream, connect, hold } = rig();
  const { answer } = hold();
  const old = await connect();
  const response = old.send(request(), () => {});
  await settle();
  upstream.connections[0]!.server.drain();
  await settle();
  assertEquals(pool.take(), undefined);
  assertEquals(pool.size.busy, 1);
  const fresh = await connect();
  assert(fresh !== old);
  answer();
  assertEquals((await response).status, 200);
  await settle();
  assertEquals([upstream.connections.length, pool.size.busy], [2, 0]);
  pool.close();
});

Deno.test("Http2Pool forgets a connection that broke, and dials for whoever waits for it", async () => {
  const { pool, upstream, connect, hold } = rig({ concurrentStreams: 1 }, { connections: 1 });
  hold();
  const connection = await connect();
  await settle();
  const response = connection.send(request(), () => {});
  response.catch(() => {});
  const waiting = connect();
  await settle();
  upstream.connections[0]!.cut();
  const error = await assertRejects(() => response, ProxyError);
  assertEquals(error.kind, "upstream-reset");
  assert(await waiting !== connection);
  assertEquals(upstream.connections.length, 2);
  pool.close();
});

Deno.test("Http2Pool closes idle connections when it drains, and busy ones as they come free", async () => {
  const { pool, connect, hold } = rig();
  const { answer } = hold();
  const response = (await connect()).send(request(), () => {});
  await settle();
  pool.drain();
  assert(!pool.isOpen && !pool.isEmpty);
  answer();
  (await response).body.cancel();
  await settle();
  assert(pool.isEmpty);
});

Deno.test("Http2Pool that drains sends whoever waits, or comes late, to another endpoint", async () => {
  const { pool, connect } = rig();
  const waiting = connect();
  pool.drain();
  for (const late of [waiting, connect()]) {
    const { kind, retry } = await assertRejects(() => late, ProxyError);
    assertEquals([kind, retry], ["connect-failed", "yes"]);
  }
  await settle();
  assert(pool.isEmpty);
});

Deno.test("Http2Pool that is closed cuts what is under way and makes nothing new", async () => {
  const { pool, connect, hold } = rig();
  hold();
  const response = (await connect()).send(request(), () => {});
  response.catch(() => {});
  await settle();
  pool.close();
  assertEquals((await assertRejects(() => response, ProxyError)).kind, "draining");
  assertEquals((await assertRejects(connect, ProxyError)).kind, "draining");
  assert(pool.isEmpty);
});
