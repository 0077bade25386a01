import { assert, assertEquals, assertRejects } from "@std/assert";
import { PushBody } from "../../tests/support/messages.ts";
import { ProxyError } from "../errors.ts";
import { latin1Bytes } from "../lib/bytes.ts";
import { BytesBody, EMPTY_BODY, readBody } from "./body.ts";

const HELLO = latin1Bytes("hello");

Deno.test("EMPTY_BODY is over before it begins, as often as it is asked", async () => {
  for (let i = 0; i < 2; i++) {
    assertEquals([EMPTY_BODY.take(), EMPTY_BODY.isEnded, EMPTY_BODY.length], [null, true, 0]);
    assertEquals(EMPTY_BODY.whole()?.length, 0);
    await EMPTY_BODY.pull();
    EMPTY_BODY.cancel();
  }
});

Deno.test("BytesBody gives its bytes once", async () => {
  const body = new BytesBody(HELLO);
  assertEquals([body.length, body.isEnded], [5, false]);
  assertEquals([body.take(), body.take(), body.isEnded, body.length], [HELLO, null, true, 5]);
  await body.pull();
  assertEquals(body.whole()?.length, 0);
});

Deno.test("BytesBody gives its whole at once, and then nothing", () => {
  const body = new BytesBody(HELLO);
  assertEquals(body.whole(), HELLO);
  assertEquals([body.take(), body.isEnded], [null, true]);
});

Deno.test("BytesBody that was cancelled gives nothing", () => {
  const body = new BytesBody(HELLO);
  body.cancel();
  body.cancel();
  assertEquals([body.take(), body.isEnded], [null, true]);
});

Deno.test("readBody joins what comes in pieces, and keeps none of the reader's memory", async () => {
  assertEquals(await readBody(EMPTY_BODY, 0), new Uint8Array());
  const bytes = HELLO.slice();
  const read = await readBody(new BytesBody(bytes), 5);
  bytes.fill(0);
  assertEquals(read, HELLO);
  const body = new PushBody();
  const reading = readBody(body, 100);
  for (const piece of ["a", "", "bc", "def", null]) {
    await Promise.resolve();
    body.give(piece);
  }
  assertEquals(await reading, latin1Bytes("abcdef"));
});

Deno.test("readBody gives up on a body that is too long, and cancels it", async () => {
  const body = new PushBody().give("abc", "def");
  assertEquals(await readBody(body, 5), null);
  assert(body.isCancelled);
  const exact = new PushBody().give("abc", "de", null);
  assertEquals((await readBody(exact, 5))?.length, 5);
});

Deno.test("readBody throws what reading throws", async () => {
  const broken = new ProxyError("downstream-gone", "gone", { side: "downstream" });
  await assertRejects(() => readBody(new PushBody().give("a", broken), 5), ProxyError, "gone");
});
