import { assert, assertEquals, assertRejects } from "@std/assert";
import { LIMITS } from "../../tests/support/http1_cases/case.ts";
import { MemoryTransport, quiet } from "../../tests/support/memory_transport.ts";
import { textOf } from "../../tests/support/messages.ts";
import { ProxyError } from "../errors.ts";
import type { Framing } from "./framing.ts";
import { Inbox } from "./inbox.ts";
import { type WireBody, wireBody, type WireBodyOptions } from "./wire_body.ts";

const CHUNKED: Framing = { kind: "chunked" };
const CLOSE: Framing = { kind: "close" };

function open(framing: Framing, options: Partial<WireBodyOptions> = {}) {
  const transport = new MemoryTransport();
  const ends: boolean[] = [];
  const inbox = new Inbox(transport, () => {});
  const body = wireBody(inbox, framing, {
    side: "upstream",
    limits: LIMITS,
    onEnd: (isComplete) => void ends.push(isComplete),
    ...options,
  });
  return { transport, inbox, body: body as WireBody, ends };
}

/** As `open`, with `text` read already. */
async function holding(text: string, framing: Framing, options: Partial<WireBodyOptions> = {}) {
  const opened = open(framing, options);
  opened.transport.send(text);
  await opened.inbox.fill();
  return opened;
}

function length(bytes: number): Framing {
  return { kind: "length", bytes };
}

Deno.test("wireBody makes no body of nothing", () => {
  const inbox = new Inbox(new MemoryTransport(), () => {});
  const options = { side: "upstream" as const, limits: LIMITS, onEnd: () => {} };
  assertEquals(wireBody(inbox, { kind: "none" }, options), undefined);
  assertEquals(wireBody(inbox, length(0), options), undefined);
});

Deno.test("WireBody reads as many bytes as its length and leaves the rest", async () => {
  const { body, inbox, ends, transport } = await holding("hel", length(5));
  const text = textOf(body);
  await quiet(transport);
  transport.send("lo, next");
  assertEquals(await text, "hello");
  assertEquals([inbox.available, ends, body.length], [6, [true], 5]);
});

Deno.test("WireBody reads chunks and their trailers and leaves the rest", async () => {
  const { body, inbox, ends, transport } = await holding("5\r\nhe", CHUNKED);
  transport.send("llo\r\n0\r\nx: y\r\n\r\nnext");
  assertEquals(body.trailers, undefined);
  assertEquals(await textOf(body), "hello");
  assertEquals([...body.trailers ?? []], [["x", "y"]]);
  assertEquals([inbox.available, ends, body.length], [4, [true], undefined]);
});

Deno.test("WireBody reads to the end of the connection where nothing else tells", async () => {
  const { body, ends, transport } = await holding("hello", CLOSE);
  transport.send(", world");
  transport.end();
  assertEquals(await textOf(body), "hello, world");
  assertEquals([ends, body.isEnded, body.isComplete], [[true], true, true]);
});

Deno.test("WireBody does not take a reset for the end", async () => {
  const { body, ends, transport } = await holding("hello", CLOSE);
  transport.reset();
  const error = await assertRejects(() => textOf(body), ProxyError, "within a body");
  assertEquals([error.kind, error.side, ends], ["upstream-reset", "upstream", [false]]);
});

Deno.test("WireBody throws when the sender ends too early, and blames it", async () => {
  const cases = [
    ["hell", length(5)],
    ["5\r\nhell", CHUNKED],
    ["5\r\nhello\r\n", CHUNKED],
    ["5\r\nhello\r\n0\r\n", CHUNKED],
    ["5\r\nhello\r\n0\r\nx: y\r\n", CHUNKED],
  ] as const;
  for (const [text, framing] of cases) {
    for (
      const [side, kind] of [["upstream", "upstream-reset"], [
        "downstream",
        "downstream-gone",
      ]] as const
    ) {
      const { body, ends, transport } = await holding(text, framing, { side });
      transport.end();
      const error = await assertRejects(() => textOf(body), ProxyError, "within a body");
      assertEquals(
        [error.kind, error.side, ends, body.isComplete],
        [kind, side, [false], false],
        text,
      );
      assertEquals(body.take(), null);
    }
  }
});

Deno.test("WireBody throws why the connection was cut where that was our doing", async () => {
  const reason = new ProxyError("deadline", "too late", { side: "upstream" });
  const { body, transport } = await holding("5\r\nh", CHUNKED, { failure: () => reason });
  const reading = assertRejects(() => textOf(body), ProxyError, "too late");
  await quiet(transport);
  transport.close();
  await reading;
});

Deno.test("WireBody is over when its bytes make no sense", async () => {
  const { body, ends } = await holding("5\r\nhello!", CHUNKED);
  const error = await assertRejects(() => textOf(body), ProxyError, "longer than its size");
  assertEquals([error.kind, body.isEnded, body.isComplete, ends], [
    "upstream-protocol",
    true,
    false,
    [false],
  ]);
  assertEquals(body.take(), null);
});

Deno.test("WireBody gives the whole of itself where it is there and nobody began to read it", async () => {
  const here = await holding("hello, next", length(5));
  assertEquals(new TextDecoder().decode(here.body.whole()), "hello");
  assertEquals([here.ends, here.body.isComplete, here.inbox.available], [[true], true, 6]);
  assertEquals(here.body.whole(), undefined);
  const partly = await holding("hell", length(5));
  assertEquals(partly.body.whole(), undefined);
  const begun = await holding("hello", length(5));
  begun.body.take();
  assertEquals(begun.body.whole(), undefined);
  const chunked = await holding("0\r\n\r\n", CHUNKED);
  assertEquals(chunked.body.whole(), undefined);
});

Deno.test("WireBody that was cancelled reads nothing more and says so once", async () => {
  const { body, ends, inbox } = await holding("hello", length(9));
  body.cancel();
  body.cancel();
  assertEquals([body.take(), body.isEnded, body.isComplete, ends, inbox.available], [
    null,
    true,
    false,
    [false],
    5,
  ]);
  await body.pull();
});

Deno.test("WireBody that was read to its end cannot be cancelled any more", async () => {
  const { body, ends } = await holding("hello", length(5));
  assertEquals(await textOf(body), "hello");
  body.cancel();
  assertEquals([ends, body.isComplete], [[true], true]);
});

Deno.test("WireBody throws away what nobody began to read, as far as it is here", async () => {
  const whole = await holding("hello", length(5));
  whole.body.skipUntouched();
  assertEquals([whole.body.isComplete, whole.ends], [true, [true]]);
  const partly = await holding("hello", length(9));
  partly.body.skipUntouched();
  assertEquals([partly.body.isEnded, partly.inbox.available], [false, 0]);
  const begun = await holding("hello", length(5));
  const chunk = begun.body.take();
  begun.body.skipUntouched();
  assertEquals([chunk?.length, begun.body.isComplete], [5, false]);
});

Deno.test("WireBody that nobody began to read may make no sense", async () => {
  const { body, ends } = await holding("no chunk", CHUNKED);
  body.skipUntouched();
  assertEquals([body.isEnded, body.isComplete, ends], [true, false, [false]]);
});

Deno.test("WireBody shows when it waits for the sender, and how often it did", async () => {
  const { body, transport } = open(length(2));
  assertEquals(body.take(), undefined);
  const pulling = body.pull();
  assertEquals([body.isWaiting, body.pulls], [true, 0]);
  transport.send("a");
  await pulling;
  assertEquals([body.isWaiting, body.pulls], [false, 1]);
});

Deno.test("WireBody reads no more than one buffer ahead of its reader", async () => {
  for (const framing of [length(1_000_000), CLOSE]) {
    const { body, transport } = await holding("x", framing);
    transport.send("x".repeat(999_999));
    assert(body.take() !== undefined);
    await body.pull();
    await quiet(transport);
    assert(transport.bytesRead <= 65_537, `${transport.bytesRead} bytes read`);
  }
});
