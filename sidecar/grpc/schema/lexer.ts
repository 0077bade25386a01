// The tokens of a .proto file (protobuf.dev, "Protocol Buffers Language Specification"), each with its place.
import { ConfigError } from "../../errors.ts";
import { latin1Bytes } from "../../lib/bytes.ts";

/** Lines and columns count from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export interface Token extends Place {
  readonly kind: "name" | "number" | "string" | "symbol" | "end";
  /** A string without its quotes and with its escapes resolved. */
  readonly text: string;
}

/** Something is wrong with the schema, at a place the author can go to. */
export function schemaError(place: Place, message: string): ConfigError {
  const { file, line, column } = place;
  return new ConfigError([{ file, line, column, path: "", message }]);
}

const SPACE = /[ \t\r\n\v\f\ufeff]+|\/\/[^\n]*|\/\*[^]*?\*\//y;
const NAME = /[A-Za-z_][A-Za-z0-9_]*/y;
const NUMBER = /0[xX][0-9A-Fa-f]+|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?/y;
const STRING = /"(?:[^"\\\n]|\\[^\n])*"|'(?:[^'\\\n]|\\[^\n])*'/y;
const SYMBOL = /[;:,.=(){}[\]<>/\-+]/y;

const KINDS = [["name", NAME], ["number", NUMBER], ["string", STRING], ["symbol", SYMBOL]] as const;

/** All tokens of a file, with an `end` behind them. Throws ConfigError. */
export function tokenize(file: string, source: string): Token[] {
  return new Lexer(file, source).tokens();
}

class Lexer {
  readonly #file: string;
  readonly #source: string;
  #at = 0;
  #line = 1;
  #lineStart = 0;

  constructor(file: string, source: string) {
    this.#file = file;
    this.#source = source;
  }

  tokens(): Token[] {
    const tokens: Token[] = [];
    for (;;) {
      this.#skipSpace();
      const place = this.#place();
      if (this.#at === this.#source.length) {
        tokens.push({ ...place, kind: "end", text: "" });
        return tokens;
      }
      tokens.push(this.#token(place));
    }
  }

  #place(): Place {
    return { file: this.#file, line: this.#line, column: this.#at - this.#lineStart + 1 };
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const text = pattern.exec(this.#source)?.[0];
    if (text !== undefined) this.#at += text.length;
    return text;
  }

  #skipSpace(): void {
    for (;;) {
      const start = this.#at;
      const text = this.#match(SPACE);
      if (text === undefined) return;
      for (let i = text.indexOf("\n"); i >= 0; i = text.indexOf("\n", i + 1)) {
        this.#line++;
        this.#lineStart = start + i + 1;
      }
    }
  }

  #token(place: Place): Token {
    if (this.#source.startsWith("/*", this.#at)) throw schemaError(place, "comment without an end");
    for (const [kind, pattern] of KINDS) {
      const text = this.#match(pattern);
      if (text === undefined) continue;
      return {
        ...place,
        kind,
        text: kind === "string" ? unescape(text.slice(1, -1), place) : text,
      };
    }
    const letter = this.#source[this.#at]!;
    if (letter === '"' || letter === "'") throw schemaError(place, "string without an end");
    throw schemaError(place, `unexpected character ${JSON.stringify(letter)}`);
  }
}

const ESCAPE =
  /\\(?:([0-7]{1,3})|[xX]([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|([^]))/g;
const LETTERS: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
};

/** Escaped octets make UTF-8 among themselves, as protoc has it. */
function unescape(text: string, place: Place): string {
  if (!text.includes("\\")) return text;
  let octets = "";
  let result = "";
  let end = 0;
  for (const match of text.matchAll(ESCAPE)) {
    const [all, octal, hex, short, long, letter] = match;
    if (match.index > end) result += decodeOctets(octets) + text.slice(end, match.index);
    if (match.index > end) octets = "";
    end = match.index + all.length;
    const octet = octal !== undefined
      ? parseInt(octal, 8)
      : hex === undefined
      ? -1
      : parseInt(hex, 16);
    if (octet >= 0) {
      octets += String.fromCharCode(octet & 255);
      continue;
    }
    result += decodeOctets(octets) + unescapeLetter(short ?? long, letter, place);
    octets = "";
  }
  return result + decodeOctets(octets) + text.slice(end);
}

const decoder = new TextDecoder();

function decodeOctets(octets: string): string {
  return octets === "" ? "" : decoder.decode(latin1Bytes(octets));
}

function unescapeLetter(unicode: string | undefined, letter: string | undefined, place: Place) {
  if (unicode === undefined) return LETTERS[letter!] ?? letter!;
  const point = parseInt(unicode, 16);
  if (point > 0x10ffff) throw schemaError(place, "escape of no Unicode character");
  return String.fromCodePoint(point);
}
