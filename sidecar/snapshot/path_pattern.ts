// Whether a path fits a pattern of a rule: `/exact`, `/prefix/*` (which is `/prefix` too), `/users/{id}`. Taken apart
// once; a match compares in place and allocates nothing.

const SLASH = 47;

export class PathPattern {
  /** Undefined stands for any one segment that is not empty. */
  readonly #segments: readonly (string | undefined)[];
  readonly #isPrefix: boolean;

  constructor(pattern: string) {
    const segments = pattern.split("/").slice(1);
    this.#isPrefix = segments.at(-1) === "*";
    if (this.#isPrefix) segments.pop();
    this.#segments = segments.map((segment) => segment.startsWith("{") ? undefined : segment);
  }

  /** `path` without its query. */
  matches(path: string): boolean {
    let at = 0;
    for (const segment of this.#segments) {
      if (path.charCodeAt(at) !== SLASH) return false;
      const start = at + 1;
      at = segmentEnd(path, start);
      const isSame = segment === undefined
        ? at > start
        : segment.length === at - start && path.startsWith(segment, start);
      if (!isSame) return false;
    }
    return at === path.length || (this.#isPrefix && path.charCodeAt(at) === SLASH);
  }
}

function segmentEnd(path: string, at: number): number {
  const slash = path.indexOf("/", at);
  return slash < 0 ? path.length : slash;
}

/**
 * The path as lenient apps read it: Tomcat and its kin cut `;x` off each segment, Express and many others do not see a
 * slash at the end. The same text where neither is there.
 */
export function lenientPath(path: string): string {
  if (!path.includes(";") && !path.endsWith("/")) return path;
  const segments = path.split("/").map((segment) => segment.split(";", 1)[0]!);
  return "/" + segments.filter((segment) => segment !== "").join("/");
}
