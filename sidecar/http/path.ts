// One spelling for one path (RFC 3986 6.2.2): rules that are matched by path must see what the app will see.
// The choices are those that Envoy recommends at an edge: unreserved characters are decoded, slashes merged, and what
// could climb or hide (dot segments, escaped slashes, backslashes, NUL) is refused.
import { ProxyError } from "../errors.ts";

const SLASH = 47, PERCENT = 37, DOT = 46, QUERY = 63, BACKSLASH = 92;

/** The target in its one spelling; null when no safe one exists. Query strings stay as they are. */
export function normalizeTarget(target: string): string | null {
  let end = target.length;
  let isPlain = true;
  for (let i = 0, previous = 0; i < end; i++) {
    const code = target.charCodeAt(i);
    if (code === QUERY) end = i;
    else if (code === PERCENT || code === BACKSLASH) isPlain = false;
    else if (previous === SLASH && (code === SLASH || code === DOT)) isPlain = false;
    previous = code;
  }
  if (isPlain) return target;
  const path = normalizePath(target.slice(0, end));
  return path === null ? null : path + target.slice(end);
}

/** The answer to a path that has no safe spelling. */
export function ambiguousPath(): ProxyError {
  const message = "bad request: the path has dot segments or escaped separators";
  return new ProxyError("bad-request", message, { side: "downstream" });
}

function normalizePath(raw: string): string | null {
  let path = "";
  for (let i = 0; i < raw.length; i++) {
    const letter = raw[i]!;
    if (letter === "\\") return null;
    if (letter === "%") {
      const code = hexPair(raw, i + 1);
      if (code === null || isHidden(code)) return null;
      path += isUnreserved(code) ? String.fromCharCode(code) : raw.slice(i, i + 3).toUpperCase();
      i += 2;
    } else if (letter !== "/" || !path.endsWith("/")) path += letter;
  }
  return path.split("/").some(isDotSegment) ? null : path;
}

/** With parameters too: Tomcat and its kin cut `;x` off first, so that `/a/..;/b` climbs there. */
function isDotSegment(segment: string): boolean {
  return /^\.\.?(?:;|%3B|$)/.test(segment);
}

function hexPair(text: string, at: number): number | null {
  const pair = text.slice(at, at + 2);
  return /^[0-9A-Fa-f]{2}$/.test(pair) ? parseInt(pair, 16) : null;
}

/** What some apps decode into a separator or an end: `/`, `\`, NUL. */
function isHidden(code: number): boolean {
  return code === SLASH || code === BACKSLASH || code === 0;
}

function isUnreserved(code: number): boolean {
  return /[A-Za-z0-9\-._~]/.test(String.fromCharCode(code));
}

/** The path of a target, without its query. */
export function pathOf(target: string): string {
  const query = target.indexOf("?");
  return query < 0 ? target : target.slice(0, query);
}
