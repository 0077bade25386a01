// Validation of JSON objects, gRPC messages and query strings: collects every problem, so that a caller learns all of them
// at once. A failed read yields a stand-in value; nothing may use what was read before check() has passed.

/** Problems by field name, in words for whoever sent the request. */
export type FieldProblems = Readonly<Record<string, string>>;

/** A request whose fields are wrong; each protocol says it in its own way. */
export class InvalidRequest extends Error {
  override readonly name = "InvalidRequest";
  readonly fields: FieldProblems;

  constructor(fields: FieldProblems) {
    super("invalid request");
    this.fields = fields;
  }
}

interface TextRule {
  readonly min?: number;
  readonly max: number;
  /** A closer look at a text whose length is right. */
  readonly accepts?: (text: string) => boolean;
  /** What to tell a caller whose text was refused; the default names the length. */
  readonly expected?: string;
  /** Control characters are let through only where nothing prints the text: passwords. */
  readonly isRaw?: boolean;
}

interface Range {
  readonly min: number;
  readonly max: number;
}

/** The fields of one JSON object; nested objects report into the same list of problems. */
export class Fields {
  readonly #source: object;
  readonly #path: string;
  readonly #problems: Map<string, string>;

  constructor(source: unknown, path = "", problems = new Map<string, string>()) {
    this.#path = path;
    this.#problems = problems;
    const isObject = typeof source === "object" && source !== null && !Array.isArray(source);
    if (!isObject) problems.set(path === "" ? "body" : path.slice(0, -1), "must be an object");
    this.#source = isObject ? source : {};
  }

  /** A text of `min` (1 unless told) to `max` characters. */
  text(name: string, rule: TextRule): string {
    const value = this.#read(name);
    const min = rule.min ?? 1;
    if (typeof value === "string" && fits(value, min, rule)) return value;
    this.refuse(name, rule.expected ?? `must be a string of ${min} to ${rule.max} characters`);
    return "";
  }

  /** Like text(), but undefined where the field is absent or null. */
  optionalText(name: string, rule: TextRule): string | undefined {
    const value = this.#read(name);
    return value === undefined || value === null ? undefined : this.text(name, rule);
  }

  /** An integer within the range, both ends included. */
  integer(name: string, { min, max }: Range): number {
    const value = this.#read(name);
    if (Number.isSafeInteger(value) && Number(value) >= min && Number(value) <= max) {
      return Number(value);
    }
    this.refuse(name, integerExpected(min, max));
    return min;
  }

  /** A list of objects, each as its own Fields named `items[0]` and so on. */
  list(name: string, { min, max }: Range): Fields[] {
    const value = this.#read(name);
    if (!Array.isArray(value) || value.length < min || value.length > max) {
      this.refuse(name, `must be a list of ${min} to ${max} objects`);
      return [];
    }
    return value.map((item: unknown, index) =>
      new Fields(item, `${this.#path}${name}[${index}].`, this.#problems)
    );
  }

  /** Reports a problem that only the caller can see, such as one between two fields. */
  refuse(name: string, problem: string): void {
    this.#problems.set(this.#path + name, problem);
  }

  /** Throws InvalidRequest with every problem found so far. */
  check(): void {
    if (this.#problems.size > 0) throw new InvalidRequest(Object.fromEntries(this.#problems));
  }

  #read(name: string): unknown {
    // Own properties only: a field called "constructor" is absent, not a function.
    return Object.hasOwn(this.#source, name) ? Reflect.get(this.#source, name) : undefined;
  }
}

/** A page of a listing; pages count from 1. */
export interface Page {
  readonly page: number;
  readonly pageSize: number;
}

/** Reads `page` and `page_size` of a query string; throws InvalidRequest. */
export function readPage(query: URLSearchParams): Page {
  const problems: Record<string, string> = {};
  const read = (name: string, fallback: number, max: number): number => {
    const text = query.get(name) ?? String(fallback);
    const value = /^\d{1,7}$/.test(text) ? Number(text) : 0;
    if (value < 1 || value > max) problems[name] = integerExpected(1, max);
    return value;
  };
  // The last page keeps the offset in a database well inside its integers.
  const page = read("page", 1, 1_000_000);
  const pageSize = read("page_size", 10, 100);
  if (Object.keys(problems).length > 0) throw new InvalidRequest(problems);
  return { page, pageSize };
}

function fits(value: string, min: number, rule: TextRule): boolean {
  if (value.length < min || value.length > rule.max || !value.isWellFormed()) return false;
  if (rule.isRaw !== true && (value.trim() === "" || /\p{Cc}/u.test(value))) return false;
  return rule.accepts?.(value) ?? true;
}

function integerExpected(min: number, max: number): string {
  return `must be an integer from ${min} to ${max}`;
}
