// Blocks that came before, with the fields they decode to: what repeats whole, as calls of one method do, costs one
// comparison. True only while the decoder's table stays as it was, evictions included.
import type { Field } from "../../http/field.ts";

/** Longer ones hold what does not repeat. All of them with their fields: some 130 KiB a connection at the very most. */
const MAX_BLOCK = 256;
const MAX_FIELDS = 32;
const SLOTS = 32;

/** After so many misses in a row only every 16th block is looked at: some heads never repeat (a traceparent in each). */
const PATIENCE = 16;

interface Slot {
  readonly hash: number;
  readonly block: Uint8Array;
  readonly fields: readonly Field[];
}

export class BlockCache {
  #slots: (Slot | undefined)[] = [];
  /** The hash of the last block of each slot: only what comes a second time is kept. */
  #seen: Int32Array = new Int32Array();
  /** `DynamicTable.changes` when what is in the slots was decoded. */
  #changes = 0;
  #misses = 0;
  #hash = 0;

  /** A fresh list of the fields of `bytes[start, end)`; undefined when the block must be decoded. */
  get(bytes: Uint8Array, start: number, end: number, changes: number): Field[] | undefined {
    this.#hash = 0;
    const length = end - start;
    if (length > MAX_BLOCK || length === 0) return undefined;
    if (this.#misses > PATIENCE && ++this.#misses % PATIENCE !== 0) return undefined;
    const hash = this.#hash = hashOf(bytes, start, end);
    const slot = this.#slots[hash & (SLOTS - 1)];
    if (
      slot === undefined || slot.hash !== hash || this.#changes !== changes ||
      !isSame(slot.block, bytes, start, end)
    ) {
      this.#misses++;
      return undefined;
    }
    this.#misses = 0;
    return slot.fields.slice();
  }

  /** After a `get` that gave nothing, with what the same block decoded to; it left the table at `changes` as it was. */
  offer(
    bytes: Uint8Array,
    start: number,
    end: number,
    changes: number,
    fields: readonly Field[],
  ): void {
    const hash = this.#hash;
    if (hash === 0 || fields.length > MAX_FIELDS) return;
    if (this.#seen.length === 0) this.#seen = new Int32Array(SLOTS);
    const index = hash & (SLOTS - 1);
    if (this.#seen[index] !== hash) {
      this.#seen[index] = hash;
      return;
    }
    // All at once: what is of no use any more must not keep evicted entries alive.
    if (this.#changes !== changes || this.#slots.length === 0) this.#clear(changes);
    this.#slots[index] = { hash, block: bytes.slice(start, end), fields: fields.slice() };
  }

  #clear(changes: number): void {
    this.#changes = changes;
    this.#slots = new Array<Slot | undefined>(SLOTS).fill(undefined);
  }
}

/** Never 0. */
function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = end - start;
  for (let i = start; i < end; i++) hash = Math.imul(hash, 31) + bytes[i]! | 0;
  hash ^= hash >>> 15;
  return hash === 0 ? 1 : hash;
}

function isSame(block: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (block.length !== end - start) return false;
  for (let i = 0; i < block.length; i++) if (block[i] !== bytes[start + i]) return false;
  return true;
}
