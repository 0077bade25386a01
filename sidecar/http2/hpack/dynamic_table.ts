// The entries of a dynamic table, first in, first out (RFC 7541 2.3.2, 4). Each has a number that never changes: how many
// were added before it. Knows nothing of bytes; the encoder's way to find an entry is in encoder_table.ts.
import type { Field } from "../../http/field.ts";

/** What every dynamic table may hold until SETTINGS say otherwise (RFC 9113 6.5.2). */
export const DEFAULT_TABLE_BYTES = 4096;

const FIRST_SLOTS = 16;

export class DynamicTable {
  /** Entries by number modulo its length, a power of two; made when the first entry comes, for idle connections' sake. */
  #slots: (Field | undefined)[] = [];
  #mask = -1;
  #added = 0;
  #length = 0;
  #bytes = 0;
  #maxBytes: number;
  #changes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The number that the next entry gets. */
  get added(): number {
    return this.#added;
  }

  get length(): number {
    return this.#length;
  }

  get maxBytes(): number {
    return this.#maxBytes;
  }

  /** Grows whenever an entry comes or goes, or the maximum is set: what was said of the table before holds no longer. */
  get changes(): number {
    return this.#changes;
  }

  /** The entry that was added `back` entries ago, 1 for the newest; undefined when there is none. */
  newest(back: number): Field | undefined {
    return back > this.#length ? undefined : this.#slots[(this.#added - back) & this.#mask];
  }

  /** Where the entry of that number stands: 1 for the newest, more than `length` when it is gone. */
  backOf(number: number): number {
    return this.#added - number;
  }

  /** Sets a new maximum; the caller evicts while `isFull(0)` (RFC 7541 4.3). */
  resize(maxBytes: number): void {
    this.#maxBytes = maxBytes;
    this.#changes++;
  }

  /** An entry must go before one of `size` bytes can come (RFC 7541 4.4); one larger than the table empties it. */
  isFull(size: number): boolean {
    return this.#length > 0 && this.#bytes + size > this.#maxBytes;
  }

  /** Adds an entry for which there is room. */
  add(field: Field): void {
    if (this.#length === this.#slots.length) this.#grow();
    this.#slots[this.#added & this.#mask] = field;
    this.#added++;
    this.#length++;
    this.#changes++;
    this.#bytes += field.size;
  }

  /** Evicts the oldest entry and returns it. */
  evict(): Field {
    const slot = (this.#added - this.#length) & this.#mask;
    const field = this.#slots[slot]!;
    this.#slots[slot] = undefined;
    this.#length--;
    this.#changes++;
    this.#bytes -= field.size;
    return field;
  }

  #grow(): void {
    const slots = new Array<Field | undefined>(Math.max(FIRST_SLOTS, this.#length * 2));
    slots.fill(undefined);
    const mask = slots.length - 1;
    for (let number = this.#added - this.#length; number < this.#added; number++) {
      slots[number & mask] = this.#slots[number & this.#mask];
    }
    this.#slots = slots;
    this.#mask = mask;
  }
}
