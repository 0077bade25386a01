// The Huffman code of RFC 7541 appendix B. It is canonical: the codes of one length are consecutive numbers in the order
// of their symbols, and each length goes on where the shorter one ended. So the symbols of each length say it all.

/** The symbol that ends a string; it is never sent, its first bits are padding (RFC 7541 5.2). */
export const EOS = 256;

const SYMBOLS_BY_LENGTH: ReadonlyMap<number, string | readonly number[]> = new Map<
  number,
  string | readonly number[]
>([
  [5, "012aceiost"],
  [6, " %-./3456789=A_bdfghlmnpru"],
  [7, ":BCDEFGHIJKLMNOPQRSTUVWYjkqvwxyz"],
  [8, "&*,;XZ"],
  [10, '!"()?'],
  [11, "'+|"],
  [12, "#>"],
  [13, "\0$@[]~"],
  [14, "^}"],
  [15, "<`{"],
  [19, "\\\xc3\xd0"],
  [20, [128, 130, 131, 162, 184, 194, 224, 226]],
  [21, [153, 161, 167, 172, 176, 177, 179, 209, 216, 217, 227, 229, 230]],
  // deno-fmt-ignore
  [22, [129, 132, 133, 134, 136, 146, 154, 156, 160, 163, 164, 169, 170, 173, 178, 181, 185, 186, 187, 189, 190, 196,
    198, 228, 232, 233]],
  // deno-fmt-ignore
  [23, [1, 135, 137, 138, 139, 140, 141, 143, 147, 149, 150, 151, 152, 155, 157, 158, 165, 166, 168, 174, 175, 180, 182,
    183, 188, 191, 197, 231, 239]],
  [24, [9, 142, 144, 145, 148, 159, 171, 206, 215, 225, 236, 237]],
  [25, [199, 207, 234, 235]],
  [26, [192, 193, 200, 201, 202, 205, 210, 213, 218, 219, 238, 240, 242, 243, 255]],
  // deno-fmt-ignore
  [27, [203, 204, 211, 212, 214, 221, 222, 223, 241, 244, 245, 246, 247, 248, 250, 251, 252, 253, 254]],
  // deno-fmt-ignore
  [28, [2, 3, 4, 5, 6, 7, 8, 11, 12, 14, 15, 16, 17, 18, 19, 20, 21, 23, 24, 25, 26, 27, 28, 29, 30, 31, 127, 220, 249]],
  [30, [10, 13, 22, EOS]],
]);

/** The code of each symbol, in its low bits. */
export const CODE: Uint32Array = new Uint32Array(257);
/** How many bits the code of each symbol has: 5 to 30. */
export const CODE_BITS: Uint8Array = new Uint8Array(257);

function assignCodes(): void {
  let code = 0, length = 0;
  for (const [bits, symbols] of SYMBOLS_BY_LENGTH) {
    code <<= bits - length;
    length = bits;
    const numbers = typeof symbols === "string"
      ? Array.from(symbols, (letter) => letter.charCodeAt(0))
      : symbols;
    for (const symbol of numbers) {
      CODE[symbol] = code++;
      CODE_BITS[symbol] = bits;
    }
  }
}

assignCodes();
