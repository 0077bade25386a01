// Every reason that the mesh answers for, in plain words: what happened, and what to look at.
import type { ErrorKind } from "../../errors.ts";

export interface Explanation {
  /** What happened. */
  readonly what: string;
  /** What to do about it. */
  readonly next: string;
}

/** The compiler sees to it that none is missing. */
export const REASONS: Readonly<Record<ErrorKind, Explanation>> = {
  "bad-request": {
    what: "the caller sent what is no HTTP, or could be read in two ways",
    next: "the detail says which byte; look at the client, or at what stands between it and us",
  },
  "uri-too-long": {
    what: "the request line is longer than limits.requestLine",
    next: "send less in the URL, or raise limits.requestLine (16KiB unless said)",
  },
  "headers-too-large": {
    what: "the headers are more, or more of them, than limits.head and limits.headers allow",
    next:
      "a cookie that grows is the usual cause; limits.head is 64KiB and limits.headers 100 unless said",
  },
  "payload-too-large": {
    what:
      "the body is longer than what has to be held whole may be: JSON for a gRPC method, a login",
    next: "send less, or raise transcode.maxMessage of the route",
  },
  "request-timeout": {
    what: "the caller did not send the whole head of its request within limits.headTimeout",
    next: "a slow or hanging client; many of them are an attack that this bounds",
  },
  "version-not-supported": {
    what: "the caller speaks a version of HTTP that is not spoken here",
    next: "HTTP/1.0, 1.1 and 2 are",
  },
  "not-implemented": {
    what:
      "the caller asks for something that is not offered here, such as CONNECT, or the upstream lacks the method",
    next: "the detail says what",
  },
  "missing-authorization": {
    what: "the route needs a token, and the request has no authorization header",
    next: "send `authorization: Bearer TOKEN`; a token comes from the login path",
  },
  "invalid-authorization": {
    what: "the authorization header is not `Bearer TOKEN`",
    next: "the scheme is Bearer; one space, then the token",
  },
  "invalid-token": {
    what:
      "the token is expired, not yet valid, of another issuer or audience, or not signed by a known key",
    next: "`sidecar token verify` says which; clocks that differ are bridged by jwt.clockSkew",
  },
  "invalid-credentials": {
    what: "the login was refused by the service that checks passwords",
    next: "name or password is wrong; login.verify says who was asked",
  },
  "insufficient-scope": {
    what: "the token is good, but lacks a scope or claim that the route asks for",
    next: "www-authenticate of the answer names the scopes",
  },
  "jwks-unavailable": {
    what: "the keys to check tokens with could not be fetched, and none are remembered",
    next: "look at jwt.jwksUri and at the log of the gateway; it tries again by itself",
  },
  "forbidden": {
    what: "a rule of policy.inbound.authorization does not let this caller do this",
    next:
      "the answer names the rule, the audit log says who called; `sidecar status` shows the policy in force",
  },
  "tls-required": {
    what: "a plain call came to a port that takes mTLS only",
    next:
      "call through your own sidecar's outbound port, or set identity.mode to permissive while you migrate",
  },
  "rate-limited": {
    what: "the caller has used up a rate limit",
    next:
      "retry-after says when to come again; the limit stands at the route (rateLimit) or in policy.inbound.rateLimits",
  },
  "route-not-found": {
    what: "no route of the gateway takes this host, path and headers, or no service has this name",
    next:
      "routes are listed in /snapshot; inside the mesh the Host is a service name such as user-service",
  },
  "method-not-allowed": {
    what: "a route takes this path, but not by this method",
    next: "the header allow names the methods",
  },
  "loop-detected": {
    what: "the request has been here before: it goes round",
    next:
      "look for a route or an upstream that leads back to this gateway; `via` of the request names the way",
  },
  "too-many-connections": {
    what: "limits.connections of the listener are open already",
    next:
      "clients that do not close, or too few instances; mesh_downstream_connections shows how many",
  },
  "overloaded": {
    what: "more was under way than limits (limits.requests, pending) or adaptive concurrency allow",
    next:
      "the callee is slower than its callers: scale it, or look at mesh_concurrency_limit and the upstream's limits",
  },
  "fault-injected": {
    what: "a fault of the policy answered in place of the upstream, on purpose",
    next:
      "remove `fault` from the upstream's policy (sidecar policy history says who put it there)",
  },
  "draining": {
    what: "this instance is stopping and takes nothing new",
    next: "nothing: callers go to others; if there are none, look at the deployment",
  },
  "no-endpoints": {
    what: "no healthy instance of the service is known",
    next:
      "is it registered and well? `sidecar status` lists endpoints and why some are left out; the name may be misspelt",
  },
  "breaker-open": {
    what:
      "the circuit breaker is open: the service failed too often a moment ago, and is left alone for a while",
    next:
      "find out why it failed: `sidecar tap --upstream NAME`, its log; circuitBreaker.openFor says how long it lasts",
  },
  "connect-failed": {
    what: "no connection to the endpoint could be made",
    next: "the process is not there, or a firewall is: the detail has the system's error",
  },
  "connect-timeout": {
    what: "the endpoint did not take the connection in time",
    next:
      "packets are lost on the way (firewall, network policy), or its queue of connections is full",
  },
  "untrusted-upstream": {
    what: "who answered at the endpoint could not prove to be the service that was meant",
    next:
      "certificates of another trust domain, expired ones, or a stale endpoint of another service: the detail says which",
  },
  "upstream-reset": {
    what: "the upstream closed the connection before it had answered",
    next:
      "an app that crashed or restarted, or whose idle timeout is shorter than ours (60s): keep its timeout longer than ours",
  },
  "upstream-protocol": {
    what: "the upstream answered with what is no valid HTTP or gRPC",
    next:
      "the detail says what; a port that speaks another protocol is the usual cause (protocol: http1, http2 or auto)",
  },
  "deadline": {
    what: "the answer did not come in time",
    next:
      "timeout of the upstream or route, perTryTimeout, grpc-timeout or x-mesh-timeout-ms of the caller: the detail says which bound it was",
  },
  "downstream-gone": {
    what: "the caller went away before it had its answer",
    next: "its own timeout is shorter than the work; the work was called off",
  },
  "internal": {
    what: "a bug of the sidecar",
    next: "please report it, with the log line of the request id",
  },
};
