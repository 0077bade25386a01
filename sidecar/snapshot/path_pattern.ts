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

const PERCENT = 37, SEMICOLON = 59;

/**
 * The path as lenient apps read it: Express and ASP.NET do not tell upper case from lower, all decode what is escaped, Tomcat
 * and its kin cut `;x` off each segment, many do not see a slash at the end. The same text where nothing of that is there.
 */
export function lenientPath(path: string): string {
  if (isPlain(path)) return path;
  const segments = unescaped(path).toLowerCase().split("/")
    .map((segment) => segment.split(";", 1)[0]!);
  return joined(segments);
}

/** The pattern that takes, of lenient paths, those of `pattern`: parameters of segments are left in, and never come. */
export function lenientPattern(pattern: string): string {
  const segments = pattern.split("/").map((segment) => {
    const text = unescaped(segment).toLowerCase();
    // What is a sign of patterns stays one, and what is escaped becomes none.
    return text === "*" || text.startsWith("{") ? segment : text;
  });
  return joined(segments);
}

function joined(segments: readonly string[]): string {
  return "/" + segments.filter((segment) => segment !== "").join("/");
}

function isPlain(path: string): boolean {
  for (let i = 0; i < path.length; i++) {
    const code = path.charCodeAt(i);
    if (code === PERCENT || code === SEMICOLON || code >= 65 && code <= 90) return false;
  }
  return !path.endsWith("/") || path.length === 1;
}

/** Each escape as the byte that it stands for. */
function unescaped(text: string): string {
  return text.replace(
    /%([0-9A-Fa-f]{2})/g,
    (_, code: string) => String.fromCharCode(parseInt(code, 16)),
  );
}
