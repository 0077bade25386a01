import { assert, assertEquals, assertRejects } from "@std/assert";
import { MemoryTransport, quiet } from "../../tests/support/memory_transport.ts";
import { PushBody, rawFields } from "../../tests/support/messages.ts";
import { ProxyError } from "../errors.ts";
import { type Body, BytesBody, EMPTY_BODY } from "../http/body.ts";
import { ByteWriter } from "../lib/byte_writer.ts";
import { latin1Bytes } from "../lib/bytes.ts";
import { type Progress, writeBody } from "./body_writer.ts";
import type { BodyCoding } from "./serialize.ts";

function start(body: Body, coding: BodyCoding, head = "HEAD\r\n\r\n") {
  const transport = new MemoryTransport();
  const out = new ByteWriter(16);
  out.text(head);
  let touches = 0;
  const progress: Progress = { bodyBytes: 99, touch: () => void touches++ };
  // A body that breaks at once makes it throw at once.
  const written = (async () => await writeBody(transport, out, body, coding, progress))();
  written.catch(() => {});
  return { transport, out, progress, written, touches: () => touches };
}

Deno.test("writeBody sends head and a small body in one write", async () => {
  const { transport, written, progress, out } = start(
    new BytesBody(latin1Bytes("hello")),
    "length",
  );
  const before = transport.activity;
  await written;
  assertEquals([transport.received, transport.activity - before], ["HEAD\r\n\r\nhello", 1]);
  assertEquals([progress.bodyBytes, out.length], [5, 0]);
});

Deno.test("writeBody says whenever something moved", async () => {
  const body = new PushBody();
  const { transport, written, touches } = start(body, "close");
  for (const piece of ["a", "b", null]) {
    await quiet(transport);
    const before = touches();
    body.give(piece);
    await quiet(transport);
    assert(touches() > before, `${piece} moved unseen`);
  }
  await written;
});

Deno.test("writeBody sends the head when the body is still to come", async () => {
  const body = new PushBody();
  const { transport, written } = start(body, "close");
  await quiet(transport);
  assertEquals(transport.take(), "HEAD\r\n\r\n");
  body.give("a");
  await quiet(transport);
  assertEquals(transport.take(), "a");
  body.give("b", null);
  await written;
  assertEquals(transport.take(), "b");
});

Deno.test("writeBody writes each piece as a chunk, and the last chunk with its trailers", async () => {
  const body = new PushBody().give("hello", "x".repeat(20), null);
  body.trailers = rawFields("X-Sum: 1");
  const { transport, written, progress } = start(body, "chunked", "");
  await written;
  assertEquals(
    transport.received,
    `5\r\nhello\r\n14\r\n${"x".repeat(20)}\r\n0\r\nX-Sum: 1\r\n\r\n`,
  );
  assertEquals(progress.bodyBytes, 25);
});

Deno.test("writeBody writes no trailers where there are no chunks", async () => {
  const body = new PushBody(2).give("ab", null);
  body.trailers = rawFields("X-Sum: 1");
  const { transport, written } = start(body, "length", "");
  await written;
  assertEquals(transport.received, "ab");
});

Deno.test("writeBody does not take an empty piece for the last chunk", async () => {
  const { transport, written } = start(new PushBody().give("a", "", "b", null), "chunked", "");
  await written;
  assertEquals(transport.received, "1\r\na\r\n1\r\nb\r\n0\r\n\r\n");
});

Deno.test("writeBody sends a large piece from where it is, in its place", async () => {
  const large = "y".repeat(20_000);
  const body = () => new PushBody().give("a", large, "b", null);
  const plain = start(body(), "close");
  await plain.written;
  assertEquals(plain.transport.received, `HEAD\r\n\r\na${large}b`);
  const chunked = start(body(), "chunked", "");
  await chunked.written;
  assertEquals(chunked.transport.received, `1\r\na\r\n4e20\r\n${large}\r\n1\r\nb\r\n0\r\n\r\n`);
});

Deno.test("writeBody takes nothing of a body while the peer does not read", async () => {
  for (const size of [100, 20_000]) {
    const body = new PushBody();
    const { transport } = start(body, "chunked");
    transport.stall();
    for (let i = 0; i < 1000; i++) body.give("z".repeat(size));
    await quiet(transport);
    const bounded = body.taken;
    assert(bounded * size <= 40_000, `${bounded} pieces of ${size} taken`);
    await quiet(transport);
    assertEquals(body.taken, bounded);
    transport.resume();
    await quiet(transport);
    assert(body.taken > bounded);
    transport.close();
  }
});

Deno.test("writeBody of a body that does not go out cancels it", async () => {
  const body = new PushBody().give("never seen");
  const { transport, written } = start(body, "none");
  await written;
  assertEquals([transport.received, body.isCancelled, body.taken], ["HEAD\r\n\r\n", true, 0]);
  await start(EMPTY_BODY, "none").written;
});

Deno.test("writeBody passes on why a body or a connection broke, and counts what went before", async () => {
  const broken = new ProxyError("upstream-reset", "gone", { side: "upstream" });
  const { written, progress, transport } = start(new PushBody().give("abc", broken), "chunked");
  await assertRejects(() => written, ProxyError, "gone");
  assertEquals([progress.bodyBytes, transport.received.includes("0\r\n\r\n")], [3, false]);
  const cut = start(new PushBody().give("abc"), "close");
  cut.transport.refuseWrites();
  await assertRejects(() => cut.written, Error, "broken pipe");
});

Deno.test("writeBody does not let a body that was cut pass for a whole one", async () => {
  for (const pieces of [["abc", null], ["abcdef", null]] as const) {
    const { written } = start(new PushBody(5).give(...pieces), "length");
    const error = await assertRejects(() => written, ProxyError, "5 bytes");
    assertEquals([error.kind, error.side], ["internal", "local"]);
  }
});
