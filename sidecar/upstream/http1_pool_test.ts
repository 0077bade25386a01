import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { fakeRequest } from "../../tests/support/fake_exchange.ts";
import { settle } from "../../tests/support/fake_clock.ts";
import { ok, outcome, type ScriptedTransport } from "../../tests/support/scripted_upstream.ts";
import { type UpstreamRig, upstreamRig } from "../../tests/support/upstream_rig.ts";
import { ProxyError } from "../errors.ts";
import { readBody } from "../http/body.ts";
import type { Http1ClientConnection } from "../http1/client_connection.ts";
import { Cancellation } from "../lib/cancellation.ts";
import { Http1Pool } from "./http1_pool.ts";
import type { PoolLimits } from "./pool.ts";

const ADDRESS = { host: "10.0.0.1", port: 80 };

function rig(limits: Partial<PoolLimits> = {}): UpstreamRig & { readonly pool: Http1Pool } {
  const parts = upstreamRig(limits);
  return { ...parts, pool: new Http1Pool(ADDRESS, parts.context) };
}

function connect(
  pool: Http1Pool,
  cancellation = new Cancellation(),
): Promise<Http1ClientConnection> {
  return pool.connect(cancellation);
}

/** One whole exchange, after which the connection is back in the pool. */
async function use(connection: Http1ClientConnection, transport: ScriptedTransport): Promise<void> {
  const sent = connection.send(fakeRequest(), () => {});
  await settle();
  transport.send(ok());
  const { body } = await sent;
  await readBody(body, 1024);
}

/** The kind of error that `work` fails with by now; what else it is, otherwise. */
async function failure(work: Promise<unknown>): Promise<string> {
  const result = await outcome(work);
  if (result.is !== "failed") return result.is;
  return result.error instanceof ProxyError ? result.error.kind : String(result.error);
}

Deno.test("Http1Pool has no idle connection before one was used", () => {
  const { pool } = rig();
  assertEquals(pool.take(), undefined);
  assert(pool.isEmpty);
});

Deno.test("Http1Pool dials, lends, takes back and lends again without dialling", async () => {
  const { pool, upstream } = rig();
  const connection = await connect(pool);
  assertEquals(pool.size, { idle: 0, busy: 1, pending: 0 });
  await use(connection, upstream.last);
  assertEquals(pool.size, { idle: 1, busy: 0, pending: 0 });
  assertStrictEquals(pool.take(), connection);
  assertEquals(pool.size, { idle: 0, busy: 1, pending: 0 });
  assertEquals(upstream.dialled, ["10.0.0.1:80"]);
});

Deno.test("Http1Pool closes a retired connection that is idle, and one in use when its exchange is over", async () => {
  const { pool, upstream } = rig();
  await use(await connect(pool), upstream.last);
  upstream.last.retire();
  assertEquals([pool.take(), pool.isEmpty], [undefined, true]);
  const busy = await connect(pool);
  const sent = busy.send(fakeRequest(), () => {});
  await settle();
  upstream.last.retire();
  upstream.last.send(ok());
  await readBody((await sent).body, 1024);
  assertEquals([pool.take(), pool.isEmpty], [undefined, true]);
});

Deno.test("Http1Pool lends the warmest connection first", async () => {
  const { pool, upstream } = rig();
  const [first, second] = [await connect(pool), await connect(pool)];
  await use(first, upstream.connections[0]!);
  await use(second, upstream.connections[1]!);
  assertStrictEquals(pool.take(), second);
  assertStrictEquals(pool.take(), first);
  assertEquals(pool.take(), undefined);
});

Deno.test("Http1Pool forgets an idle connection that its peer closes, breaks or speaks on unasked", async () => {
  const ends: ((transport: ScriptedTransport) => void)[] = [
    (transport) => transport.end(),
    (transport) => transport.reset(),
    (transport) => transport.send("HTTP/1.1 408 Request Timeout\r\n\r\n"),
    (transport) => transport.send("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"),
  ];
  for (const end of ends) {
    const { pool, upstream } = rig();
    await use(await connect(pool), upstream.last);
    end(upstream.last);
    await settle();
    assertEquals(pool.take(), undefined);
    assert(upstream.last.isClosed);
    assert(pool.isEmpty);
  }
});

Deno.test("Http1Pool replaces a dead connection with a fresh one", async () => {
  const { pool, upstream } = rig({ connections: 1 });
  await use(await connect(pool), upstream.last);
  upstream.last.end();
  await settle();
  assertEquals(pool.take(), undefined);
  await use(await connect(pool), upstream.last);
  assertEquals(upstream.connections.map(({ isClosed }) => isClosed), [true, false]);
});

Deno.test("Http1Pool lets an idle connection go after the idle timeout", async () => {
  const { pool, upstream, clock } = rig({ idleTimeoutMs: 10_000 });
  await use(await connect(pool), upstream.last);
  await clock.advance(9_900);
  assert(!upstream.last.isClosed);
  await clock.advance(1_000);
  assert(upstream.last.isClosed && pool.isEmpty);
  assertEquals(clock.pending, 0);
});

Deno.test("Http1Pool counts connections that are being made as connections", async () => {
  const { pool, upstream } = rig({ connections: 2 });
  upstream.rule = "hold";
  const all = [connect(pool), connect(pool), connect(pool)];
  await settle();
  assertEquals(upstream.held.length, 2);
  assertEquals(pool.size.pending, 1);
  for (const dial of upstream.held) dial.accept();
  const [first] = await Promise.all(all.slice(0, 2));
  assertEquals(pool.size, { idle: 0, busy: 2, pending: 1 });
  await use(first!, upstream.connections[0]!);
  assertStrictEquals(await all[2], first!);
});

Deno.test("Http1Pool serves those who wait in the order in which they came", async () => {
  const { pool, upstream } = rig({ connections: 1 });
  const connection = await connect(pool);
  const order: number[] = [];
  const waiting = [1, 2, 3].map((number) => connect(pool).then(() => void order.push(number)));
  for (const expected of [[1], [1, 2], [1, 2, 3]]) {
    await use(connection, upstream.last);
    await settle();
    assertEquals(order, expected);
  }
  await Promise.all(waiting);
  assertEquals(pool.size, { idle: 0, busy: 1, pending: 0 });
});

Deno.test("Http1Pool refuses more waiters than it may hold, at once and not for another try", async () => {
  const { pool } = rig({ connections: 1, pending: 2 });
  await connect(pool);
  const waiting = [connect(pool), connect(pool)];
  const error = await assertRejects(() => connect(pool), ProxyError);
  assertEquals([error.kind, error.side, error.retry], ["overloaded", "local", "no"]);
  assertEquals(pool.size.pending, 2);
  pool.close();
  await Promise.allSettled(waiting);
});

Deno.test("Http1Pool lets a waiter leave, and its place goes to another", async () => {
  const { pool, upstream } = rig({ connections: 1, pending: 1 });
  const connection = await connect(pool);
  const cancellation = new Cancellation();
  const left = connect(pool, cancellation);
  const gone = new ProxyError("downstream-gone", "gone", { side: "downstream" });
  cancellation.cancel(gone);
  assertStrictEquals(await assertRejects(() => left), gone);
  const next = connect(pool);
  await use(connection, upstream.last);
  assertStrictEquals(await next, connection);
});

Deno.test("Http1Pool gives no connection to whoever is cancelled before he asks", async () => {
  const { pool, upstream } = rig();
  const cancellation = new Cancellation();
  cancellation.cancel(new ProxyError("downstream-gone", "gone", { side: "downstream" }));
  assertEquals(await failure(connect(pool, cancellation)), "downstream-gone");
  assertEquals(upstream.dialled, []);
  assert(pool.isEmpty);
});

Deno.test("Http1Pool dials for the next in line when a connection is lost", async () => {
  const { pool, upstream } = rig({ connections: 1 });
  const lost = await connect(pool);
  const next = connect(pool);
  await settle();
  assertEquals(upstream.connections.length, 1);
  lost.close();
  assert(await next !== lost);
  assertEquals(pool.size, { idle: 0, busy: 1, pending: 0 });
});

Deno.test("Http1Pool keeps a connection that was dialled for somebody who has left meanwhile", async () => {
  const { pool, upstream } = rig({ connections: 1 });
  const lost = await connect(pool);
  const cancellation = new Cancellation();
  const left = connect(pool, cancellation);
  const other = connect(pool);
  upstream.rule = "hold";
  lost.close();
  await settle();
  cancellation.cancel(new ProxyError("downstream-gone", "gone", { side: "downstream" }));
  assertEquals(await failure(left), "downstream-gone");
  upstream.held[0]!.accept();
  const given = await other;
  assertEquals(pool.size, { idle: 0, busy: 1, pending: 0 });
  await use(given, upstream.last);
  assertEquals(pool.size, { idle: 1, busy: 0, pending: 0 });
});

Deno.test("Http1Pool leaks no place when the only waiter leaves while its connection is being made", async () => {
  const { pool, upstream } = rig({ connections: 1 });
  const lost = await connect(pool);
  const cancellation = new Cancellation();
  const left = connect(pool, cancellation);
  upstream.rule = "hold";
  lost.close();
  await settle();
  cancellation.cancel(new Error("gone"));
  await assertRejects(() => left);
  upstream.held[0]!.accept();
  await settle();
  assertEquals(pool.size, { idle: 1, busy: 0, pending: 0 });
  assert(pool.take() !== undefined, "and it can be used");
});

Deno.test("Http1Pool gives what is idle to whoever comes for a new connection when their number is used up", async () => {
  const { pool, upstream } = rig({ connections: 1 });
  const connection = await connect(pool);
  await use(connection, upstream.last);
  assertStrictEquals(await connect(pool), connection);
});

Deno.test("Http1Pool says that a connection cannot be made, and that another endpoint may be tried", async () => {
  const { pool, upstream } = rig();
  upstream.rule = "refuse";
  const error = await assertRejects(() => connect(pool), ProxyError, "10.0.0.1:80");
  assertEquals([error.kind, error.side, error.retry], ["connect-failed", "upstream", "yes"]);
  assertEquals((error.cause as Error).message, "connection refused by the script");
  assert(pool.isEmpty);
});

Deno.test("Http1Pool fails one waiter with each dial that fails for it, and leaves none behind", async () => {
  const { pool, upstream } = rig({ connections: 1 });
  const lost = await connect(pool);
  const waiting = [connect(pool), connect(pool), connect(pool)];
  upstream.rule = "refuse";
  lost.close();
  for (const waiter of waiting) assertEquals(await failure(waiter), "connect-failed");
  assertEquals(upstream.dialled.length, 4);
  assert(pool.isEmpty);
});

Deno.test("Http1Pool waits for a connection up to the connect timeout, then gives the dial up", async () => {
  const { pool, upstream, clock } = rig({ connectTimeoutMs: 3000 });
  upstream.rule = "hold";
  const connecting = connect(pool);
  await clock.advance(2999);
  assertEquals(await failure(connecting), "pending");
  assert(!upstream.held[0]!.signal.aborted);
  await clock.advance(1);
  const error = await assertRejects(() => connecting, ProxyError);
  assertEquals([error.kind, error.side, error.retry], ["connect-timeout", "upstream", "yes"]);
  assert(upstream.held[0]!.signal.aborted, "what cannot be reached must not pile up");
  assert(pool.isEmpty);
  assertEquals(clock.pending, 0);
});

Deno.test("Http1Pool closes a connection that comes after its caller gave up", async () => {
  const { pool, upstream, clock } = rig();
  upstream.rule = "hold";
  const connecting = connect(pool);
  connecting.catch(() => {});
  await clock.advance(3000);
  const late = upstream.held[0]!.accept();
  await settle();
  assert(late.isClosed);
  assertEquals(pool.size, { idle: 0, busy: 0, pending: 0 });
});

Deno.test("Http1Pool gives a dial up when its caller is cancelled, with the caller's reason", async () => {
  const { pool, upstream, clock } = rig();
  upstream.rule = "hold";
  const cancellation = new Cancellation();
  const connecting = connect(pool, cancellation);
  await settle();
  const gone = new ProxyError("downstream-gone", "gone", { side: "downstream" });
  cancellation.cancel(gone);
  assertStrictEquals(await assertRejects(() => connecting), gone);
  assert(upstream.held[0]!.signal.aborted);
  upstream.held[0]!.refuse("aborted");
  await clock.advance(5000);
  assert(pool.isEmpty);
});

Deno.test("Http1Pool aborts no dial that succeeded", async () => {
  const { pool, upstream, clock } = rig();
  upstream.rule = "hold";
  const cancellation = new Cancellation();
  const connecting = connect(pool, cancellation);
  await settle();
  upstream.held[0]!.accept();
  await connecting;
  cancellation.cancel(new Error("the exchange is over"));
  await clock.advance(10_000);
  assert(!upstream.held[0]!.signal.aborted && !upstream.last.isClosed);
});

Deno.test("Http1Pool dials again for those who wait when the dial before them is given up", async () => {
  const { pool, upstream } = rig({ connections: 1 });
  upstream.rule = "hold";
  const cancellation = new Cancellation();
  const first = connect(pool, cancellation);
  const second = connect(pool);
  await settle();
  cancellation.cancel(new Error("gone"));
  await assertRejects(() => first);
  await settle();
  assertEquals(upstream.held.length, 2);
  upstream.held[1]!.accept();
  await second;
});

Deno.test("Http1Pool.drain closes what is idle now, and what is busy when it comes free", async () => {
  const { pool, upstream } = rig();
  const [idle, busy] = [await connect(pool), await connect(pool)];
  await use(idle, upstream.connections[0]!);
  const sent = busy.send(fakeRequest(), () => {});
  await settle();
  pool.drain();
  assertEquals(upstream.connections.map(({ isClosed }) => isClosed), [true, false]);
  upstream.connections[1]!.send(ok());
  const { body } = await sent;
  assert(!pool.isEmpty, "an exchange is under way");
  await readBody(body, 1024);
  assert(upstream.connections[1]!.isClosed && pool.isEmpty);
});

Deno.test("Http1Pool.drain still serves those who wait already", async () => {
  const { pool, upstream } = rig({ connections: 1 });
  const busy = await connect(pool);
  const waiting = connect(pool);
  await settle();
  pool.drain();
  await use(busy, upstream.last);
  assertStrictEquals(await waiting, busy);
  await use(busy, upstream.last);
  assert(upstream.last.isClosed && pool.isEmpty);
});

Deno.test("Http1Pool.close cuts exchanges, fails those who wait, and makes no connection any more", async () => {
  const { pool, upstream } = rig({ connections: 1 });
  const busy = await connect(pool);
  const sent = busy.send(fakeRequest(), () => {});
  const waiting = [connect(pool), connect(pool)];
  await settle();
  pool.close();
  assertEquals(await failure(sent), "draining");
  for (const waiter of waiting) assertEquals(await failure(waiter), "draining");
  assertEquals(await failure(connect(pool)), "draining");
  assertEquals(upstream.dialled.length, 1);
  assert(upstream.last.isClosed && pool.isEmpty);
});

Deno.test("Http1Pool.close closes a connection that is still being made", async () => {
  const { pool, upstream } = rig();
  upstream.rule = "hold";
  const connecting = connect(pool);
  await settle();
  pool.close();
  const late = upstream.held[0]!.accept();
  assertEquals(await failure(connecting), "draining");
  assert(late.isClosed && pool.isEmpty);
});
