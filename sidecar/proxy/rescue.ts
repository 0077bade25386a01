// The one place where errors become answers.
import { type ErrorKind, ProxyError } from "../errors.ts";
import { grpcAnswer } from "../grpc/errors.ts";
import { GRPC, type GrpcName, type GrpcStatus } from "../grpc/status.ts";
import { jsonResponse, type Response } from "../http/message.ts";

interface Answer {
  readonly status: number;
  /** The same to a caller that speaks gRPC. */
  readonly grpc: GrpcName;
  /** The body's `error`; null takes the message of the error itself, which is ours and safe to show. */
  readonly text: string | null;
  readonly fields?: Readonly<Record<string, string>>;
}

const BEARER = { "www-authenticate": "Bearer" };
const INVALID_TOKEN = { "www-authenticate": 'Bearer error="invalid_token"' };
const BAD_GATEWAY: Answer = { status: 502, grpc: "UNAVAILABLE", text: "bad gateway" };
const GATEWAY_TIMEOUT: Answer = { status: 504, grpc: "UNAVAILABLE", text: "gateway timeout" };

/** Every kind there is; the compiler sees to it that none is missing. */
const ANSWERS: Readonly<Record<ErrorKind, Answer>> = {
  "bad-request": { status: 400, grpc: "INVALID_ARGUMENT", text: null },
  "uri-too-long": { status: 414, grpc: "INVALID_ARGUMENT", text: null },
  "headers-too-large": { status: 431, grpc: "RESOURCE_EXHAUSTED", text: null },
  "payload-too-large": { status: 413, grpc: "RESOURCE_EXHAUSTED", text: null },
  "request-timeout": { status: 408, grpc: "DEADLINE_EXCEEDED", text: null },
  "version-not-supported": { status: 505, grpc: "UNIMPLEMENTED", text: null },
  "not-implemented": { status: 501, grpc: "UNIMPLEMENTED", text: null },
  "missing-authorization": {
    status: 401,
    grpc: "UNAUTHENTICATED",
    text: "missing authorization header",
    fields: BEARER,
  },
  "invalid-authorization": {
    status: 401,
    grpc: "UNAUTHENTICATED",
    text: "invalid authorization format",
    fields: BEARER,
  },
  "invalid-token": {
    status: 401,
    grpc: "UNAUTHENTICATED",
    text: "invalid token",
    fields: INVALID_TOKEN,
  },
  "invalid-credentials": {
    status: 401,
    grpc: "UNAUTHENTICATED",
    text: "invalid credentials",
    fields: BEARER,
  },
  // Which scopes it needs stands in the error's own www-authenticate.
  "insufficient-scope": { status: 403, grpc: "PERMISSION_DENIED", text: "insufficient scope" },
  "jwks-unavailable": {
    status: 503,
    grpc: "UNAVAILABLE",
    text: "tokens cannot be checked at the moment",
    fields: { "retry-after": "1" },
  },
  "forbidden": { status: 403, grpc: "PERMISSION_DENIED", text: null },
  "tls-required": { status: 403, grpc: "PERMISSION_DENIED", text: null },
  "rate-limited": { status: 429, grpc: "RESOURCE_EXHAUSTED", text: "Too Many Requests" },
  "route-not-found": { status: 404, grpc: "UNIMPLEMENTED", text: null },
  "method-not-allowed": { status: 405, grpc: "UNIMPLEMENTED", text: "method not allowed" },
  "loop-detected": { status: 508, grpc: "INTERNAL", text: null },
  "too-many-connections": {
    status: 503,
    grpc: "UNAVAILABLE",
    text: null,
    fields: { "retry-after": "1" },
  },
  "overloaded": { status: 503, grpc: "UNAVAILABLE", text: null, fields: { "retry-after": "1" } },
  "fault-injected": { status: 503, grpc: "UNAVAILABLE", text: "fault injected by policy" },
  "draining": { status: 503, grpc: "UNAVAILABLE", text: null, fields: { "retry-after": "1" } },
  "no-endpoints": { status: 503, grpc: "UNAVAILABLE", text: null },
  "breaker-open": { status: 503, grpc: "UNAVAILABLE", text: "circuit breaker is open" },
  "connect-failed": BAD_GATEWAY,
  "connect-timeout": GATEWAY_TIMEOUT,
  "untrusted-upstream": BAD_GATEWAY,
  "upstream-reset": BAD_GATEWAY,
  // It may have done the work: an invitation to try again would be wrong.
  "upstream-protocol": { ...BAD_GATEWAY, grpc: "INTERNAL" },
  "deadline": { ...GATEWAY_TIMEOUT, grpc: "DEADLINE_EXCEEDED" },
  // Nobody reads this one; 499 is what logs call it since nginx.
  "downstream-gone": { status: 499, grpc: "CANCELLED", text: "client closed request" },
  "internal": { status: 500, grpc: "INTERNAL", text: "internal error" },
};

/** What went wrong, as a ProxyError; anything else is a bug of ours. */
export function toProxyError(error: unknown): ProxyError {
  if (error instanceof ProxyError) return error;
  return new ProxyError("internal", "unexpected error", { side: "local", cause: error });
}

/** The answer to an exchange that failed, in the caller's protocol. It names its reason for machines. */
export function rescue(error: ProxyError, protocol: "http" | "grpc" = "http"): Response {
  const { status, text, fields } = ANSWERS[error.kind];
  const { code, message } = grpcStatusOf(error);
  const response = protocol === "grpc"
    ? grpcAnswer(code, message)
    : jsonResponse(error.status ?? status, { error: text ?? error.message });
  response.headers.append("x-mesh-reason", error.kind);
  for (const name in fields) response.headers.append(name, fields[name]!);
  for (const name in error.fields) response.headers.set(name, error.fields[name]!);
  return response;
}

/** How an error reads in gRPC, also behind a body that has begun. */
export function grpcStatusOf(error: unknown): GrpcStatus {
  const problem = toProxyError(error);
  const { grpc, text } = ANSWERS[problem.kind];
  return { code: GRPC[grpc], message: text ?? problem.message };
}
