// SHA-1 (RFC 3174), for the one handshake that asks for it and where nothing rests on its strength (RFC 6455 10.8).
// node:crypto would cost every sidecar 7 MB of memory (measured), and Web Crypto answers only later.

const K = [0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6] as const;

/** The digest of `message`: 20 bytes. */
export function sha1(message: Uint8Array): Uint8Array<ArrayBuffer> {
  const state = Uint32Array.of(0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0);
  const words = new Uint32Array(80);
  const padded = pad(message);
  for (let at = 0; at < padded.byteLength; at += 64) {
    for (let t = 0; t < 16; t++) words[t] = padded.getUint32(at + 4 * t);
    for (let t = 16; t < 80; t++) {
      words[t] = rotate(words[t - 3]! ^ words[t - 8]! ^ words[t - 14]! ^ words[t - 16]!, 1);
    }
    mix(state, words);
  }
  const digest = new DataView(new ArrayBuffer(20));
  state.forEach((word, index) => digest.setUint32(4 * index, word));
  return new Uint8Array(digest.buffer);
}

/** A one, zeros, and the length in bits, to whole blocks of 64 bytes (section 4). */
function pad(message: Uint8Array): DataView {
  const { length } = message;
  const bytes = new Uint8Array(Math.ceil((length + 9) / 64) * 64);
  bytes.set(message);
  bytes[length] = 0x80;
  const view = new DataView(bytes.buffer);
  view.setUint32(bytes.length - 8, Math.floor(length / 2 ** 29));
  view.setUint32(bytes.length - 4, length << 3);
  return view;
}

/** One block (section 6.1). */
function mix(state: Uint32Array, words: Uint32Array): void {
  let [a = 0, b = 0, c = 0, d = 0, e = 0] = state;
  for (let t = 0; t < 80; t++) {
    const round = Math.floor(t / 20);
    const next = rotate(a, 5) + choose(round, b, c, d) + e + words[t]! + K[round]!;
    [a, b, c, d, e] = [next >>> 0, a, rotate(b, 30), c, d];
  }
  [a, b, c, d, e].forEach((word, index) => state[index]! += word);
}

function choose(round: number, b: number, c: number, d: number): number {
  if (round === 0) return (b & c | ~b & d) >>> 0;
  return (round === 2 ? b & c | b & d | c & d : b ^ c ^ d) >>> 0;
}

function rotate(word: number, bits: number): number {
  return (word << bits | word >>> 32 - bits) >>> 0;
}
