import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { type ErrorKind, ProxyError } from "../errors.ts";
import { COMPRESSED, encodeMessage, MessageDecoder, TRAILERS } from "./framing.ts";
import { concat, cut, cutAt } from "./test_messages.ts";

const OPTIONS = { maxBytes: 1000, side: "upstream", flags: COMPRESSED } as const;

function decodeAll(
  pieces: readonly Uint8Array[],
  options = OPTIONS as typeof OPTIONS | {
    maxBytes: number;
    side: "upstream" | "downstream";
    flags: number;
  },
) {
  const decoder = new MessageDecoder(options);
  const messages: { flags: number; bytes: number[] }[] = [];
  for (const piece of pieces) {
    const chunk = piece.slice();
    decoder.feed(chunk);
    for (let next = decoder.next(); next !== undefined; next = decoder.next()) {
      messages.push({ flags: next.flags, bytes: [...next.bytes] });
    }
    chunk.fill(0xee); // what was fed is gone with the next piece
  }
  return { messages, isBetween: decoder.isBetween };
}

Deno.test("encodeMessage writes flags, length and message", () => {
  assertEquals([...encodeMessage(new Uint8Array([7, 8]), 1)], [1, 0, 0, 0, 2, 7, 8]);
  assertEquals([...encodeMessage(new Uint8Array(0x10203).fill(9)).subarray(0, 6)], [
    0,
    0,
    1,
    2,
    3,
    9,
  ]);
});

Deno.test("MessageDecoder reads messages whole, byte by byte, and cut at each offset", () => {
  const bytes = concat([
    encodeMessage(new Uint8Array([1, 2, 3])),
    encodeMessage(new Uint8Array()),
    encodeMessage(new Uint8Array(100).fill(5), COMPRESSED),
  ]);
  const wanted = {
    messages: [
      { flags: 0, bytes: [1, 2, 3] },
      { flags: 0, bytes: [] },
      { flags: 1, bytes: new Array(100).fill(5) },
    ],
    isBetween: true,
  };
  assertEquals(decodeAll([bytes]), wanted);
  assertEquals(decodeAll(cut(bytes, 1)), wanted);
  for (let at = 1; at < bytes.length; at++) assertEquals(decodeAll(cutAt(bytes, at)), wanted);
});

Deno.test("MessageDecoder tells an end within a message from one between messages", () => {
  const bytes = encodeMessage(new Uint8Array([1, 2]));
  for (let end = 1; end < bytes.length; end++) {
    assertEquals(decodeAll([bytes.subarray(0, end)]), { messages: [], isBetween: false });
  }
  assertEquals(decodeAll([]).isBetween, true);
});

Deno.test("MessageDecoder refuses a length above the limit before the message comes", () => {
  const prefix = new Uint8Array([0, 0, 0, 3, 0xe9]);
  const cases: ["upstream" | "downstream", ErrorKind][] = [
    ["upstream", "upstream-protocol"],
    ["downstream", "payload-too-large"],
  ];
  for (const [side, kind] of cases) {
    const error = assertThrows(() => decodeAll([prefix], { ...OPTIONS, side }), ProxyError, "1001");
    assertEquals(error.kind, kind);
  }
  assertEquals(decodeAll([new Uint8Array([0, 0, 0, 3, 0xe8])]).isBetween, false);
  const huge = new Uint8Array([0, 0xff, 0xff, 0xff, 0xff]);
  assertThrows(() => decodeAll([huge]), ProxyError, "4294967295");
});

Deno.test("MessageDecoder refuses flags that it was not told of", () => {
  assertThrows(() => decodeAll([encodeMessage(new Uint8Array(), 2)]), ProxyError, "flags 2");
  assertThrows(
    () => decodeAll([encodeMessage(new Uint8Array(), TRAILERS)]),
    ProxyError,
    "flags 128",
  );
  const web = { ...OPTIONS, flags: COMPRESSED | TRAILERS };
  assertEquals(decodeAll([encodeMessage(new Uint8Array(), TRAILERS)], web).messages.length, 1);
});

Deno.test("any messages in any pieces come out as they went in", () => {
  const messages = fc.array(fc.uint8Array({ maxLength: 600 }), { maxLength: 6 });
  fc.assert(fc.property(messages, fc.integer({ min: 1, max: 700 }), (sent, size) => {
    const bytes = concat(sent.map((message) => encodeMessage(message)));
    const { messages, isBetween } = decodeAll(cut(bytes, size));
    assertEquals(messages.map(({ bytes }) => bytes), sent.map((message) => [...message]));
    assertEquals(isBetween, true);
  }));
});

Deno.test("any bytes are messages, or are refused as ProxyError", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), fc.integer({ min: 1, max: 9 }), (bytes, size) => {
      try {
        const { messages } = decodeAll(cut(bytes, size));
        assertEquals(messages.every((message) => message.bytes.length <= bytes.length), true);
      } catch (error) {
        assertEquals(error instanceof ProxyError, true);
      }
    }),
  );
});
