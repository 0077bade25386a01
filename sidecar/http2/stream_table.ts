// The open streams of a connection by their ids. A Map would do but for the collector: each time it is rebuilt, V8 links the
// old one to the new, and the streams of the old ones outlive every scavenge (a third of all CPU at 8 x 16, measured).

/** Slots to begin with; most connections never need more. */
const SLOTS = 16;

/** Ids come in order, so each has the slot of its number to itself unless a far older stream still lives there. */
export class StreamTable<Item extends { readonly id: number }> {
  size = 0;
  #slots: (Item | undefined)[] = new Array(SLOTS).fill(undefined);
  /** Those whose slot was taken. Made when needed. */
  #others: Map<number, Item> | undefined;

  get(id: number): Item | undefined {
    const item = this.#slots[(id >>> 1) & (this.#slots.length - 1)];
    return item?.id === id ? item : this.#others?.get(id);
  }

  /** Adds one whose id is not in the table. */
  add(item: Item): void {
    if (this.size * 2 >= this.#slots.length) this.#grow();
    this.size++;
    this.#put(item);
  }

  delete(id: number): void {
    const at = (id >>> 1) & (this.#slots.length - 1);
    if (this.#slots[at]?.id === id) this.#slots[at] = undefined;
    else if (!this.#others?.delete(id)) return;
    this.size--;
  }

  /** All of them now, in no certain order. */
  all(): Item[] {
    const items = this.#slots.filter((item) => item !== undefined);
    return this.#others === undefined ? items : [...items, ...this.#others.values()];
  }

  clear(): void {
    this.size = 0;
    this.#slots = new Array(SLOTS).fill(undefined);
    this.#others = undefined;
  }

  #put(item: Item): void {
    const at = (item.id >>> 1) & (this.#slots.length - 1);
    if (this.#slots[at] === undefined) this.#slots[at] = item;
    else (this.#others ??= new Map()).set(item.id, item);
  }

  #grow(): void {
    const items = this.all();
    this.#slots = new Array(this.#slots.length * 2).fill(undefined);
    this.#others = undefined;
    for (const item of items) this.#put(item);
  }
}
