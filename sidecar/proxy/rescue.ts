// The one place where errors become answers.
import { type ErrorKind, ProxyError } from "../errors.ts";
import { jsonResponse, type Response } from "../http/message.ts";

interface Answer {
  readonly status: number;
  /** The body's `error`; null takes the message of the error itself, which is ours and safe to show. */
  readonly text: string | null;
  readonly fields?: Readonly<Record<string, string>>;
}

const BEARER = { "www-authenticate": "Bearer" };
const INVALID_TOKEN = { "www-authenticate": 'Bearer error="invalid_token"' };
const BAD_GATEWAY: Answer = { status: 502, text: "bad gateway" };
const GATEWAY_TIMEOUT: Answer = { status: 504, text: "gateway timeout" };

/** Every kind there is; the compiler sees to it that none is missing. */
const ANSWERS: Readonly<Record<ErrorKind, Answer>> = {
  "bad-request": { status: 400, text: null },
  "uri-too-long": { status: 414, text: null },
  "headers-too-large": { status: 431, text: null },
  "payload-too-large": { status: 413, text: null },
  "request-timeout": { status: 408, text: null },
  "version-not-supported": { status: 505, text: null },
  "not-implemented": { status: 501, text: null },
  "missing-authorization": { status: 401, text: "missing authorization header", fields: BEARER },
  "invalid-authorization": { status: 401, text: "invalid authorization format", fields: BEARER },
  "invalid-token": { status: 401, text: "invalid token", fields: INVALID_TOKEN },
  "invalid-credentials": { status: 401, text: "invalid credentials", fields: BEARER },
  "forbidden": { status: 403, text: null },
  "rate-limited": { status: 429, text: "Too Many Requests" },
  "route-not-found": { status: 404, text: null },
  "method-not-allowed": { status: 405, text: "method not allowed" },
  "loop-detected": { status: 508, text: null },
  "too-many-connections": { status: 503, text: null, fields: { "retry-after": "1" } },
  "overloaded": { status: 503, text: null, fields: { "retry-after": "1" } },
  "draining": { status: 503, text: null, fields: { "retry-after": "1" } },
  "no-endpoints": { status: 503, text: null },
  "breaker-open": { status: 503, text: "circuit breaker is open" },
  "connect-failed": BAD_GATEWAY,
  "connect-timeout": GATEWAY_TIMEOUT,
  "upstream-reset": BAD_GATEWAY,
  "upstream-protocol": BAD_GATEWAY,
  "deadline": GATEWAY_TIMEOUT,
  // Nobody reads this one; 499 is what logs call it since nginx.
  "downstream-gone": { status: 499, text: "client closed request" },
  "internal": { status: 500, text: "internal error" },
};

/** What went wrong, as a ProxyError; anything else is a bug of ours. */
export function toProxyError(error: unknown): ProxyError {
  if (error instanceof ProxyError) return error;
  return new ProxyError("internal", "unexpected error", { side: "local", cause: error });
}

/** The answer to an exchange that failed. It names its reason for machines. */
export function rescue(error: ProxyError): Response {
  const { status, text, fields } = ANSWERS[error.kind];
  const response = jsonResponse(status, { error: text ?? error.message });
  response.headers.append("x-mesh-reason", error.kind);
  for (const name in fields) response.headers.append(name, fields[name]!);
  for (const name in error.fields) response.headers.set(name, error.fields[name]!);
  return response;
}
