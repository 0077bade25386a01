// Frames in any order, right and wrong ones, to a server whose handlers answer at any time: what must stay true.
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { PushBody } from "../../tests/support/messages.ts";
import { quiet } from "../../tests/support/memory_transport.ts";
import { FieldList } from "../http/fields.ts";
import type { Response } from "../http/message.ts";
import { FRAME } from "./frame.ts";
import { data, frame, reset, settings, windowUpdate } from "./test_peer.ts";
import { ServerTest } from "./test_server.ts";

const INITIAL_WINDOW_SIZE = 4;

interface World {
  readonly server: ServerTest;
  readonly answers: ((response: Response) => void)[];
  readonly bodies: PushBody[];
}

type Step = (world: World) => Uint8Array | void;

const id = fc.integer({ min: 0, max: 8 });
const bytes = fc.integer({ min: 0, max: 3000 });

const likely: fc.Arbitrary<Step> = fc.oneof(
  fc.tuple(id, fc.boolean()).map(([n, isEnd]): Step => ({ server }) =>
    server.client.request(2 * n + 1, {}, isEnd)
  ),
  fc.tuple(id, bytes, fc.boolean()).map(([n, size, isEnd]): Step => () =>
    data(2 * n + 1, "x".repeat(size), isEnd)
  ),
  fc.tuple(id, fc.boolean()).map(([n, isEnd]): Step => ({ server }) =>
    server.client.head(2 * n + 1, { a: "b" }, isEnd)
  ),
  id.map((n): Step => () => reset(2 * n + 1, 8)),
  fc.tuple(id, bytes).map(([n, size]): Step => () => windowUpdate(n === 0 ? 0 : 2 * n - 1, size)),
  bytes.map((size): Step => () => settings([INITIAL_WINDOW_SIZE, size])),
  id.map((n): Step => () => frame(FRAME.PING, n % 2, 0, "12345678")),
  fc.tuple(id, bytes, fc.boolean()).map(([n, size, isEnd]): Step => ({ answers, bodies }) => {
    const answer = answers.splice(n, 1)[0];
    if (answer === undefined) return;
    const body = new PushBody().give("y".repeat(size), ...isEnd ? [null] : []);
    bodies.push(body);
    answer({ status: 200, headers: new FieldList(), body });
  }),
  fc.tuple(id, bytes, fc.boolean()).map(([n, size, isEnd]): Step => ({ bodies }) => {
    bodies[n]?.give("z".repeat(size), ...isEnd ? [null] : []);
  }),
  fc.constant<Step>(({ server }) => server.connection.drain()),
);

/** Most of these end the connection. */
const unlikely = fc.tuple(fc.nat(12), fc.nat(255), id, bytes).map((
  [type, flags, n, size],
): Step =>
() => frame(type, flags, n, "\0".repeat(size % 20)));

const step = fc.oneof({ arbitrary: likely, weight: 50 }, { arbitrary: unlikely, weight: 1 });

/** Holds our side to the rules: nothing behind the end of a stream, no more DATA than was granted for the connection. */
class Referee {
  readonly #ended = new Set<string>();
  #granted = 65535;

  sent(frame: Uint8Array): void {
    if (frame[3] !== FRAME.WINDOW_UPDATE || frame[8] !== 0 || frame.length !== 13) return;
    this.#granted += (frame[11]! << 8) | frame[12]!;
  }

  received(lines: readonly string[]): void {
    for (const line of lines) {
      const [type, stream = "", text = ""] = line.split(" ");
      if (type !== "DATA" && type !== "HEADERS" && type !== "WINDOW_UPDATE") continue;
      if (stream === "0") continue;
      assert(!this.#ended.has(stream) || type === "WINDOW_UPDATE", `${line} behind the end`);
      if (line.endsWith(" end")) this.#ended.add(stream);
      if (type === "DATA" && text !== "end") this.#granted -= text.length;
    }
    for (const line of lines) {
      const over = /^RST_STREAM (\d+)/.exec(line);
      if (over !== null) this.#ended.add(over[1]!);
    }
    assert(this.#granted >= 0, "more DATA than was granted");
  }
}

Deno.test("whatever frames come in whatever order, every exchange ends once and the connection with its client", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60, size: "max" }), async (steps) => {
      const answers: ((response: Response) => void)[] = [];
      const server = await ServerTest.open(() =>
        new Promise<Response>((resolve) => void answers.push(resolve))
      );
      const world: World = { server, answers, bodies: [] };
      const referee = new Referee();
      for (const step of steps) {
        const bytes = step(world);
        if (bytes !== undefined) referee.sent(bytes);
        const before = server.client.transport.isWriteClosed;
        const lines = bytes === undefined
          ? await server.client.answer()
          : await server.client.send(bytes);
        assert(!before || lines.length === 0, "something was said behind the last word");
        referee.received(lines);
      }
      const done = { status: 204, headers: new FieldList(), body: new PushBody().give(null) };
      for (const answer of answers) answer(done);
      for (const body of world.bodies) body.give(null);
      await quiet(server.client.transport);
      await server.hangUp();
      assertEquals([server.connection.streams, server.connection.isIdle], [0, true]);
    }),
    { numRuns: 200 },
  );
});
