import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { latin1 } from "../../lib/bytes.ts";
import { huffmanEncode, huffmanLength, SPILL } from "./huffman_encoder.ts";
import { huffman } from "./test_block.ts";

/** Encodes between guard bytes: nothing in front, and behind it no more than was said, is touched. */
function encoded(text: string): number[] {
  const length = huffmanLength(text);
  const target = new Uint8Array(1 + length + SPILL + 1).fill(0xee);
  assertEquals(huffmanEncode(target, 1, text), 1 + length);
  assertEquals([target[0], target.at(-1)], [0xee, 0xee]);
  return [...target.subarray(1, 1 + length)];
}

Deno.test("huffmanEncode writes each symbol, alone and behind each other length", () => {
  for (let symbol = 0; symbol < 256; symbol++) {
    for (const before of ["", "0", " ", ":", "00", "0 ", "\0", "\xff", "\\"]) {
      const text = before + String.fromCharCode(symbol);
      assertEquals(encoded(text), huffman(text), JSON.stringify(text));
    }
  }
});

Deno.test("huffmanEncode writes any bytes as the code's zeros and ones", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
    const text = latin1(bytes, 0, bytes.length);
    assertEquals(encoded(text), huffman(text));
  }));
});
