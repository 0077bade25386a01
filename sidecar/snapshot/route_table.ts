// Which route a request takes: a tree of path segments per host, so that the cost does not grow with the routes.
// Most specific wins: exact host before wildcard host before any; in the path a literal segment before a parameter
// before `*`; then more header conditions, then a method condition, then the order in the document.

/** One rule as the operator wrote it. */
export interface RouteRule {
  readonly match: {
    readonly path: string;
    readonly methods: readonly string[];
    readonly headers: ReadonlyMap<string, string>;
    readonly host?: string;
  };
  readonly rewrite?: string;
}

/** What of a request decides its route. `host` in lower case, without port; `path` without query. */
export interface RouteInput {
  readonly host: string;
  readonly path: string;
  readonly method: string;
  header(name: string): string | undefined;
}

export type RouteMatch<Rule> =
  | { readonly kind: "matched"; readonly rule: Rule; readonly path: string }
  /** A route has this path, but not for this method. */
  | { readonly kind: "method-not-allowed"; readonly allow: readonly string[] }
  | { readonly kind: "none" };

interface Node<Rule> {
  readonly literals: Map<string, Node<Rule>>;
  parameter: Node<Rule> | undefined;
  /** Rules that end here, best first. */
  readonly exact: Entry<Rule>[];
  /** Rules that end here with `*`, best first. */
  readonly prefix: Entry<Rule>[];
}

interface Entry<Rule> {
  readonly rule: Rule;
  readonly order: number;
  readonly parameters: readonly string[];
}

function newNode<Rule>(): Node<Rule> {
  return { literals: new Map(), parameter: undefined, exact: [], prefix: [] };
}

const NO_VALUES: readonly string[] = [];

/** Compiled once from the rules; never changes. */
export class RouteTable<Rule extends RouteRule> {
  readonly #exactHosts = new Map<string, Node<Rule>>();
  /** By the domain behind `*.`, longest first. */
  readonly #wildcardHosts: { readonly domain: string; readonly root: Node<Rule> }[] = [];
  readonly #anyHost: Node<Rule> = newNode();

  constructor(rules: readonly Rule[]) {
    rules.forEach((rule, order) => this.#add(rule, order));
    this.#wildcardHosts.sort((a, b) => b.domain.length - a.domain.length);
    for (
      const root of [
        this.#anyHost,
        ...this.#exactHosts.values(),
        ...this.#wildcardHosts.map((h) => h.root),
      ]
    ) {
      sortEntries(root);
    }
  }

  match(input: RouteInput): RouteMatch<Rule> {
    const segments = input.path.split("/");
    const search: Search<Rule> = { input, segments, allow: undefined };
    const found = this.#matchHost(search) ?? find(this.#anyHost, 1, NO_VALUES, search);
    if (found !== undefined) return found;
    if (search.allow === undefined) return { kind: "none" };
    return { kind: "method-not-allowed", allow: [...search.allow].sort() };
  }

  #matchHost(search: Search<Rule>): RouteMatch<Rule> | undefined {
    const { host } = search.input;
    const exact = this.#exactHosts.get(host);
    const found = exact && find(exact, 1, NO_VALUES, search);
    if (found !== undefined) return found;
    for (const { domain, root } of this.#wildcardHosts) {
      if (!host.endsWith(domain) || host.length === domain.length) continue;
      const match = find(root, 1, NO_VALUES, search);
      if (match !== undefined) return match;
    }
    return undefined;
  }

  #add(rule: Rule, order: number): void {
    let node = this.#rootOf(rule.match.host?.toLowerCase());
    const parameters: string[] = [];
    const segments = rule.match.path.split("/").slice(1);
    const isPrefix = segments.at(-1) === "*";
    if (isPrefix) segments.pop();
    for (const segment of segments) {
      if (segment.startsWith("{") && segment.endsWith("}")) {
        parameters.push(segment.slice(1, -1));
        node = node.parameter ??= newNode();
      } else node = child(node, segment);
    }
    (isPrefix ? node.prefix : node.exact).push({ rule, order, parameters });
  }

  #rootOf(host: string | undefined): Node<Rule> {
    if (host === undefined) return this.#anyHost;
    if (!host.startsWith("*.")) return child({ literals: this.#exactHosts }, host);
    const domain = host.slice(1);
    let entry = this.#wildcardHosts.find((known) => known.domain === domain);
    if (entry === undefined) this.#wildcardHosts.push(entry = { domain, root: newNode() });
    return entry.root;
  }
}

function child<Rule>(node: Pick<Node<Rule>, "literals">, segment: string): Node<Rule> {
  let next = node.literals.get(segment);
  if (next === undefined) node.literals.set(segment, next = newNode());
  return next;
}

function sortEntries<Rule extends RouteRule>(node: Node<Rule>): void {
  const rank = (a: Entry<Rule>, b: Entry<Rule>): number =>
    b.rule.match.headers.size - a.rule.match.headers.size ||
    Number(b.rule.match.methods.length > 0) - Number(a.rule.match.methods.length > 0) ||
    a.order - b.order;
  node.exact.sort(rank);
  node.prefix.sort(rank);
  for (const next of node.literals.values()) sortEntries(next);
  if (node.parameter !== undefined) sortEntries(node.parameter);
}

interface Search<Rule> {
  readonly input: RouteInput;
  readonly segments: readonly string[];
  /** Methods of rules that matched but for their method. */
  allow: Set<string> | undefined;
}

function find<Rule extends RouteRule>(
  node: Node<Rule>,
  at: number,
  values: readonly string[],
  search: Search<Rule>,
): RouteMatch<Rule> | undefined {
  const { segments } = search;
  // `/users/*` is the way to `/users` as well.
  if (at === segments.length) {
    return choose(node.exact, at, values, search) ?? choose(node.prefix, at, values, search);
  }
  const segment = segments[at]!;
  const literal = node.literals.get(segment);
  if (literal !== undefined) {
    const found = find(literal, at + 1, values, search);
    if (found !== undefined) return found;
  }
  if (node.parameter !== undefined && segment !== "") {
    const found = find(node.parameter, at + 1, [...values, segment], search);
    if (found !== undefined) return found;
  }
  return choose(node.prefix, at, values, search);
}

/** `at` is the segment where `*` begins. */
function choose<Rule extends RouteRule>(
  entries: readonly Entry<Rule>[],
  at: number,
  values: readonly string[],
  search: Search<Rule>,
): RouteMatch<Rule> | undefined {
  const { input } = search;
  for (const { rule, parameters } of entries) {
    if (!hasHeaders(rule, input)) continue;
    const { methods } = rule.match;
    if (methods.length > 0 && !allows(methods, input.method)) {
      search.allow ??= new Set();
      for (const method of methods) search.allow.add(method);
      continue;
    }
    const path = rule.rewrite === undefined
      ? input.path
      : rewrite(rule.rewrite, parameters, values, search.segments.slice(at));
    return { kind: "matched", rule, path };
  }
  return undefined;
}

/** Whoever answers GET answers HEAD (RFC 9110 9.3.2). */
function allows(methods: readonly string[], method: string): boolean {
  return methods.includes(method) || (method === "HEAD" && methods.includes("GET"));
}

function hasHeaders(rule: RouteRule, input: RouteInput): boolean {
  if (rule.match.headers.size === 0) return true;
  for (const [name, wanted] of rule.match.headers) {
    const value = input.header(name);
    if (value === undefined || (wanted !== "*" && wanted !== value)) return false;
  }
  return true;
}

/** The path that goes on: parameters and what `*` stood for are put into the rewrite. */
function rewrite(
  template: string,
  parameters: readonly string[],
  values: readonly string[],
  rest: readonly string[],
): string {
  const segments: string[] = [];
  for (const segment of template.split("/")) {
    const index = segment.startsWith("{") ? parameters.indexOf(segment.slice(1, -1)) : -1;
    if (index >= 0) segments.push(values[index]!);
    else if (segment !== "*") segments.push(segment);
    else segments.push(...rest);
  }
  return segments.length === 1 ? "/" : segments.join("/");
}
