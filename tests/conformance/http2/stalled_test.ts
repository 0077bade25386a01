// Clients that stand still: what they hold is bounded, it is taken from them in time, and nobody else waits for them.
import { assert, assertEquals, assertLess } from "@std/assert";
import { get, post } from "../../support/h2/block.ts";
import { EchoProcess } from "../../support/h2/echo_process.ts";
import { besides, many, nth } from "../../support/h2/flood.ts";
import {
  bytes,
  continuation,
  data,
  FLAG,
  headers,
  MAGIC,
  MAX_WINDOW,
  OPEN,
  type Reason,
  SETTING,
  settings,
  windowUpdate,
} from "../../support/h2/frames.ts";
import { H2Peer } from "../../support/h2/peer.ts";
import { until } from "../../integration/support/until.ts";

const MAX_GROWTH = 64 << 20;
const STREAMS = 1000;
const PATIENT = { patienceMs: 60_000 };

/** As it comes, but impatient. */
const IMPATIENT = { headTimeoutMs: 500, idleTimeoutMs: 1000, streamIdleTimeoutMs: 1000 };

const NOTHING = new Uint8Array();
const HELLO = bytes(MAGIC, settings([SETTING.enablePush, 0]));

function openAll(path: string, count = STREAMS): Uint8Array {
  return many(count, 0, (number) => headers(nth(number), get(`${path}/${number}`)));
}

async function expectBounded(server: EchoProcess, run: () => Promise<void>): Promise<void> {
  await server.expectClean();
  const before = await server.residentBytes();
  await besides(server.port, run);
  assertLess(await server.residentBytes() - before, MAX_GROWTH);
  await server.expectClean();
}

for (const window of [0, 1, 100]) {
  Deno.test(`HTTP/2 server: a thousand endless responses into windows of ${window} cost little, and are given up`, async () => {
    await EchoProcess.run(IMPATIENT, async (server) => {
      await expectBounded(server, async () => {
        using peer = await H2Peer.client(
          server.port,
          [[SETTING.initialWindowSize, window]],
          PATIENT,
        );
        await peer.send(openAll("/endless"));
        // A stream or the connection: either way nothing is left of it.
        await peer.reaches((view) =>
          view.streams.size === STREAMS && [...view.streams.values()].every(({ isOver }) => isOver)
        );
        for (const { isEnded } of peer.view.streams.values()) assert(!isEnded, "it looks whole");
      });
      await until("no work is left", async () => await server.working() === 0);
    });
  });
}

Deno.test("HTTP/2 server: a client that does not read its socket is cut", async () => {
  await EchoProcess.run(IMPATIENT, async (server) => {
    await expectBounded(server, async () => {
      using peer = await H2Peer.client(
        server.port,
        [[SETTING.initialWindowSize, MAX_WINDOW]],
        PATIENT,
      );
      await peer.send(windowUpdate(0, MAX_WINDOW - 65_535), openAll("/endless", 100));
      await until("no work is left", async () => await server.working() === 0);
      await peer.ended();
      assertEquals([...peer.view.streams.values()].filter(({ isEnded }) => isEnded), []);
    });
  });
});

Deno.test("HTTP/2 server: uploads that nobody reads are held by their windows", async () => {
  await EchoProcess.run(IMPATIENT, async (server) => {
    await expectBounded(server, async () => {
      using peer = await H2Peer.client(server.port, [], PATIENT);
      const { view } = peer;
      let left = view.window;
      for (let number = 0; number < STREAMS && left > 0; number++) {
        const count = Math.min(left, view.streamWindow, 65_536);
        left -= count;
        await peer.send(
          headers(nth(number), post("/hold/upload"), OPEN),
          inFrames(nth(number), count),
        );
      }
      // Whoever should read them holds them still.
      assert(await server.working() > 1);
    });
    await until("no work is left", async () => await server.working() === 0);
  });
});

function inFrames(stream: number, count: number): Uint8Array {
  const frames: Uint8Array[] = [];
  for (let left = count; left > 0; left -= 16_384) {
    frames.push(data(stream, new Uint8Array(Math.min(left, 16_384))));
  }
  return bytes(...frames);
}

Deno.test("HTTP/2 server: one reader that stalls slows none of a thousand on its connection", async () => {
  await EchoProcess.run({}, async (server) => {
    using peer = await H2Peer.client(server.port, [], PATIENT);
    const { view } = peer;
    // The first takes its own window's worth and no more; the others' share comes back as it is read.
    await peer.send(windowUpdate(0, 1 << 30), headers(nth(0), get("/endless/stalled")));
    await peer.wait(() => view.stream(nth(0)).bodyBytes === 65_535, "a full window");
    await peer.send(many(STREAMS - 1, 1, (number) => headers(nth(number), get("/bytes/50000"))));
    await peer.wait(
      () =>
        view.streams.size === STREAMS &&
        [...view.streams].every(([id, { isEnded }]) => id === nth(0) || isEnded),
      "all the others",
    );
    for (const [id, { bodyBytes }] of view.streams) {
      assertEquals(bodyBytes, id === nth(0) ? 65_535 : 50_000);
    }
    assert(!view.stream(nth(0)).isOver);
  });
});

Deno.test("HTTP/2 server: who is slow is given up in time", async (t) => {
  await EchoProcess.run(IMPATIENT, async (server) => {
    const slow: readonly (readonly [string, Uint8Array, Reason])[] = [
      ["a connection without a byte", NOTHING, "ENHANCE_YOUR_CALM"],
      ["half a preface", bytes(MAGIC.slice(0, 12)), "ENHANCE_YOUR_CALM"],
      ["a preface without SETTINGS", bytes(MAGIC), "ENHANCE_YOUR_CALM"],
      ["a preface and half of SETTINGS", HELLO.subarray(0, HELLO.length - 1), "ENHANCE_YOUR_CALM"],
      [
        "a head whose CONTINUATION does not come",
        bytes(HELLO, headers(1, get(), FLAG.endStream), continuation(1, "", 0)),
        "ENHANCE_YOUR_CALM",
      ],
      ["a connection without a stream", HELLO, "NO_ERROR"],
      ["half a frame", bytes(HELLO, headers(1, get()).subarray(0, 15)), "NO_ERROR"],
    ];
    for (const [name, sent, reason] of slow) {
      await t.step(name, async () => {
        // What it would acknowledge would stand where the rest of what it sends belongs.
        using peer = await H2Peer.connect(server.port, { isSilent: true });
        const begin = performance.now();
        await peer.send(sent);
        assertEquals(await peer.ended(), "closed");
        assertEquals([peer.view.goaway?.reason, peer.view.streams.size], [reason, 0]);
        assertLess(IMPATIENT.headTimeoutMs, performance.now() - begin);
        await server.expectClean();
      });
    }

    await t.step("a body that stalls costs its stream alone", async () => {
      using peer = await H2Peer.client(server.port);
      await peer.send(headers(1, post("/stalled"), OPEN), data(1, "x"));
      const { status, reset } = await peer.over(1);
      assert(status === "408" || status === undefined && reset !== undefined, `${status} ${reset}`);
      assertEquals((await peer.ask(3, get("/next"))).body, "GET /next");
    });
  });
});
