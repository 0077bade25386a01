// The closed list of what can go wrong on the data path. proxy/rescue.ts alone turns a kind into an answer.

/** Every kind of failure an exchange can meet; it is also the machine-readable `x-mesh-reason`. */
export type ErrorKind =
  // what the downstream sent
  | "bad-request"
  | "uri-too-long"
  | "headers-too-large"
  | "payload-too-large"
  | "request-timeout"
  | "version-not-supported"
  | "not-implemented"
  // what our own rules decided
  | "missing-authorization"
  | "invalid-authorization"
  | "invalid-token"
  | "invalid-credentials"
  | "insufficient-scope"
  | "jwks-unavailable"
  | "forbidden"
  | "rate-limited"
  | "route-not-found"
  | "method-not-allowed"
  | "tls-required"
  | "loop-detected"
  | "too-many-connections"
  | "overloaded"
  | "fault-injected"
  | "draining"
  // what the upstream did
  | "no-endpoints"
  | "breaker-open"
  | "connect-failed"
  | "connect-timeout"
  | "untrusted-upstream"
  | "upstream-reset"
  | "upstream-protocol"
  | "deadline"
  // nobody is left to read an answer
  | "downstream-gone"
  // a bug of ours
  | "internal";

/** Whose doing it was: downstream = who called us, upstream = whom we called, local = our own rule or bug. */
export type ErrorSide = "downstream" | "upstream" | "local";

/** May the same request be tried again? `if-reused`: only when the connection had served a request before. */
export type Retry = "yes" | "no" | "if-reused";

export interface ProxyErrorOptions {
  readonly side: ErrorSide;
  readonly retry?: Retry;
  readonly cause?: unknown;
  /** Fields that the answer must carry, e.g. `allow` with `method-not-allowed`. Names in lower case. */
  readonly fields?: Readonly<Record<string, string>>;
  /** In place of the status that the kind has; for what policy chose. */
  readonly status?: number;
}

/** The one error of the data path. `message` is for the log; what the peer reads is decided in rescue. */
export class ProxyError extends Error {
  override readonly name = "ProxyError";
  readonly kind: ErrorKind;
  readonly side: ErrorSide;
  readonly retry: Retry;
  readonly fields: Readonly<Record<string, string>> | undefined;
  readonly status: number | undefined;

  constructor(kind: ErrorKind, message: string, options: ProxyErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.kind = kind;
    this.side = options.side;
    this.retry = options.retry ?? "no";
    this.fields = options.fields;
    this.status = options.status;
  }
}

/** One thing wrong in a document the operator wrote. Lines and columns count from 1. */
export interface ConfigProblem {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** Where in the document, e.g. `gateway.routes[2].match.path`; empty for the document itself. */
  readonly path: string;
  /** What is wrong and what was expected. */
  readonly message: string;
}

/** A configuration document that cannot be used, with every problem found in it. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    super(problems.map(formatProblem).join("\n"));
    this.problems = problems;
  }
}

/** `FILE:LINE:COLUMN: path: what is wrong, what was expected`. */
export function formatProblem(problem: ConfigProblem): string {
  const { file, line, column, path, message } = problem;
  return `${file}:${line}:${column}: ${path === "" ? message : `${path}: ${message}`}`;
}
