// An ordered list of header or trailer fields: the interface both codecs implement, and the plain one made of Field
// objects: what we make ourselves, and what HTTP/2 decodes to.
import { Field } from "./field.ts";
import { fieldId, type NameSet } from "./field_names.ts";
import { checkField } from "./syntax.ts";

/**
 * Names given are in lower case; names that come out may be in any case (HTTP/1.1 keeps what came).
 * Values are strings of code units 0 to 255. Nothing hop-by-hop is ever in a list: the codecs take that out.
 */
export interface Fields {
  /** The value of the first field of that name. */
  get(name: string): string | undefined;
  /** The values of every field of that name, in order. */
  all(name: string): string[];
  has(name: string): boolean;
  /** Replaces every field of that name by this one. Throws ProxyError `internal` on a value that could split a head. */
  set(name: string, value: string): void;
  /** Adds a field behind the others. Throws as `set`. */
  append(name: string, value: string): void;
  delete(name: string): void;
  /** As `delete` of each; nearly free where there is nothing to delete. */
  deleteAll(names: NameSet): void;
  /** Every field in order. */
  [Symbol.iterator](): IterableIterator<readonly [name: string, value: string]>;
}

/**
 * The field made last of each known name: most of what we add says the same from message to message, and a field that is
 * the same object is found by the encoder at once.
 */
const LATEST: (Field | undefined)[] = [];
/** Longer values are not kept. */
const MAX_KEPT = 128;

function fieldOf(name: string, value: string, id: number): Field {
  const latest = LATEST[id];
  if (id !== 0 && latest?.value === value) return latest;
  checkField(name, value, id);
  const field = new Field(name, value, false, id);
  if (id !== 0 && value.length <= MAX_KEPT) LATEST[id] = field;
  return field;
}

export class FieldList implements Fields {
  readonly #items: Field[];
  /** A bit for the id of each name that is or was here (NameSet has the same); what has none is certainly not here. */
  #seen = 0;

  /** Takes `items` over. They are not checked again: the codec that decoded them did. */
  constructor(items: Field[] = []) {
    this.#items = items;
    for (let i = 0; i < items.length; i++) this.#seen |= 1 << items[i]!.id;
  }

  static of(fields: Readonly<Record<string, string>>): FieldList {
    const list = new FieldList();
    for (const name in fields) list.append(name, fields[name]!);
    return list;
  }

  /** The fields themselves, for a codec that knows them by identity. */
  get items(): readonly Field[] {
    return this.#items;
  }

  get(name: string): string | undefined {
    const index = this.#find(name, fieldId(name), 0);
    return index < 0 ? undefined : this.#items[index]!.value;
  }

  all(name: string): string[] {
    const values: string[] = [];
    const id = fieldId(name);
    for (let i = this.#find(name, id, 0); i >= 0; i = this.#find(name, id, i + 1)) {
      values.push(this.#items[i]!.value);
    }
    return values;
  }

  has(name: string): boolean {
    return this.#find(name, fieldId(name), 0) >= 0;
  }

  set(name: string, value: string): void {
    const id = fieldId(name);
    const field = fieldOf(name, value, id);
    this.#delete(name, id);
    this.#push(field);
  }

  append(name: string, value: string): void {
    this.#push(fieldOf(name, value, fieldId(name)));
  }

  #push(field: Field): void {
    this.#items.push(field);
    this.#seen |= 1 << field.id;
  }

  delete(name: string): void {
    this.#delete(name, fieldId(name));
  }

  deleteAll({ names, ids, bits }: NameSet): void {
    if ((this.#seen & bits) === 0) return;
    for (let i = 0; i < names.length; i++) this.#delete(names[i]!, ids[i]!);
  }

  *[Symbol.iterator](): IterableIterator<readonly [string, string]> {
    for (const field of this.#items) yield [field.name, field.value];
  }

  /** A known name is compared by its number, any other by its text. */
  #find(name: string, id: number, from: number): number {
    if ((this.#seen >>> id & 1) === 0) return -1;
    const items = this.#items;
    if (id !== 0) {
      for (let i = from; i < items.length; i++) if (items[i]!.id === id) return i;
      return -1;
    }
    for (let i = from; i < items.length; i++) if (items[i]!.name === name) return i;
    return -1;
  }

  #delete(name: string, id: number): void {
    const items = this.#items;
    let kept = this.#find(name, id, 0);
    if (kept < 0) return;
    for (let i = kept + 1; i < items.length; i++) {
      const field = items[i]!;
      const isGone = id !== 0 ? field.id === id : field.name === name;
      if (!isGone) items[kept++] = field;
    }
    items.length = kept;
  }
}
