// One header field as HTTP/2 knows it. A field that repeats is one object from the decoder through the proxy to the
// encoder, which finds it by identity (RFC 7541 itself stays in http2/hpack).
import { fieldId } from "./field_names.ts";
import { isFieldValue, TOKEN } from "./syntax.ts";

const COLON = 58, SPACE = 0x20, TAB = 0x09;

export class Field {
  /** In lower case. */
  readonly name: string;
  /** Code units 0 to 255. */
  readonly value: string;
  /** The number of its name, 0 when that is not a known one. */
  readonly id: number;
  /** No hop may put it into a table (RFC 7541 7.1.3). */
  readonly isSensitive: boolean;
  /** Its place in the static table (RFC 7541 appendix A), 0 for all others. */
  readonly staticIndex: number;
  /**
   * An encoder's note to itself: which table took this object in, and as which entry. Each table writes over
   * the notes of the others; two numbers, so that nothing is kept alive by them (a Map's lookup costs five times as much).
   */
  tableId = 0;
  tableEntry = 0;
  #isWellFormed: boolean | undefined = undefined;

  constructor(
    name: string,
    value: string,
    isSensitive = false,
    id: number = fieldId(name),
    staticIndex = 0,
  ) {
    this.name = name;
    this.value = value;
    this.id = id;
    this.isSensitive = isSensitive;
    this.staticIndex = staticIndex;
  }

  /** What it counts in a table and in a list: both RFC 7541 4.1 and RFC 9113 6.5.2. */
  get size(): number {
    return this.name.length + this.value.length + 32;
  }

  /**
   * Name and value are such as RFC 9113 8.2.1 lets through; a pseudo-field's name is a token behind its colon.
   * Looked at once: fields that repeat are the same object.
   */
  get isWellFormed(): boolean {
    return this.#isWellFormed ??= (this.id !== 0 || isLowerCaseName(this.name)) &&
      isTrimmedValue(this.value);
  }
}

function isLowerCaseName(name: string): boolean {
  const start = name.charCodeAt(0) === COLON ? 1 : 0;
  for (let i = start; i < name.length; i++) {
    const code = name.charCodeAt(i);
    if (code > 255 || TOKEN[code] === 0 || (code >= 65 && code <= 90)) return false;
  }
  return name.length > start;
}

function isTrimmedValue(value: string): boolean {
  if (value.length === 0) return true;
  return !isSpace(value.charCodeAt(0)) && !isSpace(value.charCodeAt(value.length - 1)) &&
    isFieldValue(value);
}

function isSpace(code: number): boolean {
  return code === SPACE || code === TAB;
}
