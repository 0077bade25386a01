// Finds what is registered for a path: literal segments go before `*`, and `*` before `**`, whatever the order of registration.
import type { PathTemplate } from "./path_template.ts";

interface Leaf<T> {
  readonly method: string;
  readonly verb: string;
  readonly value: T;
}

interface Node<T> {
  readonly literals: Map<string, Node<T>>;
  one: Node<T> | undefined;
  /** Templates that end here. */
  readonly leaves: Leaf<T>[];
  /** Templates that end here by `**`. */
  readonly restLeaves: Leaf<T>[];
}

export interface Found<T> {
  readonly value: T;
  /** The segments of the path as they came, the verb taken off. */
  readonly segments: readonly string[];
}

/** The methods that the path knows, where it does not know the one that was asked for. */
export interface OtherMethods {
  readonly allow: readonly string[];
}

/** Takes every method there is (custom pattern of kind `*`). */
const ANY = "*";

export class PathTree<T> {
  readonly #root: Node<T> = newNode();

  /** False where the same path and method are there already. */
  add(method: string, template: PathTemplate, value: T): boolean {
    let node = this.#root;
    let leaves = node.leaves;
    for (const segment of template.segments) {
      if (segment.kind === "literal") node = literalNode(node, segment.text);
      else if (segment.kind === "one") node = node.one ??= newNode();
      leaves = segment.kind === "rest" ? node.restLeaves : node.leaves;
    }
    const { verb } = template;
    if (leaves.some((leaf) => leaf.method === method && leaf.verb === verb)) return false;
    leaves.push({ method, verb, value });
    return true;
  }

  /** A verb in the path is first taken for one, and if no template has it, for a part of the last segment. */
  find(method: string, path: string): Found<T> | OtherMethods | null {
    if (path[0] !== "/") return null;
    const segments = path === "/" ? [] : path.slice(1).split("/");
    const allow = new Set<string>();
    const last = segments.at(-1) ?? "";
    const colon = last.lastIndexOf(":");
    if (colon >= 0) {
      const stripped = [...segments.slice(0, -1), last.slice(0, colon)];
      const found = this.#search(method, stripped, last.slice(colon + 1), allow);
      if (found !== undefined) return { value: found.value, segments: stripped };
    }
    const found = this.#search(method, segments, "", allow);
    if (found !== undefined) return { value: found.value, segments };
    return allow.size === 0 ? null : { allow: [...allow].sort() };
  }

  #search(
    method: string,
    segments: readonly string[],
    verb: string,
    allow: Set<string>,
  ): Leaf<T> | undefined {
    return search(this.#root, 0, { method, segments: segments.map(decoded), verb, allow });
  }
}

interface Search {
  readonly method: string;
  readonly segments: readonly string[];
  readonly verb: string;
  readonly allow: Set<string>;
}

/** Each node of the tree is visited once at most. */
function search<T>(node: Node<T>, at: number, wanted: Search): Leaf<T> | undefined {
  const { segments } = wanted;
  if (at === segments.length) return pick(node.leaves, wanted) ?? pick(node.restLeaves, wanted);
  const segment = segments[at]!;
  const literal = node.literals.get(segment);
  let found = literal === undefined ? undefined : search(literal, at + 1, wanted);
  if (found === undefined && node.one !== undefined && segment !== "") {
    found = search(node.one, at + 1, wanted);
  }
  return found ?? pick(node.restLeaves, wanted);
}

function pick<T>(leaves: readonly Leaf<T>[], { method, verb, allow }: Search): Leaf<T> | undefined {
  let any: Leaf<T> | undefined;
  for (const leaf of leaves) {
    if (leaf.verb !== verb) continue;
    if (leaf.method === method) return leaf;
    if (leaf.method === ANY) any = leaf;
    else allow.add(leaf.method);
  }
  return any;
}

function newNode<T>(): Node<T> {
  return { literals: new Map(), one: undefined, leaves: [], restLeaves: [] };
}

function literalNode<T>(node: Node<T>, text: string): Node<T> {
  let next = node.literals.get(text);
  if (next === undefined) node.literals.set(text, next = newNode());
  return next;
}

/** What cannot be decoded equals no literal anyway. */
function decoded(segment: string): string {
  if (!segment.includes("%")) return segment;
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
