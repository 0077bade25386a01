// The content of the soak: a short pattern repeated, begun at another place by each client, so that mixed-up streams show.
import { crc32 } from "node:zlib";

/** What each client sends and receives. */
export const TRANSFER_BYTES = 64 * 1024 * 1024;
/** One write. */
export const CHUNK_BYTES = 256 * 1024;
/** Prime, so that no chunk begins where another one does. */
const PATTERN_BYTES = 65_537;
/** Enough to tell streams apart, few enough for their checksums to be worked out beforehand. */
const VARIANTS = 16;

/** Ways to begin the pattern, each with the whole transfer's checksum. */
export class Patterns {
  readonly #bytes = new Uint8Array(PATTERN_BYTES + CHUNK_BYTES);
  readonly #checksums: number[] = [];

  constructor() {
    let state = 1;
    for (let i = 0; i < PATTERN_BYTES; i++) {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0; // the generator of ANSI C: any will do
      this.#bytes[i] = state >>> 16;
    }
    for (let i = PATTERN_BYTES; i < this.#bytes.length; i++) {
      this.#bytes[i] = this.#bytes[i - PATTERN_BYTES]!;
    }
  }

  /** The checksum of the transfer of `client`. */
  checksum(client: number): number {
    return this.#checksums[client % VARIANTS] ??= this.#sum(client);
  }

  /** What `client` sends at `at`: a chunk, or what is left. */
  chunk(client: number, at: number): Uint8Array<ArrayBuffer> {
    const start = ((client % VARIANTS) * 4099 + at) % PATTERN_BYTES;
    return this.#bytes.subarray(start, start + Math.min(CHUNK_BYTES, TRANSFER_BYTES - at));
  }

  #sum(client: number): number {
    let sum = 0;
    for (let at = 0; at < TRANSFER_BYTES; at += CHUNK_BYTES) {
      sum = crc32(this.chunk(client, at), sum);
    }
    return sum;
  }
}
