// Routes that no request can ever take. The order is that of snapshot/route_table.ts: of routes with one host and one path those
// with more headers are asked first, then those with methods, then those that stand first.
import { formatPath, type Path } from "./positions.ts";
import type { EdgeDocument, RouteDocument } from "./schema/gateway.ts";

type Report = (path: Path, message: string) => void;

interface Candidate {
  readonly index: number;
  readonly methods: readonly string[];
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
}

export function routeReachRules(
  routes: readonly RouteDocument[],
  { login }: Pick<EdgeDocument, "login">,
  base: Path,
  report: Report,
): void {
  const groups = Map.groupBy(
    routes.map((route, index) => ({ route, index })),
    ({ route: { match } }) => `${match.host?.toLowerCase() ?? ""} ${shapeOf(match.path)}`,
  );
  for (const group of groups.values()) {
    const candidates = group.map(candidateOf).sort(rank);
    for (const [place, candidate] of candidates.entries()) {
      const takers = takersOf(candidate, candidates.slice(0, place));
      if (takers === undefined) continue;
      const names = takers.map((index) => formatPath([...base, "routes", index])).join(" and ");
      const isSame = takers.length === 1 && isEqual(candidate, group.map(candidateOf), takers[0]!);
      const message = isSame
        ? `the same match as ${names}, expected it once`
        : `never taken: all of its requests go to ${names}, expected another match`;
      report([...base, "routes", candidate.index, "match"], message);
    }
  }
  if (login === undefined) return;
  for (const [index, { match: { path, methods } }] of routes.entries()) {
    if (path !== login.path || methods.length === 0 || !methods.every(isPost)) continue;
    const place = formatPath([...base, "login"]);
    report(
      [...base, "routes", index, "match"],
      `never taken: POST of this path goes to ${place}, expected another match`,
    );
  }
}

/** Names of parameters do not matter. */
function shapeOf(path: string): string {
  return path.replaceAll(/\{[^/]*\}/g, "{}");
}

function candidateOf(
  { route: { match }, index }: { readonly route: RouteDocument; readonly index: number },
): Candidate {
  const headers = Object.entries(match.headers)
    .map(([name, value]) => [name.toLowerCase(), value] as const);
  return { index, methods: match.methods, headers: new Map(headers) };
}

function rank(a: Candidate, b: Candidate): number {
  return b.headers.size - a.headers.size ||
    Number(b.methods.length > 0) - Number(a.methods.length > 0) ||
    a.index - b.index;
}

/** Those of `earlier` that together take everything that `candidate` could; undefined where something is left. */
function takersOf(candidate: Candidate, earlier: readonly Candidate[]): number[] | undefined {
  const rivals = earlier.filter((other) => covers(other.headers, candidate.headers));
  const whole = rivals.find(({ methods }) => methods.length === 0);
  if (whole !== undefined) return [whole.index];
  const left = new Set(candidate.methods);
  if (left.size === 0) return undefined;
  const takers: number[] = [];
  for (const { index, methods } of rivals) {
    const taken = [...left].filter((method) => allows(methods, method));
    if (taken.length === 0) continue;
    takers.push(index);
    for (const method of taken) left.delete(method);
    if (left.size === 0) return takers.sort((a, b) => a - b);
  }
  return undefined;
}

/** Whoever meets the conditions of `narrow` meets those of `wide`. */
function covers(
  wide: ReadonlyMap<string, string>,
  narrow: ReadonlyMap<string, string>,
): boolean {
  return [...wide].every(([name, value]) =>
    narrow.has(name) && (value === "*" || value === narrow.get(name))
  );
}

/** Whoever answers GET answers HEAD. */
function allows(methods: readonly string[], method: string): boolean {
  return methods.includes(method) || (method === "HEAD" && methods.includes("GET"));
}

function isEqual(candidate: Candidate, group: readonly Candidate[], index: number): boolean {
  const other = group.find((each) => each.index === index)!;
  return covers(other.headers, candidate.headers) && covers(candidate.headers, other.headers) &&
    new Set(other.methods).symmetricDifference(new Set(candidate.methods)).size === 0;
}

function isPost(method: string): boolean {
  return method === "POST";
}
