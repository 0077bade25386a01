// Windows as both sides must keep them (RFC 9113 5.2 and 6.9), seen from a client: what may be sent is sent, no more, and
// what nobody will read is given back.
import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { get, literal, post } from "../../support/h2/block.ts";
import { EchoProcess } from "../../support/h2/echo_process.ts";
import { nth } from "../../support/h2/flood.ts";
import {
  bytes,
  data,
  DEFAULT_WINDOW,
  end,
  headers,
  OPEN,
  ping,
  rstStream,
  SETTING,
  settings,
  windowUpdate,
} from "../../support/h2/frames.ts";
import { H2Peer } from "../../support/h2/peer.ts";

const FRAME_BYTES = 16_384;
const PATIENT = { patienceMs: 60_000 };
/** As a response's body to GET of it. */
const LONG = `/${"x".repeat(95)}`;
const LONG_BODY = `GET ${LONG}`;

/** Runs `use` with a client whose streams begin with this window. */
async function withWindow(window: number, use: (peer: H2Peer) => Promise<void>): Promise<void> {
  await EchoProcess.run({}, async (server) => {
    using peer = await H2Peer.client(server.port, [[SETTING.initialWindowSize, window]], PATIENT);
    await use(peer);
    await server.expectClean();
  });
}

/** Whatever the server has to say, it has said it: the answer to a PING comes behind it. */
async function settled(peer: H2Peer, mark: string): Promise<void> {
  await peer.send(ping(mark));
  await peer.wait((view) => view.pongs.includes(mark), mark);
}

Deno.test("HTTP/2 server: a response gets as far as its stream's window and no further", async () => {
  await withWindow(0, async (peer) => {
    const stream = peer.view.stream(1);
    await peer.send(headers(1, get(LONG)));
    await peer.wait(() => stream.status === "200", "the head, which needs no window");
    await settled(peer, "mark---0");
    assertEquals(stream.bodyBytes, 0);
    for (const [index, increment] of [1, 9, 40].entries()) {
      const before = stream.bodyBytes;
      await peer.send(windowUpdate(1, increment));
      await peer.wait(() => stream.bodyBytes === before + increment, `${increment} bytes`);
      await settled(peer, `mark---${index + 1}`);
      assertEquals(stream.bodyBytes, before + increment);
    }
    assert(!stream.isEnded);
    await peer.send(windowUpdate(1, 1000));
    assertEquals((await peer.over(1)).body, LONG_BODY);
  });
});

Deno.test("HTTP/2 server: INITIAL_WINDOW_SIZE moves the windows of open streams, also below zero", async () => {
  await withWindow(50, async (peer) => {
    const stream = peer.view.stream(1);
    await peer.send(headers(1, get(LONG)));
    await peer.wait(() => stream.bodyBytes === 50, "50 bytes");
    // 50 were sent and 20 are allowed now: the window is -30.
    await peer.send(settings([SETTING.initialWindowSize, 20]), windowUpdate(1, 30));
    await settled(peer, "mark---0");
    assertEquals(stream.bodyBytes, 50);
    await peer.send(windowUpdate(1, 5));
    await peer.wait(() => stream.bodyBytes === 55, "5 more");
    await peer.send(settings([SETTING.initialWindowSize, 30]));
    await peer.wait(() => stream.bodyBytes === 65, "10 more");
    await settled(peer, "mark---1");
    assertEquals(stream.bodyBytes, 65);
    await peer.send(settings([SETTING.initialWindowSize, 1000]));
    assertEquals((await peer.over(1)).body, LONG_BODY);
  });
});

Deno.test("HTTP/2 server: several values of one setting are taken in their order", async () => {
  await withWindow(0, async (peer) => {
    await peer.send(
      settings([SETTING.initialWindowSize, 1000], [SETTING.initialWindowSize, 7]),
      headers(1, get(LONG)),
    );
    await peer.wait((view) => view.stream(1).bodyBytes === 7, "7 bytes");
    await settled(peer, "mark---0");
    assertEquals(peer.view.stream(1).bodyBytes, 7);
  });
});

Deno.test("HTTP/2 server: the connection's window stops every stream, and any stream may use what it gets", async () => {
  await withWindow(1 << 20, async (peer) => {
    const { view } = peer;
    const total = () =>
      [...view.streams.values()].reduce((sum, { bodyBytes }) => sum + bodyBytes, 0);
    for (const id of [1, 3, 5]) await peer.send(headers(id, get("/bytes/50000")));
    await peer.wait(() => total() === DEFAULT_WINDOW, "a full window");
    await settled(peer, "mark---0");
    assertEquals(total(), DEFAULT_WINDOW);
    await peer.send(headers(7, get("/waiting")));
    await peer.wait(() => view.stream(7).status === "200", "a head, which needs no window");
    assertEquals(view.stream(7).bodyBytes, 0);
    await peer.send(windowUpdate(0, 1 << 20));
    for (const id of [1, 3, 5]) assertEquals((await peer.over(id)).bodyBytes, 50_000);
    assertEquals((await peer.over(7)).body, "GET /waiting");
  });
});

Deno.test("HTTP/2 server: DATA is no larger than the client takes, and streams take turns", async () => {
  await EchoProcess.run({}, async (server) => {
    using peer = await H2Peer.client(server.port, [[SETTING.initialWindowSize, 1 << 30]], {
      ...PATIENT,
      isGenerous: true,
    });
    await peer.send(headers(1, get("/endless")));
    await peer.wait((view) => view.stream(1).bodyBytes > 1 << 20, "a megabyte");
    for (const id of [3, 5, 7]) assertEquals((await peer.ask(id, get(LONG))).body, LONG_BODY);
    await peer.send(rstStream(1));
    assertLessOrEqual(peer.view.maxDataBytes, FRAME_BYTES);
    assertEquals((await peer.ask(9, get("/after"))).body, "GET /after");
  });
});

/** Sends so much on a stream, as the windows let it. `sent` counts what the connection had before. */
async function upload(
  peer: H2Peer,
  id: number,
  count: number,
  sent: { bytes: number },
): Promise<boolean> {
  const { view } = peer;
  const stream = view.stream(id);
  for (let done = 0; done < count;) {
    const room = () => Math.min(view.window - sent.bytes, view.streamWindow + stream.credit - done);
    await peer.wait(() => room() > 0 || stream.isOver, "room in the window");
    if (stream.isOver) return false;
    const size = Math.min(room(), count - done, FRAME_BYTES);
    await peer.send(data(id, new Uint8Array(size)));
    done += size;
    sent.bytes += size;
  }
  return true;
}

Deno.test("HTTP/2 server: an upload much larger than the windows comes through as it is read", async () => {
  await EchoProcess.run({}, async (server) => {
    using peer = await H2Peer.client(server.port, [], PATIENT);
    await peer.send(headers(1, post("/upload", ["content-length", String(32 << 20)]), OPEN));
    assert(await upload(peer, 1, 32 << 20, { bytes: 0 }));
    await peer.send(end(1));
    assertEquals((await peer.over(1)).body, "POST /upload");
  });
});

Deno.test("HTTP/2 server: the connection's window comes back from bodies that nobody reads", async (t) => {
  await EchoProcess.run({}, async (server) => {
    const ways: readonly (readonly [string, string, (id: number) => Uint8Array])[] = [
      ["the client resets", "/hold/reset", (id) => rstStream(id)],
      ["the response is early", "/early", () => bytes()],
      ["the DATA is one byte too long", "/hold/long", (id) => end(id, "x")],
      ["the trailers are malformed", "/hold/trailers", (id) => headers(id, literal("X", "y"))],
    ];
    for (const [name, path, finish] of ways) {
      await t.step(name, async () => {
        using peer = await H2Peer.client(server.port, [], PATIENT);
        const { view } = peer;
        const sent = { bytes: 0 };
        const each = Math.min(60_000, view.streamWindow);
        // Twice what there is, should nothing come back.
        const rounds = Math.ceil(2 * view.window / each);
        for (let round = 0; round < rounds; round++) {
          const id = nth(round);
          await peer.send(headers(id, post(path, ["content-length", String(each)]), OPEN));
          await upload(peer, id, each, sent);
          await peer.send(finish(id));
        }
        const id = nth(rounds);
        await peer.send(headers(id, post("/after"), OPEN));
        assert(await upload(peer, id, 1 << 20, sent));
        await peer.send(end(id));
        assertEquals((await peer.over(id)).body, "POST /after");
      });
    }
  });
});

Deno.test("HTTP/2 server: DATA beyond the connection's window ends it, though every stream has room", async () => {
  await EchoProcess.run({}, async (server) => {
    using peer = await H2Peer.client(server.port, [], PATIENT);
    const { view } = peer;
    const sent = { bytes: 0 };
    let number = 0;
    for (; sent.bytes < view.window; number++) {
      await peer.send(headers(nth(number), post("/hold/window"), OPEN));
      const half = Math.floor(view.streamWindow / 2);
      await upload(peer, nth(number), Math.min(half, view.window - sent.bytes), sent);
    }
    await settled(peer, "mark---0");
    assertEquals(view.goaway, undefined);
    await peer.send(data(nth(number - 1), "x"));
    await peer.ended();
    assertEquals(view.goaway?.reason, "FLOW_CONTROL_ERROR");
    await server.expectClean();
  });
});

Deno.test("HTTP/2 server: the last stream that there can be is answered", async () => {
  await withWindow(1000, async (peer) => {
    assertEquals((await peer.ask(2 ** 31 - 1, get("/last"))).body, "GET /last");
  });
});

Deno.test("HTTP/2 server: a PING is answered with what it carried, and SETTINGS once each", async () => {
  await withWindow(0, async (peer) => {
    await peer.send(
      ping("12345678"),
      settings(),
      settings([SETTING.headerTableSize, 0]),
      ping("\0\xff\r\nabcd"),
      settings(),
    );
    await peer.wait((view) => view.pongs.length === 2 && view.settingsAcks === 4, "every answer");
    assertEquals(peer.view.pongs, ["12345678", "\0\xff\r\nabcd"]);
  });
});
