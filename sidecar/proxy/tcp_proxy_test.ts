import { assertEquals } from "@std/assert";
import { fakeSnapshot } from "../../tests/support/fake_snapshot.ts";
import { MemoryLog } from "../../tests/support/memory_log.ts";
import { MemoryTransport, quiet } from "../../tests/support/memory_transport.ts";
import { settle } from "../../tests/support/fake_clock.ts";
import { upstreamRig } from "../../tests/support/upstream_rig.ts";
import { ProxyError } from "../errors.ts";
import { SnapshotStore } from "../snapshot/store.ts";
import { Metrics } from "../telemetry/metrics.ts";
import { Upstreams } from "../upstream/upstreams.ts";
import { TcpJournal } from "./tcp_journal.ts";
import { TcpProxy } from "./tcp_proxy.ts";

const FOUR = ["10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80", "10.0.0.4:80"];

function rig(addresses: readonly string[] = FOUR) {
  const parts = upstreamRig({ tunnelIdleTimeoutMs: 10_000 });
  const { context, clock } = parts;
  const metrics = new Metrics();
  const log = new MemoryLog();
  const store = new SnapshotStore(fakeSnapshot({
    endpoints: { redis: addresses },
    upstreams: { redis: { protocol: "tcp" } },
  }));
  const upstreams = new Upstreams(context);
  const journal = new TcpJournal(metrics, log.logger, "all");
  const proxy = new TcpProxy({
    listener: "outbound to redis",
    upstream: "redis",
    store,
    upstreams,
    context,
    clock,
    journal,
  });
  const open = async () => {
    const client = new MemoryTransport();
    const connection = proxy.accept(client);
    let isOver = false;
    connection.serve().then(() => isOver = true);
    await quiet(client);
    return { client, connection, isOver: () => isOver };
  };
  /** What the log said of connections that ended: reason, endpoint and bytes. */
  const ended = () =>
    log.lines.filter(({ message }) => message === "connection")
      .map(({ reason, endpoint, sent, received }) => [reason, endpoint, sent, received]);
  return { ...parts, metrics, log, store, proxy, open, ended };
}

Deno.test("TcpProxy passes bytes both ways as they are", async () => {
  const { open, upstream, ended, metrics } = rig();
  const { client, isOver } = await open();
  client.send("\0PING\r\n");
  await quiet(client);
  assertEquals([upstream.dialled, upstream.last.received], [["10.0.0.1:80"], "\0PING\r\n"]);
  upstream.last.send("+PONG\xff");
  await quiet(client);
  assertEquals(client.take(), "+PONG\xff");
  client.end();
  upstream.last.end();
  await quiet(client);
  assertEquals([isOver(), client.isClosed, upstream.last.isClosed], [true, true, true]);
  assertEquals(ended(), [[undefined, "10.0.0.1:80", 7, 6]]);
  const text = metrics.render();
  assertEquals(text.includes('mesh_tcp_bytes_total{upstream="redis",direction="sent"} 7\n'), true);
  assertEquals(text.includes('direction="received"} 6\n'), true);
});

Deno.test("TcpProxy has what the client said while the connection was being made", async () => {
  const { open, upstream } = rig();
  upstream.rule = "hold";
  const { client, connection } = await open();
  client.send("early");
  upstream.held[0]!.accept();
  await quiet(client);
  assertEquals(upstream.last.received, "early");
  connection.abort();
});

Deno.test("TcpProxy takes endpoints in turn, one connection after another", async () => {
  const { open, upstream } = rig();
  for (let i = 0; i < 5; i++) {
    const { client, connection } = await open();
    connection.abort();
    await quiet(client);
  }
  assertEquals(upstream.dialled, [...FOUR, FOUR[0]]);
});

Deno.test("TcpProxy lets each half end in its own time", async () => {
  for (const first of ["client", "upstream"]) {
    const { open, upstream, ended } = rig();
    const { client, isOver } = await open();
    if (first === "client") {
      client.send("question");
      client.end();
      await quiet(client);
      assertEquals([upstream.last.received, upstream.last.isHalfClosed], ["question", true]);
      upstream.last.send("answer");
      await quiet(client);
      assertEquals([client.take(), isOver()], ["answer", false]);
      upstream.last.end();
    } else {
      upstream.last.send("greeting");
      upstream.last.end();
      await quiet(client);
      assertEquals([client.take(), client.isWriteClosed], ["greeting", true]);
      client.send("reply");
      await quiet(client);
      assertEquals([upstream.last.received, isOver()], ["reply", false]);
      client.end();
    }
    await quiet(client);
    assertEquals([isOver(), client.isClosed, upstream.last.isClosed], [true, true, true]);
    assertEquals(ended().map(([reason]) => reason), [undefined]);
  }
});

Deno.test("TcpProxy goes on to another endpoint when one cannot be reached or takes too long", async () => {
  const { open, upstream, clock, ended } = rig();
  upstream.rules.set("10.0.0.1:80", "refuse");
  upstream.rules.set("10.0.0.2:80", "hold");
  const { client, connection } = await open();
  await clock.advance(3000);
  assertEquals(upstream.dialled, FOUR.slice(0, 3));
  client.send("hello");
  await quiet(client);
  assertEquals(upstream.last.received, "hello");
  assertEquals(upstream.held[0]!.signal.aborted, true);
  connection.abort();
  await quiet(client);
  assertEquals(ended()[0]![1], "10.0.0.3:80");
});

Deno.test("TcpProxy tries three endpoints at most, and closes with the reason in the log", async () => {
  const { open, upstream, log, ended, clock } = rig();
  upstream.rule = "refuse";
  const { client, isOver } = await open();
  assertEquals([upstream.dialled.length, client.isClosed, isOver()], [3, true, true]);
  assertEquals(ended(), [["connect-failed", "10.0.0.3:80", 0, 0]]);
  assertEquals(log.messages("warn"), ["no connection to 10.0.0.3:80"]);
  await clock.advance(3000);
  assertEquals(clock.pending, 0);
});

Deno.test("TcpProxy closes at once where nobody is there", async () => {
  const { open, upstream, ended, metrics } = rig([]);
  const { client, isOver } = await open();
  assertEquals([upstream.dialled, client.isClosed, isOver()], [[], true, true]);
  assertEquals(ended(), [["no-endpoints", undefined, 0, 0]]);
  const sample = 'mesh_tcp_connections_total{upstream="redis",reason="no-endpoints"} 1\n';
  assertEquals(metrics.render().includes(sample), true);
});

Deno.test("TcpProxy closes at once for an upstream that policy has just taken away", async () => {
  const { open, store, ended } = rig();
  store.publish(fakeSnapshot());
  const { client } = await open();
  assertEquals([client.isClosed, ended()[0]![0]], [true, "no-endpoints"]);
});

Deno.test("TcpProxy cuts the other side when one breaks", async () => {
  for (const first of ["client", "upstream"]) {
    const { open, upstream, ended } = rig();
    const { client, isOver } = await open();
    (first === "client" ? client : upstream.last).reset();
    await quiet(client);
    assertEquals([isOver(), client.isClosed, upstream.last.isClosed], [true, true, true]);
    assertEquals(ended()[0]![0], first === "client" ? "downstream-gone" : "upstream-reset");
  }
});

Deno.test("TcpProxy cuts a connection whose receiver does not read when it is aborted", async () => {
  const { open, upstream, ended } = rig();
  const { client, connection, isOver } = await open();
  upstream.last.holdsWrites = true;
  client.send("never read");
  await quiet(client);
  connection.drain();
  await quiet(client);
  assertEquals(isOver(), false);
  connection.abort();
  await quiet(client);
  assertEquals([isOver(), client.isClosed, upstream.last.isClosed], [true, true, true]);
  assertEquals(ended()[0]![0], "draining");
});

Deno.test("TcpProxy makes no connection any more once it is aborted", async () => {
  // Whenever it comes about: never, in the same moment, or some turns before.
  for (const turns of [-1, 0, 1, 2, 3, 4, 5, 6]) {
    const { open, upstream, ended } = rig();
    upstream.rule = "hold";
    const { client, connection, isOver } = await open();
    if (turns >= 0) upstream.held[0]!.accept();
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    connection.abort();
    await quiet(client);
    assertEquals([isOver(), client.isClosed, upstream.open, upstream.dialled.length], [
      true,
      true,
      [],
      1,
    ]);
    if (turns <= 0) assertEquals(upstream.held[0]!.signal.aborted, true);
    assertEquals(ended()[0]![0], "draining");
  }
});

Deno.test("TcpProxy cuts a connection that is silent both ways for the tunnels' idle timeout", async () => {
  const { open, upstream, ended } = rig();
  const { client, connection, isOver } = await open();
  const sweep = async (nowMs: number) => {
    await quiet(client);
    connection.sweep(nowMs);
    await quiet(client);
  };
  await sweep(0);
  await sweep(9999);
  client.send("x");
  await sweep(10_000);
  await sweep(19_000);
  upstream.last.send("y");
  await sweep(19_500);
  await sweep(29_499);
  assertEquals(isOver(), false);
  await sweep(29_500);
  assertEquals([isOver(), ended()[0]![0]], [true, "deadline"]);
});

Deno.test("TcpProxy leaves an attempt to connect to its own timeout", async () => {
  const { open, upstream } = rig();
  upstream.rule = "hold";
  const { connection, isOver } = await open();
  connection.sweep(0);
  connection.sweep(1_000_000);
  await settle();
  assertEquals(isOver(), false);
  connection.abort();
  await settle();
});

Deno.test("TcpProxy turns a connection away without a word, and counts it", () => {
  const { proxy, upstream, ended } = rig();
  const client = new MemoryTransport();
  proxy.refuse(client, new ProxyError("too-many-connections", "2 are open", { side: "local" }));
  assertEquals([client.isClosed, client.received, upstream.dialled], [true, "", []]);
  assertEquals(ended(), [["too-many-connections", undefined, 0, 0]]);
});
