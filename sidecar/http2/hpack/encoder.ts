// Fields to header blocks (RFC 7541 6). A field that repeats costs one lookup by identity and one or two bytes.
import type { Field } from "../../http/field.ts";
import type { ByteWriter } from "../../lib/byte_writer.ts";
import { DEFAULT_TABLE_BYTES } from "./dynamic_table.ts";
import { EncoderTable } from "./encoder_table.ts";
import { huffmanEncode, huffmanLength, SPILL } from "./huffman_encoder.ts";
import { type Indexing, indexingOf, traitsOf } from "./indexing.ts";
import { Sightings } from "./sightings.ts";
import { STATIC_FIELDS } from "./static_table.ts";

/** First octets (RFC 7541 6). */
const INDEXED = 0x80, WITH_INDEXING = 0x40, SIZE_UPDATE = 0x20, NEVER_INDEXED = 0x10;
const WITHOUT_INDEXING = 0x00, HUFFMAN = 0x80;

/** What the longest integer takes: a first octet and 32 bits in sevens. */
const INTEGER_ROOM = 6;

/** An entry may fill a quarter of the table at most: larger ones would empty it for the sake of one field. */
const TABLE_SHARE = 4;

export class HpackEncoder {
  readonly #table = new EncoderTable();
  readonly #sightings = new Sightings();
  readonly #cap: number;
  /** What the table is to be, and the least it had to be since the last block (RFC 7541 4.2). */
  #wanted: number;
  #least: number;

  /** `maxTableBytes` is our own cap: the peer may allow more, we do not hold it. */
  constructor(maxTableBytes = DEFAULT_TABLE_BYTES) {
    this.#cap = maxTableBytes;
    this.#wanted = this.#least = Math.min(DEFAULT_TABLE_BYTES, maxTableBytes);
  }

  /** The peer's SETTINGS_HEADER_TABLE_SIZE; holds from the next block on. */
  setMaxTableSize(bytes: number): void {
    this.#wanted = Math.min(bytes, this.#cap);
    this.#least = Math.min(this.#least, this.#wanted);
  }

  /** First thing of every block. */
  begin(out: ByteWriter): void {
    if (this.#least < this.#table.maxBytes) this.#resize(out, this.#least);
    if (this.#wanted !== this.#table.maxBytes) this.#resize(out, this.#wanted);
    this.#least = this.#wanted;
  }

  #resize(out: ByteWriter, bytes: number): void {
    this.#table.resize(bytes);
    out.reserve(INTEGER_ROOM);
    writeInteger(out, SIZE_UPDATE, 0x1f, bytes);
  }

  encode(out: ByteWriter, field: Field): void {
    out.reserve(INTEGER_ROOM);
    if (field.staticIndex !== 0) {
      out.bytes[out.length++] = INDEXED | field.staticIndex;
      return;
    }
    const index = this.#table.indexOf(field);
    if (index !== 0) writeInteger(out, INDEXED, 0x7f, index);
    else this.#encodeText(out, field);
  }

  /** A field that came as another object before, or never. */
  #encodeText(out: ByteWriter, field: Field): void {
    const traits = traitsOf(field);
    const staticName = traits.staticIndex;
    const indexing = indexingOf(field, traits);
    if (indexing === "never") return this.#writeLiteral(out, NEVER_INDEXED, staticName, field);
    const index = staticIndexOfText(staticName, field) ||
      this.#table.indexOfText(field);
    if (index !== 0) return writeInteger(out, INDEXED, 0x7f, index);
    if (this.#isWorthAnEntry(indexing, staticName, field)) this.#writeEntry(out, staticName, field);
    else this.#writeLiteral(out, WITHOUT_INDEXING, staticName, field);
  }

  #isWorthAnEntry(indexing: Indexing, staticName: number, field: Field): boolean {
    if (field.size * TABLE_SHARE > this.#table.maxBytes) return false;
    if (indexing === "field") return this.#sightings.isSecond(field);
    return staticName === 0 && this.#table.indexOfName(field.name) === 0;
  }

  /** Written once for many times, so as short as it can be. */
  #writeEntry(out: ByteWriter, staticName: number, field: Field): void {
    const nameIndex = staticName || this.#table.indexOfName(field.name);
    writeInteger(out, WITH_INDEXING, 0x3f, nameIndex);
    if (nameIndex === 0) writeShortest(out, field.name);
    writeShortest(out, field.value);
    this.#table.add(field);
  }

  /**
   * What is in no table goes as it is. Huffman code would save a quarter of its bytes and cost more time than everything
   * else here (55 bytes of traceparent: 0.18 us to write; in Huffman code 0.5, and 0.15 more to read; measured).
   */
  #writeLiteral(out: ByteWriter, first: number, staticName: number, field: Field): void {
    const nameIndex = staticName || this.#table.indexOfName(field.name);
    writeInteger(out, first, 0x0f, nameIndex);
    if (nameIndex === 0) writeRaw(out, field.name);
    writeRaw(out, field.value);
  }
}

/** The static entries of one name stand together. */
function staticIndexOfText(first: number, field: Field): number {
  if (first === 0) return 0;
  for (let index = first; STATIC_FIELDS[index]?.name === field.name; index++) {
    if (STATIC_FIELDS[index]!.value === field.value) return index;
  }
  return 0;
}

function writeRaw(out: ByteWriter, text: string): void {
  out.reserve(INTEGER_ROOM);
  writeInteger(out, 0, 0x7f, text.length);
  out.text(text);
}

/** RFC 7541 5.2: in Huffman code where that is shorter. */
function writeShortest(out: ByteWriter, text: string): void {
  const length = huffmanLength(text);
  if (length >= text.length) return writeRaw(out, text);
  out.reserve(INTEGER_ROOM + length + SPILL);
  writeInteger(out, HUFFMAN, 0x7f, length);
  out.length = huffmanEncode(out.bytes, out.length, text);
}

/** RFC 7541 5.1; `mask` has the bits of the prefix. The caller made room. */
function writeInteger(out: ByteWriter, first: number, mask: number, value: number): void {
  const bytes = out.bytes;
  if (value < mask) {
    bytes[out.length++] = first | value;
    return;
  }
  bytes[out.length++] = first | mask;
  for (value -= mask; value >= 0x80; value >>>= 7) bytes[out.length++] = value & 0x7f | 0x80;
  bytes[out.length++] = value;
}
