// How one upstream service is called.
import * as z from "zod";
import { HEADER_NAME, HEADER_NAME_PATTERN, LABEL, LABEL_PATTERN } from "../patterns.ts";
import { byDefault, choice, flag, list, section, table, wholeNumber } from "./fields.ts";
import {
  circuitBreaker,
  fallback,
  fault,
  healthCheck,
  hedge,
  mirror,
  outlier,
  upstreamLimits,
} from "./resilience.ts";
import {
  anyText,
  bindAddress,
  duration,
  durationRange,
  headerName,
  headerValue,
  label,
  share,
  tag,
} from "./scalars.ts";

const only = (description: string) =>
  z.literal(true, { error: "expected true, or leave it out" }).meta({ description }).optional();

/** Exactly one of them; the rule stands in upstream_rules.ts. */
const hashOn = section({ description: "What of a request decides where it goes." }, {
  header: headerName("A header.").optional(),
  cookie: anyText("A cookie.", "the name of a cookie").optional(),
  claim: anyText("A claim of a token that was checked here.", "the name of a claim").optional(),
  client: only("The address of the client."),
  path: only("The path."),
});

const loadBalancer = section({ description: "How an endpoint is chosen." }, {
  algorithm: byDefault(
    "policy.upstreams.*.loadBalancer.algorithm",
    choice("The balancer.", [
      "round-robin",
      "least-request",
      "peak-ewma",
      "random",
      "ring-hash",
      "maglev",
    ]),
  ),
  hashOn: hashOn.optional(),
  slowStart: byDefault(
    "policy.upstreams.*.loadBalancer.slowStart",
    duration("How long an endpoint that is new has less than its share; 0: not at all."),
  ),
  panicThreshold: byDefault(
    "policy.upstreams.*.loadBalancer.panicThreshold",
    share("Where fewer of the endpoints are available, all are used."),
  ),
  zoneAware: byDefault(
    "policy.upstreams.*.loadBalancer.zoneAware",
    flag("Whether endpoints of the own zone (service.zone) are preferred."),
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
  perTryTimeout: duration(
    "How long one try may take to answer; counts as a reset. Left out: as long as there is time.",
    { positive: true },
  ).optional(),
  backoff: byDefault(
    "policy.upstreams.*.retry.backoff",
    durationRange("The wait between two tries, drawn at random from this range."),
  ),
  budget: byDefault(
    "policy.upstreams.*.retry.budget",
    share("Retries in proportion to requests, over time."),
  ),
});

const subset = section({ description: "Endpoints that have all of these." }, {
  tags: byDefault("policy.upstreams.*.subsets.*.tags", list("Tags.", tag("A tag."))),
  version: label("The version of the service.").optional(),
});

const part = section({ description: "A part of the traffic." }, {
  subset: label("For the endpoints of this subset."),
  weight: byDefault(
    "policy.upstreams.*.split[].weight",
    wholeNumber("How much of 100.", 0).max(100, { error: "expected at most 100" }),
  ),
  headers: byDefault(
    "policy.upstreams.*.split[].headers",
    table(
      {
        description: "A request with all of these goes here, whatever the weights; * is any value.",
        pattern: HEADER_NAME_PATTERN,
      },
      HEADER_NAME,
      headerValue("The value, or *."),
    ),
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
  subsets: table(
    { description: "Parts of the endpoints, by name.", pattern: LABEL_PATTERN },
    LABEL,
    subset,
  ).optional(),
  split: list("Which part of the traffic goes to which subset.", part, 1).optional(),
  retry: retry.optional(),
  circuitBreaker: circuitBreaker.optional(),
  outlier: outlier.prefault({}),
  limits: upstreamLimits.optional(),
  healthCheck: healthCheck.optional(),
  fallback: fallback.optional(),
  hedge: hedge.optional(),
  fault: fault.optional(),
  mirror: mirror.optional(),
  bind: bindAddress("A local port dedicated to this upstream, whatever Host says.").optional(),
  timeout: byDefault(
    "policy.upstreams.*.timeout",
    duration("How long the head of a response may take once the request was sent; 0: no limit."),
  ),
});

export type UpstreamDocument = z.output<typeof upstream>;
