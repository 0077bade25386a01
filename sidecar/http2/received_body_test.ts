import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { settle } from "../../tests/support/fake_clock.ts";
import { ProxyError } from "../errors.ts";
import { FieldList } from "../http/fields.ts";
import { latin1, latin1Bytes } from "../lib/bytes.ts";
import { ReceivedBody } from "./received_body.ts";

const BROKEN = new ProxyError("downstream-gone", "gone", { side: "downstream" });

function open(length?: number) {
  const seen = { taken: 0, cancels: 0 };
  const body = new ReceivedBody(length, {
    onTaken: (bytes) => void (seen.taken += bytes),
    onCancelled: () => void seen.cancels++,
  });
  const push = (text: string) => body.push(latin1Bytes(text), 0, text.length);
  return { body, push, seen };
}

function text(bytes: Uint8Array | null | undefined): unknown {
  return bytes instanceof Uint8Array ? latin1(bytes, 0, bytes.length) : bytes;
}

Deno.test("ReceivedBody gives what came, says when to wait, and gives trailers behind the end", () => {
  const { body, push, seen } = open();
  assertEquals([text(body.take()), body.isEnded], [undefined, false]);
  push("one");
  assertEquals([text(body.take()), text(body.take()), seen.taken], ["one", undefined, 3]);
  push("two");
  body.finish(FieldList.of({ a: "b" }));
  assertEquals([text(body.take()), body.isEnded, body.trailers], ["two", false, undefined]);
  assertEquals([text(body.take()), body.isEnded, seen.taken], [null, true, 6]);
  assertEquals([...body.trailers!], [["a", "b"]]);
});

Deno.test("ReceivedBody is ended with its last byte where no trailers follow", () => {
  const { body, push } = open();
  push("one");
  body.finish(undefined);
  assertEquals([body.isEnded, text(body.take()), body.isEnded], [false, "one", true]);
});

Deno.test("ReceivedBody is given whole only where it is all there, untouched and without trailers", () => {
  const all = open();
  assertEquals(all.body.whole(), undefined);
  all.push("a".repeat(2000));
  all.push("b".repeat(20_000));
  assertEquals(all.body.whole(), undefined);
  all.body.finish(undefined);
  assertEquals(text(all.body.whole()), "a".repeat(2000) + "b".repeat(20_000));
  assertEquals([all.seen.taken, all.body.isEnded, all.body.take()], [22_000, true, null]);
  const touched = open();
  touched.push("x");
  touched.body.take();
  touched.body.finish(undefined);
  assertEquals(touched.body.whole(), undefined);
  const trailed = open();
  trailed.push("x");
  trailed.body.finish(FieldList.of({ a: "b" }));
  assertEquals([trailed.body.whole(), text(trailed.body.take())], [undefined, "x"]);
  const empty = open();
  empty.body.finish(undefined);
  assertEquals(empty.body.whole(), new Uint8Array());
});

Deno.test("ReceivedBody wakes its reader for bytes, the end, a break and a cancel", async () => {
  const wakes: ((opened: ReturnType<typeof open>) => void)[] = [
    ({ push }) => void push("x"),
    ({ body }) => void body.finish(undefined),
    ({ body }) => body.cancel(),
  ];
  for (const wake of wakes) {
    const opened = open();
    let isAwake = false;
    const pulled = opened.body.pull().then(() => void (isAwake = true));
    await settle();
    assertEquals([isAwake, opened.body.isWaiting], [false, true]);
    wake(opened);
    await pulled;
    assertEquals(opened.body.isWaiting, false);
    await opened.body.pull();
  }
});

Deno.test("ReceivedBody throws what its sender broke of, and forgets what came before", async () => {
  const { body, push, seen } = open();
  const pulled = body.pull();
  body.fail(BROKEN);
  assertEquals(await assertRejects(() => pulled), BROKEN);
  assertEquals(await assertRejects(() => body.pull()), BROKEN);
  assertEquals(assertThrows(() => body.take()), BROKEN);
  push("late");
  assertEquals(seen.taken, 4);
  body.cancel();
  assertEquals([body.take(), seen.cancels], [null, 0]);
  const unread = open();
  unread.push("xyz");
  unread.body.fail(BROKEN);
  assertEquals([unread.seen.taken, assertThrows(() => unread.body.take())], [3, BROKEN]);
});

Deno.test("ReceivedBody returns every byte when it is cancelled, also of what comes after", () => {
  const { body, push, seen } = open();
  push("abc");
  body.cancel();
  push("de");
  body.cancel();
  body.fail(BROKEN);
  assertEquals([seen, body.take(), body.isEnded], [{ taken: 5, cancels: 1 }, null, true]);
  const received = open();
  received.push("abc");
  received.body.finish(undefined);
  received.body.cancel();
  assertEquals(received.seen, { taken: 3, cancels: 0 });
});

Deno.test("ReceivedBody says when its sender does not keep to the length", () => {
  const long = open(3);
  assertEquals([long.push("ab"), long.push("cd")], [true, false]);
  const short = open(3);
  assertEquals([short.push("ab"), short.body.finish(undefined)], [true, false]);
  const right = open(3);
  assertEquals([right.push("abc"), right.body.finish(undefined), right.body.length], [
    true,
    true,
    3,
  ]);
  const unread = open(3);
  unread.body.cancel();
  assertEquals([unread.push("ab"), unread.push("cd")], [true, false]);
});
