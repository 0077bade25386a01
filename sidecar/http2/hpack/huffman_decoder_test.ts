import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { latin1, latin1Bytes } from "../../lib/bytes.ts";
import { CODE, CODE_BITS, EOS } from "./huffman_code.ts";
import { decodedRoom, huffmanDecode } from "./huffman_decoder.ts";
import { huffman, octetsOf } from "./test_block.ts";

function decoded(octets: readonly number[]): string | null {
  const target = new Uint8Array(decodedRoom(octets.length));
  const length = huffmanDecode(Uint8Array.from(octets), 0, octets.length, target);
  return length < 0 ? null : latin1(target, 0, length);
}

function bitsOf(symbol: number): string {
  return CODE[symbol]!.toString(2).padStart(CODE_BITS[symbol]!, "0");
}

Deno.test("huffmanDecode decodes each symbol, alone and behind each other length", () => {
  for (let symbol = 0; symbol < 256; symbol++) {
    const letter = String.fromCharCode(symbol);
    for (const before of ["", "0", "00", "000", " ", " 0", ":", "\0", "\\"]) {
      assertEquals(decoded(huffman(before + letter + "0")), before + letter + "0");
    }
  }
});

Deno.test("huffmanDecode gives back any bytes", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
    const text = latin1(bytes, 0, bytes.length);
    assertEquals(decoded(huffman(text)), text);
  }));
});

Deno.test("huffmanDecode reads from start to end only", () => {
  const octets = Uint8Array.from([0xff, ...huffman("hello"), 0xff]);
  const target = new Uint8Array(20);
  assertEquals(huffmanDecode(octets, 1, octets.length - 1, target), 5);
  assertEquals(target.subarray(0, 5), latin1Bytes("hello"));
});

Deno.test("huffmanDecode refuses padding of more than 7 bits, or of other than ones", () => {
  for (const text of ["", "0", "00", " ", ":", "&", "aaaaaaaa"]) {
    const whole = huffman(text);
    assertEquals(decoded(whole), text);
    assertEquals(decoded([...whole, 0xff]), null, `${text} and eight ones more`);
  }
  assertEquals(decoded(octetsOf(bitsOf(48) + "110")), null);
  assertEquals(decoded(octetsOf(bitsOf(48) + "011")), null);
  assertEquals(decoded(octetsOf(bitsOf(32) + "00")), null);
  assertEquals(decoded(octetsOf(bitsOf(48) + "111")), "0");
});

Deno.test("huffmanDecode refuses EOS, at the end and inside", () => {
  assertEquals(decoded(octetsOf(bitsOf(EOS))), null);
  assertEquals(decoded(octetsOf(bitsOf(48) + bitsOf(EOS) + bitsOf(48))), null);
  assertEquals(decoded([0xff, 0xff, 0xff, 0xff]), null);
});
