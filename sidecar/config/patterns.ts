// The small grammars of names, headers, origins and path patterns. Text only; each says what it expected.
import { expected, type Parsed } from "./units.ts";

export const SERVICE_NAME_PATTERN = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/;
export const SERVICE_NAME = "a service name such as user-service (a-z, 0-9 and -, at most 63)";

/** Safe as a file name and in a registry key. */
export const LABEL_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
export const LABEL = "letters, digits, dots, dashes and underscores, such as v1";

/** SPIFFE-ID, sections 2.1 and 2.2, as sidecar/identity/spiffe.ts has them. */
export const TRUST_DOMAIN_PATTERN = /^[a-z0-9._-]{1,255}$/;
export const TRUST_DOMAIN =
  "a trust domain such as mesh.local (a-z, 0-9, dots, dashes, underscores)";
export const ID_SEGMENT_PATTERN = /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,255}$/;
export const ID_SEGMENT = "letters, digits, dots, dashes and underscores, such as default";

export const TAG_PATTERN = /^[!-~]{1,255}$/;
export const TAG = "printable characters without spaces, such as v1";

/** A full name as in a .proto file, or nothing. */
export const GRPC_SERVICE_PATTERN = /^(?:[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*)?$/;
export const GRPC_SERVICE = 'a gRPC service such as user.UserService, or ""';

/** RFC 9110, section 5.6.2: token. */
export const HEADER_NAME_PATTERN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
export const HEADER_NAME = "a header name such as x-user-id";

/** RFC 9110, section 5.5, without obs-text. */
export const HEADER_VALUE_PATTERN = /^[!-~](?:[ -~]*[!-~])?$/;
export const HEADER_VALUE = "a header value, or * for any";

/** RFC 9110, section 9.1: a token, and the registered ones are upper case. */
export const METHOD_PATTERN = /^[!#$%&'*+.^_`|~0-9A-Z-]+$/;
export const METHOD = "an HTTP method in upper case such as GET";

export const ORIGIN_PATTERN = /^(?:\*|https?:\/\/[^/?#@\s]+)$/;
export const ORIGIN =
  "an origin such as https://app.example.com (no path, no slash at the end), or *";

export const HOST_MATCH_PATTERN =
  /^(?:\*\.)?[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/;
export const HOST_MATCH = "a host name in lower case such as api.example.com or *.example.com";

export const PATH_PATTERN = /^\/[^?#\s]*$/;
export const PATH = "a path such as /health";
export const PATH_MATCH = "a path pattern such as /users, /users/{id} or /api/*";

/** Headers that frame or route a message: to set them from a claim would be request smuggling. */
const FRAMING_HEADERS: ReadonlySet<string> = new Set([
  "authorization",
  "connection",
  "content-length",
  "host",
  "keep-alive",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** RFC 3986 pchar without the braces that mark parameters; `%2e` is caught below. */
const SEGMENT = /^(?:[A-Za-z0-9._~!$&'()+,;=:@-]|%[0-9A-Fa-f]{2})*$/;
const PARAMETER = /^\{([A-Za-z_][A-Za-z0-9_-]*)\}$/;

/** A header that a claim may be written to, in lower case. */
export function parseClaimHeader(text: string): Parsed<string> {
  const name = text.toLowerCase();
  if (!HEADER_NAME_PATTERN.test(name)) return expected(HEADER_NAME);
  if (FRAMING_HEADERS.has(name)) {
    return {
      ok: false,
      problem: `this header belongs to the protocol, expected one such as x-user-id`,
    };
  }
  return { ok: true, value: name };
}

/** An origin as browsers send it (RFC 6454, section 6.1), or `*`. */
export function parseOrigin(text: string): Parsed<string> {
  if (text === "*") return { ok: true, value: text };
  if (!ORIGIN_PATTERN.test(text) || !URL.canParse(text)) return expected(ORIGIN);
  return new URL(text).origin === text ? { ok: true, value: text } : expected(ORIGIN);
}

/** One concrete path: no wildcard, no parameter. */
export function parsePlainPath(text: string): Parsed<string> {
  const problem = pathProblem(text);
  if (problem !== null) return { ok: false, problem };
  return isWildcardPath(text) || parametersOf(text).length > 0 ? expected(PATH) : ok(text);
}

/** `/exact`, `/prefix/*` or `/users/{id}/orders`. */
export function parsePathPattern(text: string): Parsed<string> {
  const problem = pathProblem(text);
  return problem === null ? ok(text) : { ok: false, problem };
}

/** Whether the pattern ends with a segment `*`. */
export function isWildcardPath(pattern: string): boolean {
  return pattern.endsWith("/*");
}

/** Names of the `{parameters}` in order. */
export function parametersOf(pattern: string): string[] {
  return pattern.split("/").flatMap((segment) => PARAMETER.exec(segment)?.[1] ?? []);
}

function ok(value: string): Parsed<string> {
  return { ok: true, value };
}

function pathProblem(text: string): string | null {
  if (!text.startsWith("/")) return `does not start with /, expected ${PATH_MATCH}`;
  if (/[?#]/.test(text)) return `a query or fragment cannot be matched, expected ${PATH_MATCH}`;
  const segments = text.slice(1).split("/");
  for (const [index, segment] of segments.entries()) {
    const problem = segmentProblem(segment, index === segments.length - 1);
    if (problem !== null) return problem;
  }
  const names = parametersOf(text);
  return new Set(names).size === names.length
    ? null
    : "the same {parameter} twice, expected each once";
}

function segmentProblem(segment: string, isLast: boolean): string | null {
  if (segment.includes("*")) {
    return segment === "*" && isLast
      ? null
      : "* in the middle, expected it only as the last segment";
  }
  if (PARAMETER.test(segment)) return null;
  if (segment === "") return isLast ? null : "an empty segment (//), expected single slashes";
  const decodedDots = segment.replaceAll(/%2e/gi, ".");
  if (decodedDots === "." || decodedDots === "..") return "a dot segment, expected a resolved path";
  return SEGMENT.test(segment)
    ? null
    : `a character that paths do not have, expected ${PATH_MATCH}`;
}

export const ETCD_ENDPOINT_PATTERN = /^https?:\/\/(?:\[[0-9A-Fa-f:.]+\]|[\w.-]+):[1-9][0-9]{0,4}$/;
export const ETCD_ENDPOINT =
  "the address of a member such as http://127.0.0.1:2379 or https://etcd.internal:2379";

export const ETCD_PREFIX_PATTERN = /^(?:\/[\w.-]+)+$/;
export const ETCD_PREFIX = "a path such as /mesh: names behind slashes, without one at the end";

export const REDIS_ADDRESS_PATTERN =
  /^(rediss?):\/\/(?:\[([0-9A-Fa-f:.]+)\]|([\w.-]+))(?::([1-9][0-9]{0,4}))?$/;
export const REDIS_ADDRESS =
  "an address such as redis://127.0.0.1:6379 or rediss://redis.internal:6380";

export interface RedisAddress {
  readonly host: string;
  readonly port: number;
  readonly isTls: boolean;
}

export function parseRedisAddress(text: string): Parsed<RedisAddress> {
  const match = REDIS_ADDRESS_PATTERN.exec(text);
  const port = Number(match?.[4] ?? 6379);
  if (match === null || port > 65_535) return expected(REDIS_ADDRESS);
  const host = match[2] ?? match[3] ?? "";
  return { ok: true, value: { host, port, isTls: match[1] === "rediss" } };
}
