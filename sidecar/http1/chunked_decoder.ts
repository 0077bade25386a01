// The chunked transfer coding, read (RFC 9112 7.1): sizes, bounded extensions, data, trailers.
import { ProxyError } from "../errors.ts";
import type { Fields } from "../http/fields.ts";
import { FIELD_VALUE } from "../http/syntax.ts";
import { HeadParser } from "./head_parser.ts";
import type { Inbox } from "./inbox.ts";
import type { HeadLimits } from "./limits.ts";

const LF = 10, CR = 13, SEMICOLON = 59;

/** Digits of a chunk size: 13 hold 2^52, and no leading zeros are worth more. */
const MAX_SIZE_DIGITS = 13;
/** One chunk's extensions. Nobody uses them but to hide or to waste (CVE-2023-39326). */
const MAX_EXTENSION_BYTES = 1024;
/** Extensions of a whole body may be this much and as much again as its data. */
const MAX_EXTENSION_TOTAL = 16384;

/*
 *  SIZE --digits--> --";"--> EXTENSION --CR--> SIZE_LF --LF--> DATA --size bytes--> DATA_CR -> DATA_LF -> SIZE
 *                                                       '--size 0--> TRAILERS --empty line--> END
 */
type State = "size" | "extension" | "size-lf" | "data" | "data-cr" | "data-lf" | "trailers" | "end";

/** Reads one body out of an inbox. */
export class ChunkedDecoder {
  trailers: Fields | undefined;
  readonly #side: "downstream" | "upstream";
  readonly #limits: HeadLimits;
  #state: State = "size";
  #size = 0;
  #digits = 0;
  #extensionBytes = 0;
  #extensionTotal = 0;
  #dataTotal = 0;
  #trailerParser: HeadParser | undefined;

  constructor(side: "downstream" | "upstream", limits: HeadLimits) {
    this.#side = side;
    this.#limits = limits;
  }

  /** The next run of data; undefined when more bytes are needed; null behind the trailers. Throws on bad coding. */
  take(inbox: Inbox): Uint8Array | null | undefined {
    while (this.#state !== "data") {
      if (this.#state === "end") return null;
      if (this.#state === "trailers") {
        if (!this.#readTrailers(inbox)) return undefined;
      } else {
        if (inbox.start === inbox.end) return undefined;
        this.#step(inbox.bytes[inbox.start++]!);
      }
    }
    const count = Math.min(this.#size, inbox.available);
    if (count === 0) return undefined;
    const data = inbox.bytes.subarray(inbox.start, inbox.start + count);
    inbox.start += count;
    this.#dataTotal += count;
    this.#size -= count;
    if (this.#size === 0) this.#state = "data-cr";
    return data;
  }

  /** Bytes known to be still to come: what is left of the chunk under way. */
  get expected(): number {
    return this.#size;
  }

  #step(byte: number): void {
    switch (this.#state) {
      case "size":
        return this.#readSize(byte);
      case "extension":
        if (byte === CR) this.#state = "size-lf";
        else if (FIELD_VALUE[byte] === 0) this.#fail("a control character in a chunk extension");
        else this.#countExtension();
        return;
      case "size-lf":
        if (byte !== LF) this.#fail("a chunk size line that does not end in CRLF");
        this.#state = this.#size === 0 ? "trailers" : "data";
        this.#digits = this.#extensionBytes = 0;
        return;
      case "data-cr":
        if (byte !== CR) this.#fail("chunk data longer than its size");
        this.#state = "data-lf";
        return;
      default:
        if (byte !== LF) this.#fail("chunk data that does not end in CRLF");
        this.#state = "size";
    }
  }

  #readSize(byte: number): void {
    const digit = hexDigit(byte);
    if (digit >= 0) {
      if (++this.#digits > MAX_SIZE_DIGITS) this.#fail("a chunk size that is too large");
      this.#size = this.#size * 16 + digit;
      return;
    }
    if (this.#digits === 0) this.#fail("a chunk without a size");
    if (byte === CR) this.#state = "size-lf";
    else if (byte === SEMICOLON) this.#state = "extension";
    else this.#fail("a chunk size that is no hexadecimal number");
  }

  #countExtension(): void {
    this.#extensionTotal++;
    if (++this.#extensionBytes > MAX_EXTENSION_BYTES) {
      this.#fail("a chunk extension that is too long");
    }
    if (this.#extensionTotal > MAX_EXTENSION_TOTAL + this.#dataTotal) {
      this.#fail("more chunk extensions than data");
    }
  }

  #readTrailers(inbox: Inbox): boolean {
    this.#trailerParser ??= new HeadParser("trailers", this.#side, this.#limits);
    const parser = this.#trailerParser;
    if (!parser.parse(inbox.bytes, inbox.start, inbox.end)) return false;
    if (parser.fields.count > 0) {
      // The inbox may move on before the trailers are written: they keep bytes of their own.
      const bytes = inbox.bytes.slice(inbox.start, inbox.start + parser.position);
      parser.fields.complete(bytes, 0, parser.position - 2);
      this.trailers = parser.fields;
    }
    inbox.start += parser.position;
    this.#state = "end";
    return true;
  }

  #fail(message: string): never {
    throw new ProxyError(this.#side === "upstream" ? "upstream-protocol" : "bad-request", message, {
      side: this.#side,
    });
  }
}

function hexDigit(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48;
  const letter = byte | 32;
  return letter >= 97 && letter <= 102 ? letter - 87 : -1;
}
