import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { ProxyError } from "../../errors.ts";
import { latin1Bytes } from "../../lib/bytes.ts";
import { concat, cut } from "../test_messages.ts";
import { Base64Decoder } from "./base64_decoder.ts";

function decode(pieces: readonly Uint8Array[]): Uint8Array {
  const decoder = new Base64Decoder();
  const bytes = concat(pieces.map((piece) => decoder.decode(piece)));
  decoder.end();
  return bytes;
}

Deno.test("any bytes, encoded in any pieces and cut anywhere, come out as they went in", () => {
  const parts = fc.array(fc.uint8Array({ maxLength: 30 }), { maxLength: 5 });
  fc.assert(fc.property(parts, fc.integer({ min: 1, max: 9 }), (sent, size) => {
    const text = sent.map((part) => part.toBase64()).join("");
    assertEquals(decode(cut(latin1Bytes(text), size)), concat(sent));
  }));
});

Deno.test("what is no base64 is refused", () => {
  for (
    const text of [
      "A",
      "AA",
      "AAA",
      "=",
      "A=",
      "A===",
      "AA=A",
      "AA==A",
      "AA=",
      "AA-_",
      "AA AA",
      "AAAA\n",
    ]
  ) {
    const error = assertThrows(() => decode([latin1Bytes(text)]), ProxyError);
    assertEquals([error.kind, error.side], ["bad-request", "downstream"], text);
  }
});

Deno.test("any text is base64, or is refused as ProxyError", () => {
  const text = fc.string({ unit: fc.constantFrom(..."AZaz09+/==-\n\u00ff") });
  fc.assert(fc.property(text, (input) => {
    try {
      const bytes = decode([latin1Bytes(input)]);
      assertEquals(bytes.length <= input.length / 4 * 3, true);
    } catch (error) {
      assertEquals(error instanceof ProxyError, true);
    }
  }));
});
