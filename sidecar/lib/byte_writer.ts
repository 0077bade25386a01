// A growing run of bytes to be written in one go.
import { copyBytes, writeLatin1 } from "./bytes.ts";

/** A view keeps its bytes alive, and larger ones go back to a pool: an idle connection must not hold on to them. */
const MAX_VIEWED = 4096;

export class ByteWriter {
  bytes: Uint8Array<ArrayBuffer>;
  length = 0;
  /** The view given last: messages of one connection are often of one length, and a new view costs 0.1 us (measured). */
  #view: Uint8Array<ArrayBuffer> | undefined;
  /** What it is a view of: owners may change `bytes`. */
  #viewed: Uint8Array<ArrayBuffer> | undefined;

  constructor(capacity = 4096) {
    this.bytes = new Uint8Array(capacity);
  }

  /** Makes room for `extra` more bytes. */
  reserve(extra: number): void {
    const needed = this.length + extra;
    if (needed <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.bytes.length * 2));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }

  /** Appends `text`, one byte a code unit. */
  text(text: string): void {
    this.reserve(text.length);
    this.length = writeLatin1(this.bytes, this.length, text);
  }

  /** Appends `source[start, end)`. */
  copy(source: Uint8Array, start = 0, end = source.length): void {
    this.reserve(end - start);
    this.length = copyBytes(this.bytes, this.length, source, start, end);
  }

  crlf(): void {
    this.reserve(2);
    this.bytes[this.length++] = 13;
    this.bytes[this.length++] = 10;
  }

  /** What was appended; valid until the next append or reset. */
  view(): Uint8Array<ArrayBuffer> {
    const { bytes, length } = this;
    if (bytes.length > MAX_VIEWED) return bytes.subarray(0, length);
    if (this.#viewed !== bytes || this.#view?.length !== length) {
      this.#viewed = bytes;
      this.#view = bytes.subarray(0, length);
    }
    return this.#view;
  }

  reset(): void {
    this.length = 0;
  }
}
