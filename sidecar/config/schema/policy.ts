// The dynamic document: section `policy` of the bootstrap, or a file of its own.
import * as z from "zod";
import { SERVICE_NAME, SERVICE_NAME_PATTERN } from "../patterns.ts";
import { authorization } from "./authorization.ts";
import { byDefault, choice, list, section, table, wholeNumber } from "./fields.ts";
import { edge } from "./gateway.ts";
import { inboundJwt } from "./jwt.ts";
import { bindAddress, duration, durationRange, schemaReference, share } from "./scalars.ts";

const loadBalancer = section({ description: "How an endpoint is chosen." }, {
  algorithm: byDefault(
    "policy.upstreams.*.loadBalancer.algorithm",
    choice("The balancer.", ["round-robin"]),
  ),
});

const retry = section({ description: "When a request is sent once more, and how often." }, {
  attempts: byDefault(
    "policy.upstreams.*.retry.attempts",
    wholeNumber("Tries in all, the first one included.", 1),
  ),
  on: byDefault(
    "policy.upstreams.*.retry.on",
    list(
      "What is worth another try. Without an idempotency key POST and PATCH are never repeated; " +
        "grpc-unavailable repeats any gRPC method that answers UNAVAILABLE before its first message.",
      choice("A failure.", ["connect", "reset", "gateway-error", "grpc-unavailable"]),
      1,
    ),
  ),
  backoff: byDefault(
    "policy.upstreams.*.retry.backoff",
    durationRange("The wait between two tries, drawn at random from this range."),
  ),
  budget: byDefault(
    "policy.upstreams.*.retry.budget",
    share("Retries in proportion to requests, over time."),
  ),
});

export const upstream = section({ description: "How one upstream service is called." }, {
  protocol: byDefault(
    "policy.upstreams.*.protocol",
    choice("What its endpoints speak; auto finds out; tcp needs a bind.", [
      "auto",
      "http1",
      "http2",
      "tcp",
    ]),
  ),
  tls: byDefault(
    "policy.upstreams.*.tls",
    choice(
      "mesh: mTLS as the identity section says; for what has no sidecar none: plain, or origin: TLS, " +
        "where the certificate must be for the endpoint's host.",
      ["mesh", "none", "origin"],
    ),
  ),
  loadBalancer: loadBalancer.prefault({}),
  retry: retry.optional(),
  bind: bindAddress("A local port dedicated to this upstream, whatever Host says.").optional(),
  timeout: byDefault(
    "policy.upstreams.*.timeout",
    duration("How long the head of a response may take once the request was sent; 0: no limit."),
  ),
});

const inbound = section({ description: "How calls to the local app are treated." }, {
  authorization: authorization.optional(),
  jwt: inboundJwt.optional(),
  timeout: byDefault(
    "policy.inbound.timeout",
    duration("How long the head of a response may take once the request was sent; 0: no limit."),
  ),
});

const shape = {
  upstreams: table(
    { description: "Service name to how it is called.", pattern: SERVICE_NAME_PATTERN },
    SERVICE_NAME,
    upstream,
  ).prefault({}),
  inbound: inbound.prefault({}),
  gateway: edge.optional(),
};

/** The section of a bootstrap document. */
export const policy = section({ description: "What is pushed while the sidecar runs." }, shape);

/** A document of its own, which may name its schema for editors. */
export const policyDocument = section({ description: "Policy of a sidecar." }, {
  $schema: schemaReference(),
  ...shape,
});

export type PolicyDocument = z.output<typeof policy>;
export type UpstreamDocument = z.output<typeof upstream>;
