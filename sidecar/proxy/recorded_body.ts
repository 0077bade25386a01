// A request body on its way to the first attempt, remembered as far as it is short: a second attempt may need all of it.
import type { Body } from "../http/body.ts";
import type { Fields } from "../http/fields.ts";

/** What a call asks is seldom longer; more is an upload, which is not sent twice. */
const MAX_BYTES = 65_536;
const FIRST_BYTES = 1024;

export class RecordedBody implements Body {
  readonly #source: Body;
  /** Null when it became too long. */
  #record: Uint8Array<ArrayBuffer> | null = new Uint8Array();
  #count = 0;
  /** Its end was seen: a body that somebody cancelled has ended too. */
  #isComplete = false;

  constructor(source: Body) {
    this.#source = source;
  }

  /** All that there was, once it was read to its end; valid for good. Undefined where that is not known. */
  recorded(): Uint8Array | undefined {
    if (this.#record === null || !this.#isComplete || this.trailers !== undefined) return undefined;
    return this.#record.subarray(0, this.#count);
  }

  get length(): number | undefined {
    return this.#source.length;
  }

  get isEnded(): boolean {
    return this.#source.isEnded;
  }

  get trailers(): Fields | undefined {
    return this.#source.trailers;
  }

  take(): Uint8Array | null | undefined {
    const bytes = this.#source.take();
    if (bytes) this.#remember(bytes);
    if (bytes !== undefined && this.#source.isEnded) this.#isComplete = true;
    return bytes;
  }

  /** Whoever records asked for the whole before, and there was none yet. */
  whole(): undefined {
    return undefined;
  }

  pull(): Promise<void> {
    return this.#source.pull();
  }

  cancel(): void {
    this.#source.cancel();
  }

  #remember(bytes: Uint8Array): void {
    if (this.#record === null) return;
    const count = this.#count + bytes.length;
    if (count > MAX_BYTES) {
      this.#record = null;
      return;
    }
    if (count > this.#record.length) {
      const longer = new Uint8Array(Math.max(FIRST_BYTES, 2 * this.#record.length, count));
      longer.set(this.#record);
      this.#record = longer;
    }
    this.#record.set(bytes, this.#count);
    this.#count = count;
  }
}
