import { assertEquals } from "@std/assert";
import { fakeRequest } from "../../tests/support/fake_exchange.ts";
import { settle } from "../../tests/support/fake_clock.ts";
import { ScriptedBody } from "../../tests/support/scripted_body.ts";
import { ok, outcome, type ScriptedTransport } from "../../tests/support/scripted_upstream.ts";
import { upstreamRig } from "../../tests/support/upstream_rig.ts";
import type { ProxyError } from "../errors.ts";
import { readBody } from "../http/body.ts";
import type { Response } from "../http/message.ts";
import type { Http1ClientConnection } from "../http1/client_connection.ts";
import { Cancellation } from "../lib/cancellation.ts";
import { Http1Pool } from "./http1_pool.ts";
import type { PoolLimits } from "./pool.ts";

function rig(limits: Partial<PoolLimits> = {}) {
  const parts = upstreamRig(limits);
  const pool = new Http1Pool({ host: "10.0.0.1", port: 80 }, parts.context);
  return { ...parts, pool, connect: () => pool.connect(new Cancellation()) };
}

/** Turns a connection into a tunnel, whose two halves the test ends. */
async function tunnel(
  connection: Http1ClientConnection,
  transport: ScriptedTransport,
): Promise<{ readonly up: ScriptedBody; readonly response: Response }> {
  const up = new ScriptedBody();
  const request = { ...fakeRequest(), upgrade: "chat", body: up };
  const sent = connection.send(request, () => {});
  await settle();
  transport.send("HTTP/1.1 101 x\r\nconnection: upgrade\r\nupgrade: chat\r\n\r\n");
  return { up, response: await sent };
}

Deno.test("Http1Pool gives a tunnel's place to the next exchange, and to one that waits", async () => {
  const { pool, upstream, connect } = rig({ connections: 1 });
  const first = await connect();
  const waiting = connect();
  await settle();
  assertEquals([pool.size, upstream.dialled.length], [{ idle: 0, busy: 1, pending: 1 }, 1]);
  const { response } = await tunnel(first, upstream.last);
  const second = await waiting;
  assertEquals([pool.size, upstream.dialled.length], [{ idle: 0, busy: 2, pending: 0 }, 2]);
  const sent = second.send(fakeRequest(), () => {});
  upstream.last.send(ok());
  await readBody((await sent).body, 1024);
  assertEquals(pool.size, { idle: 1, busy: 1, pending: 0 });
  response.body.cancel();
  assertEquals(pool.size, { idle: 1, busy: 0, pending: 0 });
});

Deno.test("Http1Pool is not empty before its last tunnel has ended, and never lends one", async () => {
  const { pool, upstream, connect } = rig();
  const { up, response } = await tunnel(await connect(), upstream.last);
  pool.drain();
  assertEquals([pool.isEmpty, upstream.last.isClosed], [false, false]);
  upstream.last.send("still there");
  upstream.last.end();
  const read = readBody(response.body, 1024);
  up.end();
  assertEquals((await read)?.length, 11);
  await settle();
  assertEquals([pool.isEmpty, pool.take(), upstream.last.isClosed], [true, undefined, true]);
});

Deno.test("Http1Pool.close cuts tunnels too", async () => {
  const { pool, upstream, connect } = rig();
  const { response } = await tunnel(await connect(), upstream.last);
  const read = outcome(readBody(response.body, 1024));
  pool.close();
  const result = await read;
  assertEquals(result.is === "failed" && (result.error as ProxyError).kind, "draining");
  assertEquals([upstream.last.isClosed, pool.isEmpty], [true, true]);
});
