// Clients that misbehave: each costs bounded memory and an end that is told, and an innocent connection beside it is served
// as though nothing were.
import { assert, assertEquals, assertLess } from "@std/assert";
import {
  bytes,
  continuation,
  FLAG,
  headers,
  OPEN,
  type Reason,
  rstStream,
  SETTING,
} from "../../support/h2/frames.ts";
import { get, indexed, literal, NEWEST, type Pair, post } from "../../support/h2/block.ts";
import { EchoProcess } from "../../support/h2/echo_process.ts";
import { flood, many, nth } from "../../support/h2/flood.ts";
import { until } from "../../integration/support/until.ts";
import { abuse, expectFlood } from "../../support/h2/abuse.ts";
import { BLOCKS, EMPTY, RESETS } from "./cases/floods.ts";

const CALM: readonly Reason[] = ["ENHANCE_YOUR_CALM"];
const PER_ROUND = 100;

Deno.test("HTTP/2 server: streams that are wasted end the connection", async (t) => {
  await EchoProcess.run({}, async (server) => {
    for (const attack of RESETS) await t.step(attack[0], () => expectFlood(server, attack, CALM));
  });
});

Deno.test("HTTP/2 server: frames that say nothing end the connection", async (t) => {
  await EchoProcess.run({}, async (server) => {
    for (const attack of EMPTY) await t.step(attack[0], () => expectFlood(server, attack, CALM));
  });
});

Deno.test("HTTP/2 server: blocks without an end end the connection", async (t) => {
  await EchoProcess.run({}, async (server) => {
    for (const attack of BLOCKS) {
      // 10.5.1 leaves the reason open; what was begun cannot be answered.
      await t.step(
        attack[0],
        () => expectFlood(server, attack, ["ENHANCE_YOUR_CALM", "PROTOCOL_ERROR"]),
      );
    }
  });
});

const LARGE_VALUE = "y".repeat(3900);

Deno.test("HTTP/2 server: what is small on the wire and large decoded is refused before it is large", async (t) => {
  const bomb = bytes(get(), new Uint8Array(16_000).fill(indexed(NEWEST)[0]!));
  const many = (pair: Pair) => get("/", ...Array.from({ length: 2000 }, () => pair));
  const heads: readonly (readonly [string, Uint8Array])[] = [
    ["16,000 times one field of the table", bomb],
    ["2,000 fields", many(["x", "y"])],
    ["2,000 crumbs of a cookie", many(["cookie", "a=b"])],
    ["2,000 fields without a name", many(["", ""])],
  ];
  await EchoProcess.run({}, async (server) => {
    for (const [name, head] of heads) {
      await t.step(name, async () => {
        const { view } = await abuse(server, async (peer) => {
          await peer.send(headers(1, bytes(get(), literal("x", LARGE_VALUE, "incremental"))));
          await peer.over(1);
          for (let number = 1; number < 200; number++) {
            await peer.send(headers(nth(number), head));
            if (!await peer.reaches((view) => view.stream(nth(number)).isOver)) return;
          }
          // Decoded to its end all the same, so that both tables are the same.
          assertEquals((await peer.ask(nth(200), bytes(get(), indexed(NEWEST)))).status, "200");
        });
        for (const [stream, { status, reset }] of view.streams) {
          if (stream === nth(0) || stream === nth(200)) continue;
          assert(status === "431" || status === undefined, `${status} ${reset}`);
        }
      });
    }
  });
});

Deno.test("HTTP/2 server: a head larger than allowed is answered 431, in whatever pieces it comes", async () => {
  await EchoProcess.run({ headBytes: 20_000 }, async (server) => {
    await abuse(server, async (peer) => {
      await peer.send(headers(1, get(), FLAG.endStream));
      for (let i = 0; i < 10; i++) await peer.send(continuation(1, literal("x", LARGE_VALUE), 0));
      await peer.send(continuation(1, ""));
      assertEquals((await peer.over(1)).status, "431");
      assertEquals((await peer.ask(3, get("/next"))).body, "GET /next");
    });
  });
});

Deno.test("HTTP/2 server: streams beyond the limit are refused, and who insists is sent away", async () => {
  await EchoProcess.run({ concurrentStreams: 100 }, async (server) => {
    const { view } = await abuse(server, async (peer) => {
      assertEquals(peer.view.settings.get(SETTING.maxConcurrentStreams), 100);
      await peer.send(many(100, 0, (number) => headers(nth(number), post("/hold/many"), OPEN)));
      await peer.send(headers(nth(100), get()));
      // 5.1.2: PROTOCOL_ERROR or REFUSED_STREAM; the latter says that it may be tried again.
      assertEquals((await peer.over(nth(100))).reset, "REFUSED_STREAM");
      assertLess(await server.working(), 102); // the innocent one's among them
      // Its place comes free again once the handler has let go of it.
      await peer.send(rstStream(nth(0)));
      let next = 101;
      const ask = () => peer.ask(nth(next++), get("/free"));
      await until("a place", async () => (await ask()).body === "GET /free");
      await peer.send(headers(nth(next++), post("/hold/many"), OPEN));
      await flood(
        peer,
        (round) =>
          many(PER_ROUND, next + round * PER_ROUND, (number) => headers(nth(number), get())),
      );
    });
    assertEquals(view.goaway?.reason, "ENHANCE_YOUR_CALM");
  });
});
