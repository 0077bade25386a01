// The encoder's dynamic table and the ways to find an entry in it: by the Field itself, by its text, by its name.
import type { Field } from "../../http/field.ts";
import { DEFAULT_TABLE_BYTES, DynamicTable } from "./dynamic_table.ts";
import { STATIC_COUNT } from "./static_table.ts";

/** How many entries of one name are looked at for a value: a name with more of them does not repeat its values. */
const MAX_LOOKS = 16;

interface Entry {
  readonly field: Field;
  readonly number: number;
  /** The entries of the same name, before and after this one; null behind the last. */
  older: Entry | null;
  newer: Entry | null;
}

let tables = 0;

export class EncoderTable {
  /** Tells its notes on fields from those of other tables. */
  readonly #id = ++tables;
  readonly #table = new DynamicTable(DEFAULT_TABLE_BYTES);
  readonly #byField = new Map<Field, Entry>();
  /** The newest entry of each name. */
  readonly #byName = new Map<string, Entry>();

  get maxBytes(): number {
    return this.#table.maxBytes;
  }

  /** The index of this very object, 0 when it is not in the table. */
  indexOf(field: Field): number {
    if (field.tableId === this.#id) {
      const back = this.#table.backOf(field.tableEntry);
      return back <= this.#table.length ? STATIC_COUNT + back : 0;
    }
    // Nobody's note: it is new.
    if (field.tableId === 0) return 0;
    const entry = this.#byField.get(field);
    if (entry === undefined) return 0;
    this.#note(field, entry);
    return this.#indexOf(entry);
  }

  #note(field: Field, entry: Entry): void {
    field.tableId = this.#id;
    field.tableEntry = entry.number;
  }

  /**
   * The index of an entry with this field's name and value, 0 when there is none. The same text comes as one object from each
   * connection that sends it: the next time this one is known.
   */
  indexOfText(field: Field): number {
    const { name, value } = field;
    let entry: Entry | null = this.#byName.get(name) ?? null;
    for (let looks = 0; entry !== null && looks < MAX_LOOKS; looks++, entry = entry.older) {
      if (entry.field.value !== value) continue;
      this.#note(field, entry);
      return this.#indexOf(entry);
    }
    return 0;
  }

  /** The index of the newest entry with this name, 0 when there is none. */
  indexOfName(name: string): number {
    const entry = this.#byName.get(name);
    return entry === undefined ? 0 : this.#indexOf(entry);
  }

  #indexOf(entry: Entry): number {
    return STATIC_COUNT + this.#table.backOf(entry.number);
  }

  resize(maxBytes: number): void {
    this.#table.resize(maxBytes);
    while (this.#table.isFull(0)) this.#evict();
  }

  /** Adds a field that is not in the table and not larger than it. */
  add(field: Field): void {
    const table = this.#table;
    while (table.isFull(field.size)) this.#evict();
    const older = this.#byName.get(field.name) ?? null;
    const entry: Entry = { field, number: table.added, older, newer: null };
    if (older !== null) older.newer = entry;
    this.#byField.set(field, entry);
    this.#byName.set(field.name, entry);
    this.#note(field, entry);
    table.add(field);
  }

  /** The oldest entry of the table is also the oldest of its name. */
  #evict(): void {
    const field = this.#table.evict();
    const { newer } = this.#byField.get(field)!;
    this.#byField.delete(field);
    if (newer === null) this.#byName.delete(field.name);
    else newer.older = null;
  }
}
