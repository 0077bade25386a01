// Path templates as google/api/http.proto defines them ("Path template syntax"): text to segments, verb and variables.

export type Segment =
  | { readonly kind: "literal"; readonly text: string }
  /** `*`: one segment, not empty. */
  | { readonly kind: "one" }
  /** `**`: all that is left, which may be nothing. */
  | { readonly kind: "rest" };

export interface TemplateVariable {
  /** Names of fields, from the request message inward. */
  readonly fieldPath: string;
  /** Which segments it takes: from `start` to `end` (exclusive), or to the last one. */
  readonly start: number;
  readonly end: number | undefined;
  /** It may hold slashes, so that `%2F` stays as it is (http.proto, "multi segment"). */
  readonly isMulti: boolean;
}

export interface PathTemplate {
  readonly segments: readonly Segment[];
  /** Behind the last colon; empty where there is none. */
  readonly verb: string;
  readonly variables: readonly TemplateVariable[];
}

/**
 * Whether a path may be of both: a template, and a pattern of routes where `{x}` is one segment and a last `*` is all that is
 * left.
 */
export function overlaps({ segments, verb }: PathTemplate, pattern: string): boolean {
  const parts = pattern.split("/").slice(1);
  for (let at = 0;; at++) {
    const [segment, part] = [segments[at], parts[at]];
    if (part === "*" || segment?.kind === "rest") return true;
    if (segment === undefined || part === undefined) return segment === part;
    if (part.startsWith("{")) continue;
    const isLast = at === segments.length - 1;
    const end = isLast && verb !== "" ? `:${verb}` : "";
    const isMet = segment.kind === "one"
      ? part.length > end.length && part.endsWith(end)
      : decodeLiteral(part) === segment.text + end;
    if (!isMet) return false;
  }
}

const LITERAL = /[^/{}*:=]+/y;
const FIELD_PATH = /[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*/y;
const VERB = /[^/{}*:=]+/y;

/** Throws Error that says what is wrong with it. */
export function parsePathTemplate(text: string): PathTemplate {
  return new TemplateParser(text).parse();
}

class TemplateParser {
  readonly #text: string;
  #at = 0;
  readonly #segments: Segment[] = [];
  readonly #variables: TemplateVariable[] = [];

  constructor(text: string) {
    this.#text = text;
  }

  parse(): PathTemplate {
    if (!this.#takeIf("/")) throw this.#problem('must start with "/"');
    if (!this.#isAtEnd()) this.#readSegments(false);
    const verb = this.#takeIf(":") ? this.#read(VERB, "a verb") : "";
    if (!this.#isAtEnd()) throw this.#problem(`unexpected "${this.#text[this.#at]}"`);
    const rest = this.#segments.findIndex(({ kind }) => kind === "rest");
    if (rest >= 0 && rest < this.#segments.length - 1) throw this.#problem('"**" must stand last');
    return { segments: this.#segments, verb, variables: this.#variables };
  }

  #readSegments(isInVariable: boolean): void {
    do this.#readSegment(isInVariable); while (this.#takeIf("/"));
  }

  #readSegment(isInVariable: boolean): void {
    if (this.#takeIf("**")) this.#segments.push({ kind: "rest" });
    else if (this.#takeIf("*")) this.#segments.push({ kind: "one" });
    else if (this.#takeIf("{")) this.#readVariable(isInVariable);
    else {
      const text = this.#read(LITERAL, "a segment");
      this.#segments.push({ kind: "literal", text: decodeLiteral(text) });
    }
  }

  #readVariable(isInVariable: boolean): void {
    if (isInVariable) throw this.#problem("a variable cannot hold another");
    const fieldPath = this.#read(FIELD_PATH, "the path of a field");
    if (this.#variables.some((other) => other.fieldPath === fieldPath)) {
      throw this.#problem(`"${fieldPath}" is bound twice`);
    }
    const start = this.#segments.length;
    if (this.#takeIf("=")) this.#readSegments(true);
    else this.#segments.push({ kind: "one" });
    if (!this.#takeIf("}")) throw this.#problem('expected "}"');
    const hasRest = this.#segments.at(-1)!.kind === "rest";
    const { length } = this.#segments;
    const end = hasRest ? undefined : length;
    const isMulti = hasRest || length - start > 1;
    this.#variables.push({ fieldPath, start, end, isMulti });
  }

  #isAtEnd(): boolean {
    return this.#at === this.#text.length;
  }

  #takeIf(text: string): boolean {
    if (!this.#text.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }

  #read(pattern: RegExp, what: string): string {
    pattern.lastIndex = this.#at;
    const text = pattern.exec(this.#text)?.[0];
    if (text === undefined) throw this.#problem(`expected ${what}`);
    this.#at += text.length;
    return text;
  }

  #problem(what: string): Error {
    return new Error(`path template "${this.#text}": ${what} (at character ${this.#at + 1})`);
  }
}

/** Requests are compared decoded, so a literal is too. */
function decodeLiteral(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
