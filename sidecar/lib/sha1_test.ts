import { assertEquals } from "@std/assert";
import { createHash } from "node:crypto";
import { latin1Bytes } from "./bytes.ts";
import { sha1 } from "./sha1.ts";

function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

Deno.test("sha1 gives the digests of RFC 3174", () => {
  const cases = {
    "abc": "a9993e364706816aba3e25717850c26c9cd0d89d",
    "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq":
      "84983e441c3bd26ebaae4aa1f95129e5e54670f1",
    "": "da39a3ee5e6b4b0d3255bfef95601890afd80709",
  };
  for (const [text, digest] of Object.entries(cases)) {
    assertEquals(hex(sha1(latin1Bytes(text))), digest);
  }
});

Deno.test("sha1 agrees with node:crypto at every length around the blocks' ends", () => {
  for (let length = 0; length < 200; length++) {
    const message = Uint8Array.from({ length }, (_, i) => i * 7 + length);
    assertEquals(hex(sha1(message)), createHash("sha1").update(message).digest("hex"), `${length}`);
  }
});
