// Header blocks put together by hand, for tests: any representation, right or wrong, and no cleverness shared with the
// encoder (Huffman code is written as a text of zeros and ones).
import { latin1Bytes } from "../../lib/bytes.ts";
import { CODE, CODE_BITS } from "./huffman_code.ts";

export type LiteralKind = "indexing" | "plain" | "never";

const KINDS: Readonly<Record<LiteralKind, readonly [first: number, bits: number]>> = {
  indexing: [0x40, 6],
  plain: [0x00, 4],
  never: [0x10, 4],
};

export interface LiteralOptions {
  readonly kind?: LiteralKind;
  readonly isHuffman?: boolean;
}

export class TestBlock {
  readonly octets: number[] = [];

  get bytes(): Uint8Array {
    return Uint8Array.from(this.octets);
  }

  raw(...octets: readonly number[]): this {
    for (const octet of octets) this.octets.push(octet);
    return this;
  }

  /** RFC 7541 5.1, as its pseudocode has it. */
  integer(first: number, bits: number, value: number): this {
    const limit = 2 ** bits - 1;
    if (value < limit) return this.raw(first + value);
    this.raw(first + limit);
    let rest = value - limit;
    while (rest >= 128) {
      this.raw(rest % 128 + 128);
      rest = Math.floor(rest / 128);
    }
    return this.raw(rest);
  }

  string(text: string, isHuffman = false): this {
    const octets = isHuffman ? huffman(text) : latin1Bytes(text);
    return this.integer(isHuffman ? 0x80 : 0, 7, octets.length).raw(...octets);
  }

  indexed(index: number): this {
    return this.integer(0x80, 7, index);
  }

  /** `name` is an index or is spelled out. */
  literal(name: number | string, value: string, options: LiteralOptions = {}): this {
    const { kind = "plain", isHuffman = false } = options;
    const [first, bits] = KINDS[kind];
    this.integer(first, bits, typeof name === "number" ? name : 0);
    if (typeof name === "string") this.string(name, isHuffman);
    return this.string(value, isHuffman);
  }

  size(bytes: number): this {
    return this.integer(0x20, 5, bytes);
  }
}

/** RFC 7541 5.2. */
export function huffman(text: string): number[] {
  const codes = Array.from(text, (letter) => {
    const symbol = letter.charCodeAt(0);
    return CODE[symbol]!.toString(2).padStart(CODE_BITS[symbol]!, "0");
  });
  return octetsOf(codes.join(""));
}

/** Filled up with ones. */
export function octetsOf(bits: string): number[] {
  const padded = bits.padEnd(Math.ceil(bits.length / 8) * 8, "1");
  return Array.from({ length: padded.length / 8 }, (_, i) => {
    return parseInt(padded.slice(i * 8, i * 8 + 8), 2);
  });
}

export function fromHex(hex: string): Uint8Array {
  const digits = hex.replaceAll(" ", "");
  return Uint8Array.from({ length: digits.length / 2 }, (_, i) => {
    return parseInt(digits.slice(i * 2, i * 2 + 2), 16);
  });
}
