// Whole exchanges between our client and our server, of many shapes at once, and what must be true of all of them.
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { textOf } from "../../tests/support/messages.ts";
import { ProxyError } from "../errors.ts";
import { type Body, EMPTY_BODY } from "../http/body.ts";
import { FieldList, type Fields } from "../http/fields.ts";
import type { Incoming, Response } from "../http/message.ts";
import { requestOf } from "../../tests/support/messages.ts";
import { latin1Bytes } from "../lib/bytes.ts";
import { Pair } from "./test_pair.ts";

/** A body in pieces, each of which is there only when it was waited for. */
class Pieces implements Body {
  readonly length = undefined;
  readonly trailers: Fields | undefined;
  #left: number[];
  #isThere = false;
  #filler: string;

  constructor(sizes: readonly number[], filler: string, trailers?: Fields) {
    this.#left = [...sizes];
    this.#filler = filler;
    this.trailers = trailers;
  }

  get isEnded(): boolean {
    return false;
  }

  take(): Uint8Array | null | undefined {
    if (!this.#isThere) return undefined;
    this.#isThere = false;
    const size = this.#left.shift();
    return size === undefined ? null : latin1Bytes(this.#filler.repeat(size));
  }

  whole(): undefined {
    return undefined;
  }

  async pull(): Promise<void> {
    await Promise.resolve();
    this.#isThere = true;
  }

  cancel(): void {
    this.#left = [];
  }
}

interface Plan {
  readonly up: readonly number[] | null;
  readonly down: readonly number[] | null;
  readonly hasTrailers: boolean;
  /** What becomes of it before its end. */
  readonly fate: "whole" | "called off" | "response unwanted" | "request unread";
}

const sizes = fc.option(fc.array(fc.integer({ min: 0, max: 30_000 }), { maxLength: 5 }));
const plan: fc.Arbitrary<Plan> = fc.record({
  up: sizes,
  down: sizes,
  hasTrailers: fc.boolean(),
  fate: fc.constantFrom("whole", "whole", "called off", "response unwanted", "request unread"),
});

const sum = (numbers: readonly number[] | null) => (numbers ?? []).reduce((a, b) => a + b, 0);

async function respond({ request }: Incoming): Promise<Response> {
  const { up, down, hasTrailers, fate } = JSON.parse(request.headers.get("plan")!) as Plan;
  if (fate === "request unread") request.body.cancel();
  else assertEquals((await textOf(request.body)).length, sum(up));
  const trailers = hasTrailers ? FieldList.of({ bytes: String(sum(down)) }) : undefined;
  const body = down === null ? EMPTY_BODY : new Pieces(down, "d", trailers);
  return { status: 200, headers: new FieldList(), body };
}

async function exchange(pair: Pair, plan: Plan): Promise<void> {
  const { client } = pair;
  const { up, down, hasTrailers, fate } = plan;
  const turn = client.nextTurn;
  const calledOff = new ProxyError("deadline", "called off", { side: "upstream" });
  const request = requestOf({
    method: up === null ? "GET" : "POST",
    headers: FieldList.of({ host: "a", plan: JSON.stringify(plan) }),
    body: up === null ? EMPTY_BODY : new Pieces(up, "u"),
  });
  const sending = client.send(request, () => {});
  if (fate === "called off") {
    client.abortExchange(turn, calledOff);
    return assertEquals(await sending.catch((error) => error), calledOff);
  }
  const { body } = await sending;
  if (fate === "response unwanted") return body.cancel();
  assertEquals((await textOf(body)).length, sum(down));
  const bytes = body.trailers?.get("bytes");
  assertEquals(bytes, hasTrailers && down !== null ? String(sum(down)) : undefined);
}

Deno.test("exchanges of any shape, many at once, come through whole or end as they should", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(plan, { minLength: 1, maxLength: 12 }), async (plans) => {
      const pair = new Pair(respond, { streamWindowBytes: 20_000, connectionWindowBytes: 70_000 });
      const exchanges = plans.map((plan) => exchange(pair, plan));
      await pair.run();
      await Promise.all(exchanges);
      assertEquals([pair.client.streams, pair.server.streams, pair.server.isIdle], [0, 0, true]);
      assertEquals(pair.outcomes.size, pair.handled);
      // Whatever became of them, the windows are whole again.
      const last = exchange(pair, {
        up: Array(10).fill(20_000),
        down: Array(10).fill(20_000),
        hasTrailers: true,
        fate: "whole",
      });
      await pair.run();
      await last;
      await pair.close();
    }),
    { numRuns: 40 },
  );
});
