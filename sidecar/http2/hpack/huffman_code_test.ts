import { assertEquals } from "@std/assert";
import { CODE, CODE_BITS, EOS } from "./huffman_code.ts";

Deno.test("the Huffman code leaves no sequence of bits without meaning (Kraft)", () => {
  let sum = 0;
  for (let symbol = 0; symbol <= EOS; symbol++) sum += 2 ** (30 - CODE_BITS[symbol]!);
  assertEquals(sum, 2 ** 30);
});

Deno.test("the Huffman code is that of RFC 7541 appendix B where its lengths begin and end", () => {
  // deno-fmt-ignore
  const listed: [symbol: number, code: number, bits: number][] = [
    [48, 0x0, 5], [116, 0x9, 5], [32, 0x14, 6], [117, 0x2d, 6], [58, 0x5c, 7], [122, 0x7b, 7],
    [38, 0xf8, 8], [90, 0xfd, 8], [33, 0x3f8, 10], [63, 0x3fc, 10], [39, 0x7fa, 11], [124, 0x7fc, 11],
    [35, 0xffa, 12], [62, 0xffb, 12], [0, 0x1ff8, 13], [126, 0x1ffd, 13], [94, 0x3ffc, 14],
    [125, 0x3ffd, 14], [60, 0x7ffc, 15], [123, 0x7ffe, 15], [92, 0x7fff0, 19], [208, 0x7fff2, 19],
    [128, 0xfffe6, 20], [226, 0xfffed, 20], [153, 0x1fffdc, 21], [230, 0x1fffe8, 21],
    [129, 0x3fffd2, 22], [233, 0x3fffeb, 22], [1, 0x7fffd8, 23], [239, 0x7ffff4, 23],
    [9, 0xffffea, 24], [237, 0xfffff5, 24], [199, 0x1ffffec, 25], [235, 0x1ffffef, 25],
    [192, 0x3ffffe0, 26], [255, 0x3ffffee, 26], [203, 0x7ffffde, 27], [254, 0x7fffff0, 27],
    [2, 0xfffffe2, 28], [249, 0xffffffe, 28], [10, 0x3ffffffc, 30], [EOS, 0x3fffffff, 30],
  ];
  for (const [symbol, code, bits] of listed) {
    assertEquals([CODE[symbol], CODE_BITS[symbol]], [code, bits], `symbol ${symbol}`);
  }
});
