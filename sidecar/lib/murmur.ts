// MurmurHash3, 32 bits, of text: spreads keys over endpoints and is no protection against whoever chooses the keys.

const C1 = 0xcc9e2d51;
const C2 = 0x1b873593;

/** The x86_32 variant (Appleby, smhasher) of the text's UTF-16 code units, little endian; unsigned. */
export function murmur32(text: string, seed = 0): number {
  const { length } = text;
  let hash = seed | 0;
  let i = 0;
  for (; i + 1 < length; i += 2) {
    hash ^= scramble(text.charCodeAt(i) | (text.charCodeAt(i + 1) << 16));
    hash = (hash << 13) | (hash >>> 19);
    hash = (Math.imul(hash, 5) + 0xe6546b64) | 0;
  }
  if (i < length) hash ^= scramble(text.charCodeAt(i));
  return mix(hash ^ (length * 2));
}

/** Spreads the bits of a number over all of it; unsigned. */
export function mix(value: number): number {
  let hash = value | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function scramble(block: number): number {
  const product = Math.imul(block, C1);
  return Math.imul((product << 15) | (product >>> 17), C2);
}
