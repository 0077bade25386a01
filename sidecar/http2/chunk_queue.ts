// Bytes of a body that are here and not read yet. They are copied, as the buffer they came in is needed for the next read;
// small frames share a block, so that a window full of tiny ones costs no more than the window.
import { BufferPool } from "../lib/buffer_pool.ts";
import { copyBytes } from "../lib/bytes.ts";
import { MAX_FRAME_BYTES } from "./frame.ts";

/** A full DATA frame fits. */
const BLOCKS = new BufferPool(MAX_FRAME_BYTES, 64);

/** Alone and no longer than this, a frame goes into a slab with those of other streams. */
const SMALL_BYTES = 1024;

/** An array of its own costs a small message 1.5 us, a place in a slab 0.2 (measured). The collector frees slabs. */
let slab = new Uint8Array(0);
let slabUsed = 0;

function keepSmall(source: Uint8Array, start: number, end: number): Uint8Array<ArrayBuffer> {
  if (slabUsed + end - start > slab.length) {
    slab = new Uint8Array(MAX_FRAME_BYTES);
    slabUsed = 0;
  }
  const at = slabUsed;
  slabUsed = copyBytes(slab, at, source, start, end);
  return slab.subarray(at, slabUsed);
}

interface Block {
  readonly bytes: Uint8Array<ArrayBuffer>;
  length: number;
}

export class ChunkQueue {
  readonly #blocks: Block[] = [];
  /** What the reader has; it comes back with the next `take`. */
  #taken: Uint8Array<ArrayBuffer> | undefined;

  get isEmpty(): boolean {
    return this.#blocks.length === 0;
  }

  /** All there is stands in one piece. */
  get isOnePiece(): boolean {
    return this.#blocks.length <= 1;
  }

  push(source: Uint8Array, start: number, end: number): void {
    const blocks = this.#blocks;
    if (blocks.length === 0 && end - start <= SMALL_BYTES) {
      blocks.push({ bytes: keepSmall(source, start, end), length: end - start });
      return;
    }
    const last = blocks[blocks.length - 1];
    if (last !== undefined) start += append(last, source, start, end);
    if (start === end) return;
    const block = { bytes: BLOCKS.acquire(), length: 0 };
    append(block, source, start, end);
    blocks.push(block);
  }

  /** The next piece, valid until the next call; undefined when there is none. */
  take(): Uint8Array<ArrayBuffer> | undefined {
    if (this.#taken !== undefined) BLOCKS.release(this.#taken);
    const block = this.#blocks.shift();
    this.#taken = block?.bytes;
    if (block === undefined) return undefined;
    return block.length === block.bytes.length
      ? block.bytes
      : block.bytes.subarray(0, block.length);
  }

  /** As `take`, but the piece is the caller's for good. */
  takeForGood(): Uint8Array<ArrayBuffer> | undefined {
    const chunk = this.take();
    this.#taken = undefined;
    return chunk;
  }

  /** Forgets everything. What the reader has stays its own. */
  clear(): void {
    for (const block of this.#blocks) BLOCKS.release(block.bytes);
    this.#blocks.length = 0;
    this.#taken = undefined;
  }
}

/** Appends what fits, and says how much that was. */
function append(block: Block, source: Uint8Array, start: number, end: number): number {
  const count = Math.min(end - start, block.bytes.length - block.length);
  if (count > 0) {
    block.length = copyBytes(block.bytes, block.length, source, start, start + count);
  }
  return count;
}
