// Bytes to the head of a message (RFC 9112 2 to 5): one pass over each byte, resumable at every byte.
// Knows where things begin and end and which bytes may stand there; what they mean is for request_head and response_head.
import { type ErrorKind, ProxyError } from "../errors.ts";
import { fieldIdAt } from "../http/field_names.ts";
import { FIELD_VALUE, TARGET, TOKEN } from "../http/syntax.ts";
import type { HeadLimits } from "./limits.ts";
import { RawFields } from "./raw_fields.ts";

/** Of a buffer as an idle connection keeps it. */
const MAX_KEPT_WORDS = 1024;
const NO_WORDS = new Int32Array();

const HTAB = 9, LF = 10, CR = 13, SP = 32, COLON = 58;

/*
 *  START --CR--> START_LF --LF--> FIELD --token--> NAME --":"--> SPACE --any--> VALUE --CR--> VALUE_LF --LF--> FIELD
 *                                   '--CR--> END_LF --LF--> done
 */
const BLANK_LF = 0,
  START = 1,
  START_LF = 2,
  FIELD = 3,
  NAME = 4,
  SPACE = 5,
  VALUE = 6,
  VALUE_LF = 7,
  END_LF = 8;

/** What a parser reads. Trailers are fields without a start line. */
export type HeadKind = "request" | "response" | "trailers";

/**
 * Reads one head after another. Offsets count from the byte where the head was begun, which the caller keeps at
 * `start` until the head is whole; the bytes themselves may move in between.
 */
export class HeadParser {
  readonly fields: RawFields = new RawFields();
  readonly #kind: HeadKind;
  readonly #side: "downstream" | "upstream";
  readonly #limits: HeadLimits;
  #phase: number;
  #position = 0;
  #nameStart = 0;
  #nameEnd = 0;
  #valueStart = 0;
  #valueEnd = 0;
  #fieldId = 0;
  /** The bytes that came last, four at a time; made anew only when the connection changes its buffer. */
  #words: Int32Array = NO_WORDS;
  /** The start line: its begin, its first two spaces (0: not there) and its end. */
  lineStart = 0;
  firstSpace = 0;
  secondSpace = 0;
  lineEnd = 0;

  /** `side` is who sends the bytes, and so whose fault a bad one is. */
  constructor(kind: HeadKind, side: "downstream" | "upstream", limits: HeadLimits) {
    this.#kind = kind;
    this.#side = side;
    this.#limits = limits;
    this.#phase = kind === "trailers" ? FIELD : START;
  }

  /** Bytes read of the head under way; 0 between heads. */
  get position(): number {
    return this.#position;
  }

  /** Forgets a head, whole or partial. */
  reset(): void {
    this.#phase = this.#kind === "trailers" ? FIELD : START;
    this.#position = 0;
    this.lineStart =
      this.firstSpace =
      this.secondSpace =
      this.lineEnd =
        0;
    // A large buffer goes back to its pool, or to the collector, when its head is done with.
    if (this.#words.length > MAX_KEPT_WORDS) this.#words = NO_WORDS;
    this.fields.clear();
  }

  /**
   * Reads on; true when the head is whole, `position` bytes long. False: more bytes are needed.
   * Throws ProxyError when the bytes can never become a head.
   */
  parse(bytes: Uint8Array, start: number, end: number): boolean {
    const { headBytes } = this.#limits;
    const stop = Math.min(end, start + headBytes);
    if (this.#phase <= START_LF && !this.#parseStartLine(bytes, start, stop)) {
      this.#checkRoom(end - start);
      return false;
    }
    if (this.#phase === FIELD) this.#parseLines(bytes, start, stop);
    if (!this.#parseFields(bytes, start, stop)) {
      this.#checkRoom(end - start);
      return false;
    }
    this.fields.complete(bytes, start, this.#position - 2);
    return true;
  }

  /** The head is not whole: is there any room left in which it could become so? */
  #checkRoom(available: number): void {
    if (this.#phase <= START_LF) {
      this.#checkLine(this.#phase === START_LF ? this.lineEnd : this.#position);
    }
    if (available >= this.#limits.headBytes) {
      this.#fail(`the head is longer than ${this.#limits.headBytes} bytes`, "headers-too-large");
    }
  }

  /** A request line that reaches to `end`, CRLF not counted. Asked before any other error, so that cuts change nothing. */
  #checkLine(end: number): void {
    const { requestLineBytes } = this.#limits;
    if (this.#kind === "request" && end - this.lineStart > requestLineBytes) {
      this.#fail(`the request line is longer than ${requestLineBytes} bytes`, "uri-too-long");
    }
  }

  #parseStartLine(bytes: Uint8Array, start: number, end: number): boolean {
    let i = start + this.#position;
    const isRequest = this.#kind === "request";
    while (i < end) {
      if (this.#phase === START) {
        const plain = isRequest || this.secondSpace === 0 ? TARGET : FIELD_VALUE;
        while (i < end && plain[bytes[i]!] === 1) i++;
        if (i === end) break;
        const byte = bytes[i]!;
        if (byte === CR) {
          // One empty line before a request is skipped (RFC 9112 2.2).
          const isBlank = isRequest && i === start;
          this.#phase = isBlank ? BLANK_LF : START_LF;
          this.lineEnd = i - start;
        } else if (byte === SP && (isRequest || this.secondSpace === 0)) this.#space(i - start);
        else if (!(isRequest ? TARGET[byte] : FIELD_VALUE[byte])) {
          this.#checkLine(i + 1 - start);
          this.#failByte("the start line", byte);
        }
        i++;
      } else if (bytes[i] !== LF) {
        this.#checkLine(this.lineEnd);
        this.#fail("a CR without LF in the start line");
      } else if (this.#phase === BLANK_LF) {
        this.lineStart = ++i - start;
        this.#phase = START;
      } else {
        this.#position = i + 1 - start;
        this.#phase = FIELD;
        this.#endStartLine();
        return true;
      }
    }
    this.#position = i - start;
    return false;
  }

  #space(at: number): void {
    if (this.firstSpace === 0) this.firstSpace = at;
    else if (this.secondSpace === 0) this.secondSpace = at;
    else {
      this.#checkLine(at + 1);
      this.#fail("more than two spaces in the request line");
    }
  }

  #endStartLine(): void {
    if (this.#kind === "request") {
      this.#checkLine(this.lineEnd);
      if (this.secondSpace === 0) this.#fail("the request line has no version");
    } else if (this.firstSpace === 0) this.#fail("the status line has no status");
  }

  /**
   * Reads field lines that are whole and in order, nearly always all of them, a third of the time that the states take
   * (measured). The first that is not is left to the states, which say what is wrong with it or keep what is there.
   * Stale bytes behind `end` may be looked at and count for nothing.
   */
  #parseLines(bytes: Uint8Array, start: number, end: number): void {
    const { fields } = this;
    const words = this.#wordsOf(bytes);
    const { byteOffset } = bytes;
    const lastWord = byteOffset + end >> 2;
    const maxFields = this.#limits.headers;
    let line = start + this.#position;
    while (fields.count < maxFields) {
      let at = line;
      while (TOKEN[bytes[at]!] === 1) at++;
      const nameEnd = at;
      if (bytes[at] !== COLON || nameEnd === line) break;
      do at++; while (bytes[at] === SP || bytes[at] === HTAB);
      const valueStart = at;
      while ((byteOffset + at & 3) !== 0 && FIELD_VALUE[bytes[at]!] === 1) at++;
      if ((byteOffset + at & 3) === 0) {
        let word = byteOffset + at >> 2;
        while (word < lastWord && isPlain(words[word]!)) word++;
        at = (word << 2) - byteOffset;
        while (FIELD_VALUE[bytes[at]!] === 1) at++;
      }
      if (at + 1 >= end || bytes[at] !== CR || bytes[at + 1] !== LF) break;
      let valueEnd = at;
      while (valueEnd > valueStart && isSpace(bytes[valueEnd - 1]!)) valueEnd--;
      const id = fieldIdAt(bytes, line, nameEnd);
      fields.push(id, line - start, nameEnd - start, valueStart - start, valueEnd - start);
      line = at + 2;
    }
    this.#position = line - start;
  }

  #wordsOf(bytes: Uint8Array): Int32Array {
    const { buffer } = bytes;
    if (this.#words.buffer !== buffer) {
      this.#words = new Int32Array(buffer, 0, buffer.byteLength >> 2);
    }
    return this.#words;
  }

  #parseFields(bytes: Uint8Array, start: number, end: number): boolean {
    let i = start + this.#position;
    let phase = this.#phase;
    while (i < end) {
      const byte = bytes[i]!;
      if (phase === NAME) {
        while (i < end && TOKEN[bytes[i]!] === 1) i++;
        if (i === end) break;
        if (bytes[i] !== COLON) this.#failByte("a field name", bytes[i]!);
        this.#nameEnd = i - start;
        this.#fieldId = fieldIdAt(bytes, start + this.#nameStart, i);
        phase = SPACE;
        i++;
      } else if (phase === SPACE) {
        while (i < end && (bytes[i] === SP || bytes[i] === HTAB)) i++;
        if (i === end) break;
        this.#valueStart = i - start;
        phase = VALUE;
      } else if (phase === VALUE) {
        while (i < end && FIELD_VALUE[bytes[i]!] === 1) i++;
        if (i === end) break;
        if (bytes[i] !== CR) this.#failByte("a field value", bytes[i]!);
        this.#valueEnd = this.#trimEnd(bytes, start, i);
        phase = VALUE_LF;
        i++;
      } else if (phase === FIELD) {
        this.#nameStart = i - start;
        if (byte === CR) phase = END_LF;
        else if (TOKEN[byte] === 1) phase = NAME;
        else this.#failFieldStart(byte);
        i++;
      } else {
        if (byte !== LF) this.#fail("a CR without LF");
        i++;
        if (phase === END_LF) {
          this.#position = i - start;
          return true;
        }
        this.#endField();
        phase = FIELD;
      }
    }
    this.#phase = phase;
    this.#position = i - start;
    return false;
  }

  #trimEnd(bytes: Uint8Array, start: number, end: number): number {
    const valueStart = start + this.#valueStart;
    while (end > valueStart && (bytes[end - 1] === SP || bytes[end - 1] === HTAB)) end--;
    return end - start;
  }

  #endField(): void {
    if (this.fields.count === this.#limits.headers) {
      this.#fail(`more than ${this.#limits.headers} fields`, "headers-too-large");
    }
    this.fields.push(
      this.#fieldId,
      this.#nameStart,
      this.#nameEnd,
      this.#valueStart,
      this.#valueEnd,
    );
  }

  #failFieldStart(byte: number): never {
    if (byte === SP || byte === HTAB) this.#fail("a folded field line (obs-fold)");
    if (byte === COLON) this.#fail("a field without a name");
    this.#failByte("a field name", byte);
  }

  #failByte(where: string, byte: number): never {
    if (byte === LF) this.#fail(`a LF without CR in ${where}`);
    if (byte === SP || byte === HTAB) this.#fail(`white space in ${where}`);
    this.#fail(`the byte 0x${byte.toString(16).padStart(2, "0")} in ${where}`);
  }

  /** What cannot be read of an upstream is its fault, whatever is wrong with it. */
  #fail(message: string, kind: ErrorKind = "bad-request"): never {
    if (this.#side === "upstream") {
      throw new ProxyError("upstream-protocol", message, { side: "upstream" });
    }
    throw new ProxyError(kind, message, { side: "downstream" });
  }
}

/** Four bytes from 0x20 to 0x7e: bit 7 stays clear everywhere, with no borrow and no carry. */
function isPlain(word: number): boolean {
  return ((word - 0x20202020 | word + 0x01010101) & 0x80808080) === 0;
}

function isSpace(byte: number): boolean {
  return byte === SP || byte === HTAB;
}
