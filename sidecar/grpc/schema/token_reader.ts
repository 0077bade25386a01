// Reads tokens one by one, and says what was expected where something else stands.
import { type Place, schemaError, type Token, tokenize } from "./lexer.ts";

export class TokenReader {
  readonly #tokens: readonly Token[];
  #at = 0;

  /** Throws ConfigError where the source has no tokens. */
  constructor(file: string, source: string) {
    this.#tokens = tokenize(file, source);
  }

  /** The next token, which stays. */
  get peek(): Token {
    return this.#tokens[this.#at]!;
  }

  /** The one behind the next. */
  get second(): Token {
    return this.#tokens[this.#at + 1] ?? this.peek;
  }

  take(): Token {
    const token = this.peek;
    if (token.kind !== "end") this.#at++;
    return token;
  }

  /** Whether the next token is this symbol or word. */
  is(text: string): boolean {
    const { kind } = this.peek;
    return this.peek.text === text && (kind === "symbol" || kind === "name");
  }

  /** Takes it where it is the next. */
  takeIf(text: string): boolean {
    if (!this.is(text)) return false;
    this.take();
    return true;
  }

  expect(text: string): Token {
    if (!this.is(text)) throw this.unexpected(`"${text}"`);
    return this.take();
  }

  name(what: string): Token {
    if (this.peek.kind !== "name") throw this.unexpected(what);
    return this.take();
  }

  /** Neighbouring strings are one. */
  string(what: string): string {
    if (this.peek.kind !== "string") throw this.unexpected(what);
    let text = "";
    while (this.peek.kind === "string") text += this.take().text;
    return text;
  }

  /** A name with dots, perhaps with one in front: `.a.b.C`. */
  path(what: string): { readonly text: string; readonly place: Place } {
    const place = this.peek;
    let text = this.takeIf(".") ? "." : "";
    text += this.name(what).text;
    while (this.takeIf(".")) text += `.${this.name(what).text}`;
    return { text, place };
  }

  /** A whole number, perhaps negative. */
  integer(what: string): number {
    const place = this.peek;
    const sign = this.takeIf("-") ? -1 : 1;
    const value = this.peek.kind === "number" ? wholeNumber(this.peek.text) : NaN;
    if (!Number.isSafeInteger(value)) throw schemaError(place, `expected ${what}`);
    this.take();
    return sign * value;
  }

  /** Past the next semicolon. */
  skipStatement(): void {
    while (!this.is(";") && this.peek.kind !== "end") this.take();
    this.expect(";");
  }

  unexpected(expected: string): Error {
    const { kind, text } = this.peek;
    const found = kind === "end" ? "the end of the file" : JSON.stringify(text);
    return schemaError(this.peek, `expected ${expected}, found ${found}`);
  }
}

/** Decimal, octal (by a leading 0) or hexadecimal; NaN where it is none. */
export function wholeNumber(text: string): number {
  if (/^0[0-7]+$/.test(text)) return parseInt(text, 8);
  return /^(?:[0-9]+|0[xX][0-9A-Fa-f]+)$/.test(text) ? Number(text) : NaN;
}
