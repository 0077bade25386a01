// The fields of a head as offsets into the bytes that came: read only where somebody asks, forwarded as they are.
import { latin1 } from "../lib/bytes.ts";
import type { ByteWriter } from "../lib/byte_writer.ts";
import { fieldId, knownId, nameEquals, type NameSet } from "../http/field_names.ts";
import type { Fields } from "../http/fields.ts";
import { prepareFieldLine, writeFieldLine } from "./field_lines.ts";
import { contentLengthAt } from "./framing.ts";

const CONTENT_LENGTH = knownId("content-length");

/** Offsets per field: where its name starts and ends, where its value starts and ends. */
const STRIDE = 4;
const NAME_START = 0, NAME_END = 1, VALUE_START = 2, VALUE_END = 3;

/**
 * Filled by HeadParser, then used by one exchange, then filled again for the next one on that connection.
 * The connection keeps `bytes` untouched until then.
 */
export class RawFields implements Fields {
  bytes: Uint8Array = new Uint8Array();
  /** Where the head begins in `bytes`; offsets count from here, so that a partial head may move. */
  base = 0;
  count = 0;
  #offsets = new Uint32Array(16 * STRIDE);
  #ids = new Uint8Array(16);
  #dropped = new Uint8Array(16);
  /** A bit for each id that came (a few ids share one): most lookups are for what is not there. */
  #seen = 0;
  /** Offset of the empty line behind the last field. */
  #end = 0;
  /** Fields added on the way through: name, value, name, value ... */
  #added: string[] = [];
  /** A bit for each id ever added, as in `#seen`. */
  #addedSeen = 0;

  clear(): void {
    this.count = 0;
    this.#seen = this.#addedSeen = 0;
    if (this.#added.length > 0) this.#added = [];
  }

  /** Called by the parser for each field; offsets count from the head's start. */
  push(id: number, nameStart: number, nameEnd: number, valueStart: number, valueEnd: number): void {
    const index = this.count++;
    if (index === this.#ids.length) this.#grow();
    const at = index * STRIDE;
    this.#offsets[at] = nameStart;
    this.#offsets[at + NAME_END] = nameEnd;
    this.#offsets[at + VALUE_START] = valueStart;
    this.#offsets[at + VALUE_END] = valueEnd;
    this.#ids[index] = id;
    this.#dropped[index] = 0;
    this.#seen |= 1 << id;
  }

  #grow(): void {
    const size = this.#ids.length * 2;
    const [offsets, ids, dropped] = [this.#offsets, this.#ids, this.#dropped];
    this.#offsets = new Uint32Array(size * STRIDE);
    this.#offsets.set(offsets);
    this.#ids = new Uint8Array(size);
    this.#ids.set(ids);
    this.#dropped = new Uint8Array(size);
    this.#dropped.set(dropped);
  }

  /** Called by the parser when the head is whole. */
  complete(bytes: Uint8Array, base: number, end: number): void {
    this.bytes = bytes;
    this.base = base;
    this.#end = end;
  }

  /** The known id of field `index`; 0 for others. */
  idAt(index: number): number {
    return this.#ids[index]!;
  }

  /** False for what certainly did not come; true may be a mistake. */
  mayHave(id: number): boolean {
    return (this.#seen >>> id & 1) === 1;
  }

  drop(index: number): void {
    this.#dropped[index] = 1;
  }

  nameAt(index: number): string {
    const at = index * STRIDE;
    return latin1(
      this.bytes,
      this.base + this.#offsets[at]!,
      this.base + this.#offsets[at + NAME_END]!,
    );
  }

  valueAt(index: number): string {
    const at = index * STRIDE;
    const start = this.base + this.#offsets[at + VALUE_START]!;
    return latin1(this.bytes, start, this.base + this.#offsets[at + VALUE_END]!);
  }

  /** Whether the value of field `index` is the first `length` bytes of `wanted`. */
  isValueAt(index: number, wanted: Uint8Array, length: number): boolean {
    const at = index * STRIDE;
    const start = this.base + this.#offsets[at + VALUE_START]!;
    if (this.base + this.#offsets[at + VALUE_END]! - start !== length) return false;
    for (let i = 0; i < length; i++) if (this.bytes[start + i] !== wanted[i]) return false;
    return true;
  }

  /** The value of field `index` as a Content-Length; undefined when it is none. */
  lengthAt(index: number): number | undefined {
    const at = index * STRIDE;
    const start = this.base + this.#offsets[at + VALUE_START]!;
    return contentLengthAt(this.bytes, start, this.base + this.#offsets[at + VALUE_END]!);
  }

  /** Whether what will be written says `length` in exactly one Content-Length. */
  saysLength(length: number): boolean {
    const index = this.#find("content-length", CONTENT_LENGTH, 0);
    if (index < 0 || this.lengthAt(index) !== length) return false;
    return this.#find("content-length", CONTENT_LENGTH, index + 1) < 0 &&
      (this.#added.length === 0 || !this.#added.includes("content-length"));
  }

  #find(name: string, id: number, from: number): number {
    if (!this.mayHave(id)) return -1;
    for (let index = from; index < this.count; index++) {
      if (this.#dropped[index] === 0 && this.#isNamed(index, name, id)) return index;
    }
    return -1;
  }

  #findAdded(name: string, id: number): number {
    if ((this.#addedSeen >>> id & 1) === 0) return -1;
    const added = this.#added;
    for (let i = 0; i < added.length; i += 2) if (added[i] === name) return i;
    return -1;
  }

  #isNamed(index: number, name: string, id: number): boolean {
    if (id !== 0) return this.#ids[index] === id;
    const at = index * STRIDE;
    const start = this.base + this.#offsets[at + NAME_START]!;
    return nameEquals(this.bytes, start, this.base + this.#offsets[at + NAME_END]!, name);
  }

  get(name: string): string | undefined {
    const id = fieldId(name);
    const index = this.#find(name, id, 0);
    if (index >= 0) return this.valueAt(index);
    const at = this.#findAdded(name, id);
    return at < 0 ? undefined : this.#added[at + 1];
  }

  all(name: string): string[] {
    const values: string[] = [];
    const id = fieldId(name);
    for (let i = this.#find(name, id, 0); i >= 0; i = this.#find(name, id, i + 1)) {
      values.push(this.valueAt(i));
    }
    const added = this.#added;
    for (let i = 0; i < added.length; i += 2) if (added[i] === name) values.push(added[i + 1]!);
    return values;
  }

  has(name: string): boolean {
    const id = fieldId(name);
    return this.#find(name, id, 0) >= 0 || this.#findAdded(name, id) >= 0;
  }

  set(name: string, value: string): void {
    const id = fieldId(name);
    this.#delete(name, id);
    this.#append(name, value, id);
  }

  append(name: string, value: string): void {
    this.#append(name, value, fieldId(name));
  }

  #append(name: string, value: string, id: number): void {
    prepareFieldLine(id, name, value);
    this.#added.push(name, value);
    this.#addedSeen |= 1 << id;
  }

  delete(name: string): void {
    this.#delete(name, fieldId(name));
  }

  deleteAll({ names, ids, bits }: NameSet): void {
    const seen = this.#seen | this.#addedSeen;
    if ((seen & bits) === 0) return;
    for (let i = 0; i < names.length; i++) {
      if ((seen >>> ids[i]! & 1) === 1) this.#delete(names[i]!, ids[i]!);
    }
  }

  #delete(name: string, id: number): void {
    for (let i = this.#find(name, id, 0); i >= 0; i = this.#find(name, id, i + 1)) {
      this.#dropped[i] = 1;
    }
    for (let at = this.#findAdded(name, id); at >= 0; at = this.#findAdded(name, id)) {
      this.#added.splice(at, 2);
    }
  }

  *[Symbol.iterator](): IterableIterator<readonly [string, string]> {
    for (let index = 0; index < this.count; index++) {
      if (this.#dropped[index] === 0) yield [this.nameAt(index), this.valueAt(index)];
    }
    for (let i = 0; i < this.#added.length; i += 2) yield [this.#added[i]!, this.#added[i + 1]!];
  }

  /** Writes the field lines: what stayed as runs of the bytes that came, then what was added. */
  writeTo(out: ByteWriter): void {
    const { base, bytes, count } = this;
    let runStart = -1;
    for (let index = 0; index < count; index++) {
      if (this.#dropped[index] === 0) {
        if (runStart < 0) runStart = this.#offsets[index * STRIDE]!;
      } else if (runStart >= 0) {
        out.copy(bytes, base + runStart, base + this.#offsets[index * STRIDE]!);
        runStart = -1;
      }
    }
    if (runStart >= 0) out.copy(bytes, base + runStart, base + this.#end);
    const added = this.#added;
    for (let i = 0; i < added.length; i += 2) {
      const name = added[i]!;
      writeFieldLine(out, fieldId(name), name, added[i + 1]!);
    }
  }
}
