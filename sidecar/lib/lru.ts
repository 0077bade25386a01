// A map that forgets what was not used for longest.

export class LruMap<Key, Value> {
  readonly #entries = new Map<Key, Value>();
  readonly #maxSize: number;
  /** The newest entry, which need not be moved to the end: moving it makes V8 rebuild the map every few uses. */
  #newest: { readonly key: Key; readonly value: Value } | undefined;

  constructor(maxSize: number) {
    this.#maxSize = maxSize;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Reading counts as use. */
  get(key: Key): Value | undefined {
    if (this.#newest !== undefined && this.#newest.key === key) return this.#newest.value;
    const value = this.#entries.get(key);
    if (value === undefined) return undefined;
    this.#put(key, value);
    return value;
  }

  set(key: Key, value: Value): void {
    this.#put(key, value);
    if (this.#entries.size <= this.#maxSize) return;
    for (const oldest of this.#entries.keys()) {
      this.delete(oldest);
      return;
    }
  }

  #put(key: Key, value: Value): void {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    this.#newest = { key, value };
  }

  delete(key: Key): void {
    this.#entries.delete(key);
    if (this.#newest?.key === key) this.#newest = undefined;
  }
}
