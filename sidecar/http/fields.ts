// An ordered list of header or trailer fields: the interface both codecs implement, and the plain one made of strings.
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
  /** Every field in order. */
  [Symbol.iterator](): IterableIterator<readonly [name: string, value: string]>;
}

/** Fields as strings: what we make ourselves, and what HTTP/2 decodes to. */
export class FieldList implements Fields {
  /** Name, value, name, value ...; names in lower case. */
  readonly #items: string[] = [];

  static of(fields: Readonly<Record<string, string>>): FieldList {
    const list = new FieldList();
    for (const name in fields) list.append(name, fields[name]!);
    return list;
  }

  get(name: string): string | undefined {
    const items = this.#items;
    for (let i = 0; i < items.length; i += 2) if (items[i] === name) return items[i + 1];
    return undefined;
  }

  all(name: string): string[] {
    const values: string[] = [];
    const items = this.#items;
    for (let i = 0; i < items.length; i += 2) if (items[i] === name) values.push(items[i + 1]!);
    return values;
  }

  has(name: string): boolean {
    return this.get(name) !== undefined;
  }

  set(name: string, value: string): void {
    this.delete(name);
    this.append(name, value);
  }

  append(name: string, value: string): void {
    checkField(name, value);
    this.#items.push(name, value);
  }

  delete(name: string): void {
    const items = this.#items;
    for (let i = items.length - 2; i >= 0; i -= 2) if (items[i] === name) items.splice(i, 2);
  }

  *[Symbol.iterator](): IterableIterator<readonly [string, string]> {
    const items = this.#items;
    for (let i = 0; i < items.length; i += 2) yield [items[i]!, items[i + 1]!];
  }
}
