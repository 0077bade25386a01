// Peers that break the protocol on a real socket: node:http2 on Deno is fragile, and no peer may take the process down.

import { assertEquals } from "@std/assert";
import { connect, serve, untilFound } from "./test_upstreams.ts";

// RFC 9113 section 4.1: length, type, flags, stream; then the payload.
const SETTINGS = [0, 0, 0, 4, 0, 0, 0, 0, 0];
const RST_STREAM_1 = [0, 0, 4, 3, 0, 0, 0, 0, 1, 0, 0, 0, 8];
const RST_STREAM_99 = [0, 0, 4, 3, 0, 0, 0, 0, 99, 0, 0, 0, 8];
const goAway = (
  lastStream: number,
  code: number,
) => [0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, lastStream, 0, 0, 0, code];

interface Peer {
  readonly does: string;
  /** Sent as soon as the connection is there. */
  readonly first: readonly number[];
  /** Sent when the call is there. */
  readonly then?: readonly number[];
}

const peers: readonly Peer[] = [
  { does: "closes at once", first: [] },
  {
    does: "speaks HTTP/1.1",
    first: [...new TextEncoder().encode("HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")],
  },
  { does: "sends garbage", first: Array(100).fill(0xff) },
  { does: "says GOAWAY before any stream", first: [...SETTINGS, ...goAway(0, 0)] },
  { does: "says GOAWAY and leaves the stream out", first: SETTINGS, then: goAway(0, 0) },
  { does: "says GOAWAY, takes the stream and closes", first: SETTINGS, then: goAway(1, 0) },
  { does: "says GOAWAY for an internal error", first: SETTINGS, then: goAway(1, 2) },
  { does: "tells us to calm down", first: SETTINGS, then: goAway(0, 11) },
  { does: "resets the stream and closes", first: SETTINGS, then: RST_STREAM_1 },
  { does: "resets a stream that never was", first: SETTINGS, then: RST_STREAM_99 },
];

for (const { does, first, then } of peers) {
  Deno.test(`GrpcUpstreams outlives a peer that ${does}, and works with the next one`, async () => {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr;
    const misbehaving = misbehave(listener, first, then);
    using client = connect(port);
    for (let call = 0; call < 3; call++) {
      assertEquals((await client.findUser("1", {})).kind, "failed");
    }
    listener.close();
    await misbehaving;
    const server = await serve(() => ({ message: {} }), port);
    await untilFound(client);
    server.stop();
  });
}

/** Until the listener closes. */
async function misbehave(
  listener: Deno.Listener,
  first: readonly number[],
  then: readonly number[] | undefined,
): Promise<void> {
  const connections: Promise<void>[] = [];
  try {
    for await (const connection of listener) {
      connections.push(misbehaveOn(connection, first, then));
    }
  } finally {
    await Promise.all(connections);
  }
}

async function misbehaveOn(
  connection: Deno.Conn,
  first: readonly number[],
  then: readonly number[] | undefined,
): Promise<void> {
  try {
    await connection.read(new Uint8Array(4096)); // the preface
    await connection.write(Uint8Array.from(first));
    if (then !== undefined) {
      await untilHeaders(connection);
      await connection.write(Uint8Array.from(then));
    }
  } catch (error) {
    // The client may be quicker to break off.
    if (
      !(error instanceof Deno.errors.BrokenPipe || error instanceof Deno.errors.ConnectionReset)
    ) {
      throw error;
    }
  } finally {
    connection.close();
  }
}

/** Reads until the call has come, or the client has gone: what it sends before is shorter. */
async function untilHeaders(connection: Deno.Conn): Promise<void> {
  const buffer = new Uint8Array(65_536);
  for (;;) {
    const bytes = await connection.read(buffer);
    if (bytes === null || bytes > 2 * SETTINGS.length) return;
  }
}
