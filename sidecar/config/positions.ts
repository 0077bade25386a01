// Where the parts of one document stand, and the problems found in it.
import type { LineCounter } from "yaml";
import { ConfigError, type ConfigProblem } from "../errors.ts";

/** Keys and indices from the root. */
export type Path = readonly (string | number)[];

/** Which side of `key: value` a problem is about. */
export type Side = "key" | "value";

interface Offsets {
  readonly key: number;
  readonly value: number;
}

/** Positions and problems of one file. */
export class Positions {
  readonly #file: string;
  readonly #lines: LineCounter;
  readonly #offsets = new Map<string, Offsets>();
  readonly #references = new Set<string>();
  readonly #broken = new Set<string>();
  readonly #problems: ConfigProblem[] = [];
  #below: Positions | undefined;

  constructor(file: string, lines: LineCounter) {
    this.#file = file;
    this.#lines = lines;
  }

  /** What stands only in a document that this one was laid over is reported there. */
  fallBackOn(below: Positions): void {
    this.#below = below;
  }

  /** Notes where `path` stands. */
  note(path: Path, offsets: Offsets): void {
    this.#offsets.set(JSON.stringify(path), offsets);
  }

  /** Notes that the scalar at `path` came from the environment. */
  noteReference(path: Path): void {
    this.#references.add(JSON.stringify(path));
  }

  isReference(path: Path): boolean {
    const isOwn = this.#references.has(JSON.stringify(path));
    return isOwn || (!this.#stands(path) && (this.#below?.isReference(path) ?? false));
  }

  /** Adds the one problem of a scalar that could not be read: what schemas say of it is no news. */
  reportBroken(path: Path, message: string): void {
    this.report(path, message);
    this.#broken.add(JSON.stringify(path));
  }

  /** Adds a problem at `path`; where that does not exist, at the key that should hold it. */
  report(path: Path, message: string, side: Side = "value"): void {
    if (this.#broken.has(JSON.stringify(path))) return;
    if (
      this.#below !== undefined && !this.#stands(path) &&
      this.#below.#depth(path) > this.#depth(path)
    ) {
      return this.#below.report(path, message, side);
    }
    this.reportAt(this.#offset(path, side), path, message);
  }

  /** Adds a problem at `offset` of the text. */
  reportAt(offset: number, path: Path, message: string): void {
    this.#problems.push(this.#problem(offset, path, message));
  }

  /** The error that ends reading at `offset` of the text. */
  fatal(offset: number, message: string, path: Path = []): ConfigError {
    return new ConfigError([this.#problem(offset, path, message)]);
  }

  /** Throws every problem so far, sorted by line, if there is one. */
  throwIfAny(): void {
    const problems = this.#sorted();
    if (problems.length > 0) throw new ConfigError(problems);
  }

  #sorted(): ConfigProblem[] {
    const own = this.#problems.toSorted((a, b) => a.line - b.line || a.column - b.column);
    return this.#below === undefined ? own : [...own, ...this.#below.#sorted()];
  }

  #stands(path: Path): boolean {
    return this.#offsets.has(JSON.stringify(path));
  }

  /** How much of `path` stands here. */
  #depth(path: Path): number {
    let length = path.length;
    while (length > 0 && !this.#stands(path.slice(0, length))) length--;
    return length;
  }

  /** The line of `path`, for other problems to point to. */
  lineOf(path: Path): number {
    return this.#lines.linePos(this.#offset(path, "key")).line;
  }

  #problem(offset: number, path: Path, message: string): ConfigProblem {
    // A counter that saw no text answers 0.
    const { line, col } = this.#lines.linePos(offset);
    const position = { line: Math.max(line, 1), column: Math.max(col, 1) };
    return { file: this.#file, ...position, path: formatPath(path), message };
  }

  #offset(path: Path, side: Side): number {
    const own = this.#offsets.get(JSON.stringify(path));
    if (own !== undefined) return own[side];
    return path.length === 0 ? 0 : this.#offset(path.slice(0, -1), "key");
  }
}

/** `gateway.routes[2].match.path`; keys that are no plain words stand in brackets and quotes. */
export function formatPath(path: Path): string {
  let text = "";
  for (const part of path) {
    if (typeof part === "number") text += `[${part}]`;
    else if (!/^[\w$-]+$/.test(part)) text += `[${JSON.stringify(part)}]`;
    else text += text === "" ? part : `.${part}`;
  }
  return text;
}
