// A stream of JSON values, cut apart without parsing them: one a line (NDJSON), or the items of one array.
// Strings and brackets are followed only as far as it takes to find the ends; what is between them is JSON.parse's to judge.
import { ProxyError } from "../../errors.ts";
import { copyBytes } from "../../lib/bytes.ts";

const NEWLINE = 10, QUOTE = 34, COMMA = 44, BACKSLASH = 92;
const OPEN_LIST = 91, CLOSE_LIST = 93, OPEN_OBJECT = 123, CLOSE_OBJECT = 125;

const FIRST_ROOM = 1024;

/** Goes `feed`, then `next` until it returns undefined, and again; `end` at the end. */
export class JsonSplitter {
  readonly #maxBytes: number;
  /** `unknown` until the first byte tells; `after` = the array was closed. */
  #state: "unknown" | "lines" | "array" | "after";
  #chunk: Uint8Array = new Uint8Array();
  #at = 0;
  #item = new Uint8Array(FIRST_ROOM);
  #length = 0;
  /** Open brackets, the array's own not counted. */
  #depth = 0;
  #isInString = false;
  #isEscaped = false;
  #items = 0;

  /** `mode`: `lines` where the media type says so; `detect` takes an opening bracket for an array. */
  constructor(mode: "lines" | "detect", maxBytes: number) {
    this.#state = mode === "lines" ? "lines" : "unknown";
    this.#maxBytes = maxBytes;
  }

  feed(chunk: Uint8Array): void {
    this.#chunk = chunk;
    this.#at = 0;
  }

  /** The bytes of the next value, valid until the next call; undefined when it needs more. */
  next(): Uint8Array | undefined {
    if (this.#state === "unknown") this.#detect();
    while (this.#at < this.#chunk.length) {
      const start = this.#at;
      const isEnd = this.#scan();
      this.#append(start, isEnd ? this.#at - 1 : this.#at);
      if (!isEnd) return undefined;
      const item = this.#finish(this.#chunk[this.#at - 1]!);
      if (item !== undefined) return item;
    }
    return undefined;
  }

  /** The last value, where nothing but the end says that it is whole. Throws where the stream was cut within. */
  end(): Uint8Array | undefined {
    if (this.#state === "array") throw badRequest("the array of messages has no end");
    return this.#isBlank() ? undefined : this.#item.subarray(0, this.#length);
  }

  #detect(): void {
    while (this.#at < this.#chunk.length && isSpace(this.#chunk[this.#at]!)) this.#at++;
    if (this.#at === this.#chunk.length) return;
    const isArray = this.#chunk[this.#at] === OPEN_LIST;
    if (isArray) this.#at++;
    this.#state = isArray ? "array" : "lines";
  }

  /** Up to behind the byte that ends a value, or to the end of the chunk; whether there was one. */
  #scan(): boolean {
    const chunk = this.#chunk;
    while (this.#at < chunk.length) {
      const byte = chunk[this.#at++]!;
      if (this.#isInString) this.#stepInString(byte);
      else if (byte === QUOTE) this.#isInString = true;
      else if (this.#isEnd(byte)) return true;
      else if (byte === OPEN_LIST || byte === OPEN_OBJECT) this.#depth++;
      else if (byte === CLOSE_LIST || byte === CLOSE_OBJECT) this.#depth--;
    }
    return false;
  }

  #stepInString(byte: number): void {
    if (this.#isEscaped) this.#isEscaped = false;
    else if (byte === BACKSLASH) this.#isEscaped = true;
    else if (byte === QUOTE) this.#isInString = false;
  }

  #isEnd(byte: number): boolean {
    if (this.#depth > 0) return false;
    if (this.#state === "array") return byte === COMMA || byte === CLOSE_LIST;
    return byte === NEWLINE;
  }

  #append(start: number, end: number): void {
    const wanted = this.#length + end - start;
    if (wanted > this.#maxBytes) {
      const text = `a message of more than ${this.#maxBytes} bytes`;
      throw new ProxyError("payload-too-large", text, { side: "downstream" });
    }
    if (wanted > this.#item.length) {
      const grown = new Uint8Array(Math.max(wanted, this.#item.length * 2));
      grown.set(this.#item.subarray(0, this.#length));
      this.#item = grown;
    }
    copyBytes(this.#item, this.#length, this.#chunk, start, end);
    this.#length = wanted;
  }

  /** The value that `terminator` ended; undefined for a blank line, an empty array, or what may stand behind an array. */
  #finish(terminator: number): Uint8Array | undefined {
    const isBlank = this.#isBlank();
    const item = this.#item.subarray(0, this.#length);
    this.#length = 0;
    this.#depth = 0;
    if (this.#state === "after" && !isBlank) throw badRequest("bytes behind the array of messages");
    if (this.#state === "array") {
      if (isBlank && (terminator === COMMA || this.#items > 0)) {
        throw badRequest("a comma without a message in the array");
      }
      if (terminator === CLOSE_LIST) this.#state = "after";
    }
    if (isBlank) return undefined;
    this.#items++;
    return item;
  }

  #isBlank(): boolean {
    for (let i = 0; i < this.#length; i++) if (!isSpace(this.#item[i]!)) return false;
    return true;
  }
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

function badRequest(message: string): ProxyError {
  return new ProxyError("bad-request", message, { side: "downstream" });
}
