// Walks a YAML syntax tree once: aliases and environment references are resolved, positions noted, keys checked.
import {
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  type Node,
  type YAMLMap,
  type YAMLSeq,
} from "yaml";
import { type Environment, resolveReferences } from "./environment.ts";
import { unmask } from "./masking.ts";
import type { Path, Positions } from "./positions.ts";

/** Values after aliases are followed: stops anchors that multiply ("billion laughs"). */
const MAX_NODES = 100_000;
/** Deepest nesting; the schema itself goes to 8. Stops aliases inside their own anchor. */
const MAX_DEPTH = 40;

/** Reads one tree into plain values; what is wrong goes to `positions`. */
export class TreeReader {
  readonly #positions: Positions;
  readonly #environment: Environment;
  readonly #anchors = new Map<string, Node>();
  #nodes = 0;

  constructor(positions: Positions, environment: Environment) {
    this.#positions = positions;
    this.#environment = environment;
  }

  /** Throws ConfigError when aliases make the tree too large. */
  read(root: Node): unknown {
    return this.#value(root, [], startOf(root) ?? 0);
  }

  #value(node: unknown, path: Path, keyOffset: number): unknown {
    const offset = startOf(node) ?? keyOffset;
    this.#positions.note(path, { key: keyOffset, value: offset });
    this.#count(path, offset);
    if (isAlias(node)) {
      const target = this.#anchors.get(node.source);
      if (target !== undefined) return this.#value(target, path, keyOffset);
      this.#positions.reportBroken(
        path,
        "an alias (*) of no anchor, expected one written before it",
      );
      return undefined;
    }
    if (isNode(node) && node.anchor !== undefined) this.#anchors.set(node.anchor, node);
    if (isMap(node)) return this.#map(node, path);
    if (isSeq(node)) return this.#list(node, path);
    return isScalar(node) ? this.#scalar(node.value, path) : null;
  }

  #count(path: Path, offset: number): void {
    if (++this.#nodes > MAX_NODES) {
      throw this.#positions.fatal(offset, `more than ${MAX_NODES} values, expected fewer`, path);
    }
    if (path.length > MAX_DEPTH) {
      const message = `nested too deeply, expected at most ${MAX_DEPTH} levels`;
      throw this.#positions.fatal(offset, message, path.slice(0, 1));
    }
  }

  #map(node: YAMLMap, path: Path): Record<string, unknown> {
    const values: Record<string, unknown> = {};
    for (const pair of node.items) {
      const key = this.#key(pair.key, path);
      if (key === null) continue;
      const at = [...path, key];
      if (Object.hasOwn(values, key)) this.#duplicate(at, pair.key);
      else values[key] = this.#value(pair.value, at, startOf(pair.key) ?? 0);
    }
    return values;
  }

  #list(node: YAMLSeq, path: Path): unknown[] {
    return node.items.map((item, index) => this.#value(item, [...path, index], startOf(item) ?? 0));
  }

  /** Null when the key was refused. */
  #key(node: unknown, path: Path): string | null {
    const key = isScalar(node) ? node.value : undefined;
    // Assigning to __proto__ would change the object instead of adding to it.
    if (typeof key === "string" && key !== "__proto__") return unmask(key);
    const message = key === "__proto__"
      ? 'unknown key "__proto__"'
      : "a key that is no text, expected a word or quotes around it";
    const offset = startOf(node);
    this.#positions.reportAt(offset ?? 0, path, message);
    return null;
  }

  #duplicate(path: Path, node: unknown): void {
    const key = JSON.stringify(path.at(-1));
    const line = this.#positions.lineOf(path);
    const message = `duplicate key ${key}, expected it once (first on line ${line})`;
    this.#positions.reportAt(startOf(node) ?? 0, path, message);
  }

  #scalar(value: unknown, path: Path): unknown {
    if (typeof value !== "string") return value;
    const resolved = resolveReferences(unmask(value), this.#environment);
    if (resolved.kind === "problem") {
      this.#positions.reportBroken(path, resolved.message);
      return undefined;
    }
    if (resolved.isReference) this.#positions.noteReference(path);
    return resolved.text;
  }
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}
