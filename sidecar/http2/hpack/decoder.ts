// Header blocks to fields (RFC 7541 3, 6), whole blocks only. Whether the fields make a message is not known here.
// Whatever a block holds: time is linear in its bytes, and what is kept is bounded by the limits.
import { Field } from "../../http/field.ts";

import { latin1 } from "../../lib/bytes.ts";
import { BlockCache } from "./block_cache.ts";
import { DEFAULT_TABLE_BYTES, DynamicTable } from "./dynamic_table.ts";
import { HpackError } from "./hpack_error.ts";
import { decodedRoom, huffmanDecode } from "./huffman_decoder.ts";
import { namedAt } from "./name_cache.ts";
import { STATIC_COUNT, STATIC_FIELDS } from "./static_table.ts";

/** What a peer may make us hold. */
export interface HpackLimits {
  /** Our SETTINGS_HEADER_TABLE_SIZE. */
  readonly maxTableBytes: number;
  /** Our SETTINGS_MAX_HEADER_LIST_SIZE, counted as RFC 9113 6.5.2 does. */
  readonly maxListBytes: number;
  /** Pseudo-fields and each crumb of a cookie count too: an index of one byte must not cost us an unbounded list. */
  readonly maxFields: number;
}

/** First octets (RFC 7541 6), largest first. */
const INDEXED = 0x80, WITH_INDEXING = 0x40, SIZE_UPDATE = 0x20, NEVER_INDEXED = 0x10;
const HUFFMAN = 0x80;

/** An integer has at most 4 octets behind its prefix, so it stays below 2^28 + 2^7 (RFC 7541 5.1: set a limit). */
const LAST_SHIFT = 21;

/** A larger one is made for its string only, so that no block makes the process hold it for good. */
const KEPT_SCRATCH = 16_384;
/** Where Huffman strings are unpacked, one at a time and by one decoder after the other. */
const keptScratch = new Uint8Array(KEPT_SCRATCH);

export class HpackDecoder {
  readonly #limits: HpackLimits;
  /** The peer starts from the default size, whatever our SETTINGS say to it later (RFC 7541 4.2). */
  readonly #table = new DynamicTable(DEFAULT_TABLE_BYTES);
  readonly #cache = new BlockCache();
  /** Where the next octet of the block stands. */
  #at = 0;
  /** The fields of the block; null once they are too many. */
  #list: Field[] | null = null;
  #listBytes = 0;
  /** What the last string was: its bytes before or after unpacking. */
  #text: Uint8Array = keptScratch;
  #textStart = 0;
  #textLength = 0;

  constructor(limits: HpackLimits) {
    this.#limits = limits;
  }

  /**
   * Decodes a whole block `bytes[start, end)`. The list is the caller's, pseudo-fields included; null when it is over the
   * limits, and then the next block decodes as if nothing had happened. Throws HpackError; no decoding after that.
   */
  decode(bytes: Uint8Array, start: number, end: number): Field[] | null {
    const before = this.#table.changes;
    const known = this.#cache.get(bytes, start, end, before);
    if (known !== undefined) return known;
    const list = this.#decodeBlock(bytes, start, end);
    if (list !== null && this.#table.changes === before) {
      this.#cache.offer(bytes, start, end, before, list);
    }
    return list;
  }

  #decodeBlock(bytes: Uint8Array, start: number, end: number): Field[] | null {
    this.#at = start;
    this.#list = [];
    this.#listBytes = 0;
    while (this.#at < end && (bytes[this.#at]! & 0xe0) === SIZE_UPDATE) this.#resize(bytes, end);
    while (this.#at < end) {
      const first = bytes[this.#at]!;
      if (first >= INDEXED) this.#keep(this.#fieldAt(this.#integer(bytes, end, 0x7f)));
      else if (first >= WITH_INDEXING) this.#literalToIndex(bytes, end);
      else if (first < SIZE_UPDATE) this.#literal(bytes, end, (first & NEVER_INDEXED) !== 0);
      else throw new HpackError("a table size update behind a field");
    }
    const list = this.#list;
    this.#list = null;
    this.#text = keptScratch;
    return list;
  }

  /** RFC 7541 4.2, 6.3. */
  #resize(bytes: Uint8Array, end: number): void {
    const size = this.#integer(bytes, end, 0x1f);
    if (size > this.#limits.maxTableBytes) throw new HpackError("a table size above our limit");
    this.#table.resize(size);
    while (this.#table.isFull(0)) this.#table.evict();
  }

  /** RFC 7541 2.3.3. */
  #fieldAt(index: number): Field {
    if (index <= STATIC_COUNT) {
      if (index === 0) throw new HpackError("index 0");
      return STATIC_FIELDS[index]!;
    }
    const field = this.#table.newest(index - STATIC_COUNT);
    if (field === undefined) throw new HpackError("an index beyond the table");
    return field;
  }

  #keep(field: Field): void {
    if (this.#admits(field.name.length + field.value.length)) this.#list!.push(field);
  }

  /** Counts a field of that many bytes; false when the list is over its limits, this one included. */
  #admits(length: number): boolean {
    const list = this.#list;
    if (list === null) return false;
    this.#listBytes += length + 32;
    if (this.#listBytes <= this.#limits.maxListBytes && list.length < this.#limits.maxFields) {
      return true;
    }
    this.#list = null;
    return false;
  }

  /** RFC 7541 6.2.1. The entry goes into the table whether or not the list takes it. */
  #literalToIndex(bytes: Uint8Array, end: number): void {
    const index = this.#integer(bytes, end, 0x3f);
    const { name, id } = index === 0 ? this.#named(bytes, end) : this.#fieldAt(index);
    this.#string(bytes, end);
    const length = name.length + this.#textLength;
    const isAdmitted = this.#admits(length);
    const table = this.#table;
    while (table.isFull(length + 32)) table.evict();
    const fits = length + 32 <= table.maxBytes;
    if (!isAdmitted && !fits) return;
    const field = new Field(name, this.#lastText(), false, id);
    if (fits) table.add(field);
    if (isAdmitted) this.#list!.push(field);
  }

  /** RFC 7541 6.2.2, 6.2.3. */
  #literal(bytes: Uint8Array, end: number, isSensitive: boolean): void {
    const index = this.#integer(bytes, end, 0x0f);
    const { name, id } = index === 0 ? this.#named(bytes, end) : this.#fieldAt(index);
    this.#string(bytes, end);
    if (!this.#admits(name.length + this.#textLength)) return;
    this.#list!.push(new Field(name, this.#lastText(), isSensitive, id));
  }

  /** A field of the name that is spelled out here. */
  #named(bytes: Uint8Array, end: number): Field {
    this.#string(bytes, end);
    return namedAt(this.#text, this.#textStart, this.#textStart + this.#textLength);
  }

  #lastText(): string {
    const start = this.#textStart;
    return this.#textLength === 0 ? "" : latin1(this.#text, start, start + this.#textLength);
  }

  /** Steps over a string literal (RFC 7541 5.2); `#lastText` makes a string of it, where one is wanted. */
  #string(bytes: Uint8Array, end: number): void {
    if (this.#at >= end) throw truncated();
    const isHuffman = bytes[this.#at]! >= HUFFMAN;
    const length = this.#integer(bytes, end, 0x7f);
    const start = this.#at;
    if (length > end - start) throw truncated();
    this.#at = start + length;
    if (isHuffman) return this.#unpack(bytes, start, this.#at);
    this.#text = bytes;
    this.#textStart = start;
    this.#textLength = length;
  }

  #unpack(bytes: Uint8Array, start: number, end: number): void {
    const room = decodedRoom(end - start);
    const scratch = room <= KEPT_SCRATCH ? keptScratch : new Uint8Array(room);
    const length = huffmanDecode(bytes, start, end, scratch);
    if (length < 0) throw new HpackError("a Huffman string that holds EOS or ends in no padding");
    this.#text = scratch;
    this.#textStart = 0;
    this.#textLength = length;
  }

  /** The integer at `#at`, whose prefix has the bits of `mask` (RFC 7541 5.1). There is at least one octet. */
  #integer(bytes: Uint8Array, end: number, mask: number): number {
    let value = bytes[this.#at++]! & mask;
    if (value < mask) return value;
    for (let shift = 0; shift <= LAST_SHIFT; shift += 7) {
      if (this.#at >= end) throw truncated();
      const octet = bytes[this.#at++]!;
      value += (octet & 0x7f) << shift;
      if (octet < 0x80) return value;
    }
    throw new HpackError("an integer of more octets than we take");
  }
}

function truncated(): HpackError {
  return new HpackError("a block that ends within a field");
}
