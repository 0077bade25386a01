// The small grammars of authorization rules: callers, methods, paths and gRPC methods. Stricter than those of routes: a
// slip in a rule that denies is a hole, so what can never match is refused.
import { ID_SEGMENT, ID_SEGMENT_PATTERN, LABEL_PATTERN, parsePathPattern } from "./patterns.ts";
import { suggest } from "./suggest.ts";
import { expected, type Parsed } from "./units.ts";

const LABEL = "[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?";

/** Not `.` or `..`. */
const SEGMENT = String.raw`(?!\.{1,2}(?:/|$))[A-Za-z0-9._-]{1,255}`;
/** A SPIFFE id as this mesh gives them; a trust domain is that of SPIFFE-ID, section 2.1. */
const ID = `spiffe://[a-z0-9._-]{1,255}/ns/${SEGMENT}/svc/${SEGMENT}`;

export const CALLER_PATTERN: RegExp = new RegExp(`^(?:\\*|${LABEL}|${ID})$`);
export const CALLER = "a service name such as order-service, an id such as " +
  "spiffe://mesh.local/ns/default/svc/order-service, * (any identity) or anonymous (none)";

export const NAMESPACE_PATTERN = ID_SEGMENT_PATTERN;
export const NAMESPACE = ID_SEGMENT;

export const GRPC_METHOD_PATTERN =
  /^[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*\/(?:\*|[A-Za-z_][A-Za-z0-9_]*)$/;
export const GRPC_METHOD = "a gRPC method such as user.UserService/GetUser or user.UserService/*";

export const RULE_NAME_PATTERN = LABEL_PATTERN;
export const RULE_NAME = "letters, digits, dots, dashes and underscores, such as orders-read";

/** What the log and the metric say in place of a rule's name. */
export const RESERVED_RULE_NAMES: readonly string[] = ["default", "ambiguous-path"];

/** The IANA registry of methods, without PRI, which is nobody's request. */
const METHODS: readonly string[] = (
  "GET HEAD POST PUT DELETE PATCH OPTIONS CONNECT TRACE QUERY ACL BASELINE-CONTROL BIND CHECKIN CHECKOUT COPY LABEL " +
  "LINK LOCK MERGE MKACTIVITY MKCALENDAR MKCOL MKREDIRECTREF MKWORKSPACE MOVE ORDERPATCH PROPFIND PROPPATCH REBIND " +
  "REPORT SEARCH UNBIND UNCHECKOUT UNLINK UNLOCK UPDATE UPDATEREDIRECTREF VERSION-CONTROL"
).split(" ");

export const REGISTERED_METHOD = "an HTTP method such as GET";

/** A method that somebody may really send: a slip in one would make a rule that takes nothing. */
export function parseRegisteredMethod(text: string): Parsed<string> {
  if (METHODS.includes(text)) return { ok: true, value: text };
  const meant = suggest(text, METHODS);
  const problem = `unknown method, ${
    meant === undefined ? `expected ${REGISTERED_METHOD}` : `did you mean "${meant}"?`
  }`;
  return { ok: false, problem };
}

export function parseRuleName(text: string): Parsed<string> {
  if (!RULE_NAME_PATTERN.test(text)) return expected(RULE_NAME);
  if (!RESERVED_RULE_NAMES.includes(text)) return { ok: true, value: text };
  return { ok: false, problem: "this name stands for what no rule decided, expected another" };
}

export function parseGrpcMethod(text: string): Parsed<string> {
  if (GRPC_METHOD_PATTERN.test(text)) return { ok: true, value: text };
  const bare = text.replace(/^\//, "");
  if (bare !== text && GRPC_METHOD_PATTERN.test(bare)) {
    return { ok: false, problem: `starts with /, expected ${GRPC_METHOD}` };
  }
  return expected(GRPC_METHOD);
}

/** A path pattern in the one spelling that paths are put into before they are compared. */
export function parseRulePath(text: string): Parsed<string> {
  const parsed = parsePathPattern(text);
  if (!parsed.ok) return parsed;
  for (const escape of text.match(/%../g) ?? []) {
    const letter = String.fromCharCode(parseInt(escape.slice(1), 16));
    if (/[A-Za-z0-9\-._~]/.test(letter)) {
      return { ok: false, problem: "an escaped letter never comes, expected the letter itself" };
    }
    if (/[/\\\0]/.test(letter)) {
      return { ok: false, problem: "paths with this escape are refused, expected one without" };
    }
    if (escape !== escape.toUpperCase()) {
      return { ok: false, problem: "an escape in lower case never comes, expected upper case" };
    }
  }
  return parsed;
}
