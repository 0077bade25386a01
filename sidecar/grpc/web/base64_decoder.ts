// Base64 as it comes in, cut anywhere: gRPC-Web's text mode pads each flush, so that `=` may stand in the middle (grpc's PROTOCOL-WEB.md).
import { malformed } from "../framing.ts";

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const PAD = 61;
const INVALID = 255;

const VALUES = new Uint8Array(256).fill(INVALID);
for (let i = 0; i < LETTERS.length; i++) VALUES[LETTERS.charCodeAt(i)] = i;

export class Base64Decoder {
  /** Bits of the group of four that is in work. */
  #bits = 0;
  #count = 0;
  /** How many of the four are padding. */
  #padding = 0;

  /** The bytes that `text` completes. Throws ProxyError on what is no base64. */
  decode(text: Uint8Array): Uint8Array {
    const bytes = new Uint8Array(Math.floor((this.#count + text.length) / 4) * 3);
    let length = 0;
    for (let i = 0; i < text.length; i++) {
      this.#step(text[i]!);
      if (this.#count < 4) continue;
      const kept = 3 - this.#padding;
      bytes[length++] = this.#bits >> 16;
      if (kept > 1) bytes[length++] = this.#bits >> 8;
      if (kept > 2) bytes[length++] = this.#bits;
      this.#bits = this.#count = this.#padding = 0;
    }
    return bytes.subarray(0, length);
  }

  /** Throws where a group is not whole. */
  end(): void {
    if (this.#count > 0) throw malformed("downstream", "base64 that ends within a group");
  }

  #step(letter: number): void {
    const value = VALUES[letter]!;
    if (letter === PAD && this.#count >= 2) this.#padding++;
    else if (value === INVALID || this.#padding > 0) {
      throw malformed("downstream", "no base64");
    }
    this.#bits = this.#bits << 6 | (letter === PAD ? 0 : value);
    this.#count++;
  }
}
