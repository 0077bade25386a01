import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { FieldList, type Fields } from "../http/fields.ts";
import { utf8Bytes } from "../lib/bytes.ts";
import { MappedBody, type Stage } from "./mapped_body.ts";
import { PiecesBody, utf8Of } from "./test_messages.ts";

/** Each byte in brackets; `!` throws; the end and failures are told, unless failures are to be passed on. */
class Brackets implements Stage {
  trailers: Fields | undefined;
  #queue: number[] = [];
  readonly #mayFail: boolean;

  constructor(mayFail = true) {
    this.#mayFail = mayFail;
  }

  feed(chunk: Uint8Array): void {
    this.#queue = [...chunk];
  }

  next(): Uint8Array | undefined {
    const byte = this.#queue.shift();
    if (byte === undefined) return undefined;
    if (byte === 0x21) throw new Error("exclaimed");
    return utf8Bytes(byte === 0x20 ? "" : `[${String.fromCharCode(byte)}]`);
  }

  end(trailers: Fields | undefined): Uint8Array {
    this.trailers = FieldList.of({ x: trailers?.get("x") ?? "none" });
    return utf8Bytes("end");
  }

  fail(error: unknown): Uint8Array {
    if (!this.#mayFail) throw error;
    return utf8Bytes(`failed: ${(error as Error).message}`);
  }
}

function pieces(...texts: readonly (string | Error)[]) {
  return texts.map((text) => typeof text === "string" ? utf8Bytes(text) : text);
}

Deno.test("MappedBody gives a piece a time, and reads on only when it has given all", async () => {
  const source = new PiecesBody(pieces("a b", "c"));
  const body = new MappedBody(source, new Brackets());
  assertEquals(body.take(), undefined);
  await body.pull();
  assertEquals(body.take(), utf8Bytes("[a]"));
  assertEquals(source.left, 1);
  assertEquals(body.take(), utf8Bytes("[b]"));
  assertEquals(source.left, 1);
  assertEquals(await utf8Of(body), "[c]end");
});

Deno.test("MappedBody has the stage's trailers once it is read to the end", async () => {
  const body = new MappedBody(
    new PiecesBody(pieces("a"), FieldList.of({ x: "1" })),
    new Brackets(),
  );
  assertEquals(body.trailers, undefined);
  await utf8Of(body);
  assertEquals(body.trailers?.get("x"), "1");
  assertEquals(body.isEnded, true);
  assertEquals(body.take(), null);
});

Deno.test("MappedBody tells a break of its sender in the stage's words, and ends well", async () => {
  const body = new MappedBody(new PiecesBody(pieces("a", new Error("gone"))), new Brackets());
  assertEquals(await utf8Of(body), "[a]failed: gone");
});

Deno.test("MappedBody tells what its stage threw, and cancels the sender", async () => {
  const source = new PiecesBody(pieces("a!b", "c"));
  assertEquals(await utf8Of(new MappedBody(source, new Brackets())), "[a]failed: exclaimed");
  assertEquals(source.isCancelled, true);
});

Deno.test("MappedBody throws what the stage has no words for", async () => {
  for (const last of [new Error("gone"), "!"]) {
    const body = new MappedBody(new PiecesBody(pieces("a", last)), new Brackets(false));
    await assertRejects(() => utf8Of(body), Error);
    assertEquals(body.isEnded, true);
    assertEquals(body.take(), null);
  }
});

Deno.test("MappedBody passes a cancellation on", () => {
  const source = new PiecesBody(pieces("a"));
  const body = new MappedBody(source, new Brackets());
  body.cancel();
  body.cancel();
  assertEquals([source.isCancelled, body.isEnded, body.take()], [true, true, null]);
});

Deno.test("MappedBody throws in take even where the sender throws there", () => {
  const source = new PiecesBody([]);
  source.take = () => {
    throw new Error("in take");
  };
  const body = new MappedBody(source, new Brackets(false));
  assertThrows(() => body.take(), Error, "in take");
});
