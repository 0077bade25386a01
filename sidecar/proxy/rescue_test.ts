import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { type ErrorKind, ProxyError } from "../errors.ts";
import { GRPC, type GrpcName } from "../grpc/status.ts";
import { rescue, toProxyError } from "./rescue.ts";

/** Status and the body's `error`; null where it is the error's own message. Complete, or it does not compile. */
const ANSWERS: Record<ErrorKind, readonly [number, string | null]> = {
  "bad-request": [400, null],
  "uri-too-long": [414, null],
  "headers-too-large": [431, null],
  "payload-too-large": [413, null],
  "request-timeout": [408, null],
  "version-not-supported": [505, null],
  "not-implemented": [501, null],
  "missing-authorization": [401, "missing authorization header"],
  "invalid-authorization": [401, "invalid authorization format"],
  "invalid-token": [401, "invalid token"],
  "invalid-credentials": [401, "invalid credentials"],
  "insufficient-scope": [403, "insufficient scope"],
  "jwks-unavailable": [503, "tokens cannot be checked at the moment"],
  "forbidden": [403, null],
  "tls-required": [403, null],
  "rate-limited": [429, "Too Many Requests"],
  "route-not-found": [404, null],
  "method-not-allowed": [405, "method not allowed"],
  "loop-detected": [508, null],
  "too-many-connections": [503, null],
  "overloaded": [503, null],
  "fault-injected": [503, "fault injected by policy"],
  "draining": [503, null],
  "no-endpoints": [503, null],
  "breaker-open": [503, "circuit breaker is open"],
  "connect-failed": [502, "bad gateway"],
  "connect-timeout": [504, "gateway timeout"],
  "untrusted-upstream": [502, "bad gateway"],
  "upstream-reset": [502, "bad gateway"],
  "upstream-protocol": [502, "bad gateway"],
  "deadline": [504, "gateway timeout"],
  "downstream-gone": [499, "client closed request"],
  "internal": [500, "internal error"],
};

function answer(kind: ErrorKind, fields?: Record<string, string>) {
  const error = new ProxyError(kind, "the message of the log", {
    side: "local",
    cause: new Error("hidden"),
    ...(fields === undefined ? {} : { fields }),
  });
  const response = rescue(error);
  const body = new TextDecoder().decode(response.body.whole());
  return { ...response, body };
}

Deno.test("rescue answers every kind with its status, its words as JSON, and its reason for machines", () => {
  for (
    const [kind, [status, text]] of Object.entries(ANSWERS) as [
      ErrorKind,
      [number, string | null],
    ][]
  ) {
    const { headers, body, ...response } = answer(kind);
    assertEquals(response.status, status, kind);
    assertEquals(body, JSON.stringify({ error: text ?? "the message of the log" }), kind);
    assertEquals(headers.get("x-mesh-reason"), kind);
    assertEquals(headers.get("content-type"), "application/json");
    assertEquals(headers.get("content-length"), String(body.length));
  }
});

Deno.test("rescue shows neither the message of an error that is not for the peer, nor any cause", () => {
  for (
    const [kind, [, text]] of Object.entries(ANSWERS) as [ErrorKind, [number, string | null]][]
  ) {
    const { headers, body } = answer(kind);
    const all = JSON.stringify([...headers]) + body;
    assert(!all.includes("hidden"), kind);
    if (text !== null) assert(!all.includes("the message"), kind);
  }
});

Deno.test("rescue says with every 401 how to authenticate (RFC 9110 15.5.2)", () => {
  const challenge = (kind: ErrorKind) => answer(kind).headers.get("www-authenticate");
  assertEquals(challenge("missing-authorization"), "Bearer");
  assertEquals(challenge("invalid-authorization"), "Bearer");
  assertEquals(challenge("invalid-token"), 'Bearer error="invalid_token"');
  for (
    const [kind, [status]] of Object.entries(ANSWERS) as [ErrorKind, [number, string | null]][]
  ) {
    assertEquals(challenge(kind) !== undefined, status === 401, kind);
  }
});

Deno.test("rescue says when to come back where it is we who are full, going or without keys", () => {
  const kinds = Object.keys(ANSWERS) as ErrorKind[];
  const waiting = kinds.filter((kind) => answer(kind).headers.has("retry-after"));
  assertEquals(waiting, ["jwks-unavailable", "too-many-connections", "overloaded", "draining"]);
});

Deno.test("rescue sends the fields that the error carries, once each, such as Allow with 405", () => {
  const { headers } = answer("method-not-allowed", { allow: "GET, POST" });
  assertEquals(headers.all("allow"), ["GET, POST"]);
  const { headers: own } = answer("draining", { "retry-after": "30" });
  assertEquals(own.all("retry-after"), ["30"]);
});

Deno.test("toProxyError leaves our errors as they are and takes everything else for a bug of ours", () => {
  const ours = new ProxyError("deadline", "late", { side: "upstream" });
  assertStrictEquals(toProxyError(ours), ours);
  for (const other of [new TypeError("x"), "text", undefined, null]) {
    const error = toProxyError(other);
    assertEquals([error.kind, error.side, error.retry], ["internal", "local", "no"]);
    assertStrictEquals(error.cause, other);
  }
});

/** By kind; complete, or it does not compile. */
const GRPC_CODES: Record<ErrorKind, GrpcName> = {
  "bad-request": "INVALID_ARGUMENT",
  "uri-too-long": "INVALID_ARGUMENT",
  "headers-too-large": "RESOURCE_EXHAUSTED",
  "payload-too-large": "RESOURCE_EXHAUSTED",
  "request-timeout": "DEADLINE_EXCEEDED",
  "version-not-supported": "UNIMPLEMENTED",
  "not-implemented": "UNIMPLEMENTED",
  "missing-authorization": "UNAUTHENTICATED",
  "invalid-authorization": "UNAUTHENTICATED",
  "invalid-token": "UNAUTHENTICATED",
  "invalid-credentials": "UNAUTHENTICATED",
  "insufficient-scope": "PERMISSION_DENIED",
  "jwks-unavailable": "UNAVAILABLE",
  "forbidden": "PERMISSION_DENIED",
  "tls-required": "PERMISSION_DENIED",
  "rate-limited": "RESOURCE_EXHAUSTED",
  "route-not-found": "UNIMPLEMENTED",
  "method-not-allowed": "UNIMPLEMENTED",
  "loop-detected": "INTERNAL",
  "too-many-connections": "UNAVAILABLE",
  "overloaded": "UNAVAILABLE",
  "fault-injected": "UNAVAILABLE",
  "draining": "UNAVAILABLE",
  "no-endpoints": "UNAVAILABLE",
  "breaker-open": "UNAVAILABLE",
  "connect-failed": "UNAVAILABLE",
  "connect-timeout": "UNAVAILABLE",
  "untrusted-upstream": "UNAVAILABLE",
  "upstream-reset": "UNAVAILABLE",
  "upstream-protocol": "INTERNAL",
  "deadline": "DEADLINE_EXCEEDED",
  "downstream-gone": "CANCELLED",
  "internal": "INTERNAL",
};

Deno.test("rescue answers a gRPC caller by trailers alone, with the code of each kind and the same words", () => {
  for (const [kind, name] of Object.entries(GRPC_CODES) as [ErrorKind, GrpcName][]) {
    const error = new ProxyError(kind, "own words", { side: "local" });
    const { status, headers, body } = rescue(error, "grpc");
    assertEquals([status, body.isEnded], [200, true], kind);
    assertEquals(headers.get("content-type"), "application/grpc");
    assertEquals(headers.get("grpc-status"), String(GRPC[name]), kind);
    assertEquals(headers.get("grpc-message"), ANSWERS[kind][1] ?? "own words", kind);
    assertEquals(headers.get("x-mesh-reason"), kind);
  }
});
