import { assert, assertEquals } from "@std/assert";
import { settle } from "../../tests/support/fake_clock.ts";
import { MemoryTransport } from "../../tests/support/memory_transport.ts";
import type { Handler, Incoming } from "../http/message.ts";
import { emptyResponse, textResponse } from "../http/message.ts";
import { DEFAULT_HTTP2_LIMITS } from "../http2/limits.ts";
import { latin1Bytes } from "../lib/bytes.ts";
import { Downstream, type DownstreamLimits } from "./downstream.ts";

const LIMITS: DownstreamLimits = {
  headBytes: 65536,
  headers: 100,
  requestLineBytes: 16384,
  headTimeoutMs: 1000,
  idleTimeoutMs: 5000,
  tunnelIdleTimeoutMs: 60_000,
  http2: DEFAULT_HTTP2_LIMITS,
};

const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/** An empty SETTINGS frame, and a HEADERS frame of a GET of `/` with END_STREAM and END_HEADERS. */
const SETTINGS = "\0\0\0\x04\0\0\0\0\0";
const GET_BLOCK = "\x82\x84\x86\x41\x01a";
const HEADERS = `\0\0${String.fromCharCode(GET_BLOCK.length)}\x01\x05\0\0\0\x01${GET_BLOCK}`;
const GET_1 = "GET /1 HTTP/1.1\r\nhost: a\r\n\r\n";

function rig() {
  const transport = new MemoryTransport();
  const requests: Incoming[] = [];
  const handler: Handler = {
    handle: (incoming) => {
      requests.push(incoming);
      return textResponse(200, "hi", "text/plain");
    },
    finished: () => {},
    refuse: () => emptyResponse(400),
  };
  const downstream = new Downstream(transport, handler, { limits: LIMITS });
  let isServed = false;
  const served = downstream.serve().then(() => isServed = true);
  const targets = () => requests.map(({ request }) => `${request.version} ${request.target}`);
  return { transport, downstream, targets, served, isServed: () => isServed };
}

Deno.test("Downstream serves HTTP/1.1, with what it has read already", async () => {
  const { transport, targets } = rig();
  transport.send(`${GET_1}GET /2 HTTP/1.1\r\nhost: a\r\n\r\n`);
  await settle();
  assertEquals(targets(), ["1.1 /1", "1.1 /2"]);
  assertEquals(transport.take().split("HTTP/1.1 200 OK").length, 3);
  transport.end();
});

Deno.test("Downstream tells HTTP/2 by its preface, whole, byte by byte and cut at each offset", async () => {
  const bytes = latin1Bytes(PREFACE + SETTINGS + HEADERS);
  const cuts = [[bytes], [...bytes].map((byte) => Uint8Array.of(byte))];
  for (let at = 1; at < bytes.length; at++) cuts.push([bytes.subarray(0, at), bytes.subarray(at)]);
  for (const pieces of cuts) {
    const { transport, targets, downstream } = rig();
    for (const piece of pieces) {
      transport.send(piece);
      await settle();
    }
    assertEquals(targets(), ["2 /"], `${pieces[0]!.length} bytes first`);
    downstream.abort();
    await settle();
  }
});

Deno.test("Downstream takes what begins like the preface for HTTP/1.1 as soon as it differs", async () => {
  const { transport } = rig();
  transport.send("PR");
  await settle();
  assertEquals(transport.received, "");
  transport.send("OPFIND / HTTP/1.1\r\nhost: a\r\n\r\n");
  await settle();
  assert(transport.received.startsWith("HTTP/1.1 200"), transport.received);
  transport.end();
});

Deno.test("Downstream closes a connection that stays silent, and one that never says which version it speaks", async () => {
  for (
    const [sent, patience] of [["", LIMITS.idleTimeoutMs], ["PRI", LIMITS.headTimeoutMs]] as const
  ) {
    const { transport, downstream, served } = rig();
    if (sent !== "") transport.send(sent);
    await settle();
    downstream.sweep(0);
    downstream.sweep(patience - 1);
    assert(!transport.isClosed);
    downstream.sweep(patience);
    assert(transport.isClosed);
    await served;
  }
});

Deno.test("Downstream ends with its peer, before a byte and behind half a preface", async () => {
  for (const sent of ["", "PRI * "]) {
    const { transport, served } = rig();
    if (sent !== "") transport.send(sent);
    transport.end();
    await settle();
    await served;
    assert(transport.isClosed);
  }
});

Deno.test("Downstream that drains closes what is silent and finishes what has begun", async () => {
  const silent = rig();
  await settle();
  silent.downstream.drain();
  await silent.served;
  const busy = rig();
  busy.transport.send("GET /1 HTTP/1.1\r\n");
  await settle();
  busy.downstream.drain();
  busy.transport.send("host: a\r\n\r\n");
  await settle();
  assertEquals(busy.targets(), ["1.1 /1"]);
  await busy.served;
});

Deno.test("Downstream that drains does not begin HTTP/2: SETTINGS and GOAWAY at once hang some clients", async () => {
  const { transport, downstream, served } = rig();
  transport.send("P");
  await settle();
  downstream.drain();
  transport.send(PREFACE.slice(1) + SETTINGS);
  await served;
  assertEquals([transport.received, transport.isClosed], ["", true]);
});
