// A map that forgets what was not used for longest. A use moves a link and leaves the map alone: a Map whose keys come and go keeps
// a trace of each until it is rebuilt, and to find its oldest key it walks over all of them (60 us a new key, measured).

interface Entry<Key, Value> {
  readonly key: Key;
  value: Value;
  newer: Entry<Key, Value> | undefined;
  older: Entry<Key, Value> | undefined;
}

export class LruMap<Key, Value> {
  readonly #entries = new Map<Key, Entry<Key, Value>>();
  readonly #maxSize: number;
  #newest: Entry<Key, Value> | undefined;
  #oldest: Entry<Key, Value> | undefined;

  constructor(maxSize: number) {
    this.#maxSize = maxSize;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Reading counts as use. */
  get(key: Key): Value | undefined {
    if (this.#newest !== undefined && this.#newest.key === key) return this.#newest.value;
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#unlink(entry);
    this.#link(entry);
    return entry.value;
  }

  set(key: Key, value: Value): void {
    const known = this.#entries.get(key);
    if (known !== undefined) {
      known.value = value;
      if (known === this.#newest) return;
      this.#unlink(known);
      return this.#link(known);
    }
    const entry = { key, value, newer: undefined, older: undefined };
    this.#entries.set(key, entry);
    this.#link(entry);
    if (this.#entries.size > this.#maxSize) this.delete(this.#oldest!.key);
  }

  delete(key: Key): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#unlink(entry);
  }

  #link(entry: Entry<Key, Value>): void {
    entry.older = this.#newest;
    entry.newer = undefined;
    if (this.#newest === undefined) this.#oldest = entry;
    else this.#newest.newer = entry;
    this.#newest = entry;
  }

  #unlink(entry: Entry<Key, Value>): void {
    const { newer, older } = entry;
    if (newer === undefined) this.#newest = older;
    else newer.older = older;
    if (older === undefined) this.#oldest = newer;
    else older.newer = newer;
  }
}
