// The parts of an upstream's policy about failure: breaker, ejection, limits, checks, fallback, hedging.
import * as z from "zod";
import { HEADER_NAME, HEADER_NAME_PATTERN } from "../patterns.ts";
import { byDefault, choice, list, section, table, text, wholeNumber } from "./fields.ts";
import { duration, headerValue, healthService, path, serviceName, share } from "./scalars.ts";
import { expected, type Parsed } from "../units.ts";

const FAILURES = [
  "5xx",
  "gateway-error",
  "timeout",
  "connect",
  "reset",
  "grpc",
  "CANCELLED",
  "UNKNOWN",
  "DEADLINE_EXCEEDED",
  "RESOURCE_EXHAUSTED",
  "ABORTED",
  "INTERNAL",
  "UNAVAILABLE",
  "DATA_LOSS",
] as const;

const CAUSES = [
  "breaker-open",
  "no-endpoints",
  "overloaded",
  "connect",
  "reset",
  "timeout",
  "5xx",
] as const;

export const circuitBreaker = section({
  description: "Stops calling who fails, for a while, and then tries carefully.",
}, {
  scope: byDefault(
    "policy.upstreams.*.circuitBreaker.scope",
    choice("cluster: one for all endpoints; endpoint: one for each.", ["cluster", "endpoint"]),
  ),
  failureThreshold: byDefault(
    "policy.upstreams.*.circuitBreaker.failureThreshold",
    wholeNumber("Failures in a row that open it.", 1),
  ),
  successThreshold: byDefault(
    "policy.upstreams.*.circuitBreaker.successThreshold",
    wholeNumber("Successes in a row that close it again.", 1),
  ),
  openFor: byDefault(
    "policy.upstreams.*.circuitBreaker.openFor",
    duration("How long it stays open before somebody may try.", { positive: true }),
  ),
  probes: byDefault(
    "policy.upstreams.*.circuitBreaker.probes",
    wholeNumber("Requests at once that try it out then.", 1),
  ),
  failOn: byDefault(
    "policy.upstreams.*.circuitBreaker.failOn",
    list(
      "What counts as a failure; grpc is UNKNOWN, DEADLINE_EXCEEDED, INTERNAL, UNAVAILABLE and DATA_LOSS.",
      choice("A failure, or a gRPC status.", FAILURES),
      1,
    ),
  ),
  slowCall: duration("An answer that takes longer is a failure too; left out: none is.", {
    positive: true,
  }).optional(),
  errorRate: section({ description: "Opens it too where too large a share fails." }, {
    share: byDefault(
      "policy.upstreams.*.circuitBreaker.errorRate.share",
      share("The share of failures."),
    ),
    window: byDefault(
      "policy.upstreams.*.circuitBreaker.errorRate.window",
      duration("Of the requests of so long.", { positive: true }),
    ),
    minRequests: byDefault(
      "policy.upstreams.*.circuitBreaker.errorRate.minRequests",
      wholeNumber("Fewer requests say nothing.", 1),
    ),
  }).optional(),
});

export const outlier = section({
  description: "Leaves endpoints out for a while that do worse than they should.",
}, {
  consecutiveErrors: byDefault(
    "policy.upstreams.*.outlier.consecutiveErrors",
    wholeNumber(
      "Errors in a row: no connection, a reset, a timeout, 502 to 504, UNAVAILABLE. 0: not looked at.",
      0,
    ),
  ),
  baseEjection: byDefault(
    "policy.upstreams.*.outlier.baseEjection",
    duration("How long the first ejection lasts; the next so much longer.", { positive: true }),
  ),
  maxEjection: byDefault(
    "policy.upstreams.*.outlier.maxEjection",
    duration("How long one may last.", { positive: true }),
  ),
  maxShare: byDefault(
    "policy.upstreams.*.outlier.maxShare",
    share("Endpoints that may be out at once; one always stays."),
  ),
  interval: byDefault(
    "policy.upstreams.*.outlier.interval",
    duration("How often endpoints are compared.", { positive: true }),
  ),
  successRate: section({ description: "Who succeeds less than the others is out." }, {
    deviations: byDefault(
      "policy.upstreams.*.outlier.successRate.deviations",
      z.number({ error: "expected a number above 0" }).positive({
        error: "expected a number above 0",
      }).meta({ description: "So many standard deviations below the mean." }),
    ),
    minRequests: byDefault(
      "policy.upstreams.*.outlier.successRate.minRequests",
      wholeNumber("Fewer requests in an interval say nothing.", 1),
    ),
  }).optional(),
  latency: section({ description: "Who is slower than the others is out." }, {
    factor: byDefault(
      "policy.upstreams.*.outlier.latency.factor",
      z.number({ error: "expected a number above 1" }).gt(1, { error: "expected a number above 1" })
        .meta({ description: "So many times the median." }),
    ),
    minRequests: byDefault(
      "policy.upstreams.*.outlier.latency.minRequests",
      wholeNumber("Fewer requests in an interval say nothing.", 1),
    ),
  }).optional(),
});

export const upstreamLimits = section({ description: "What may be under way at once." }, {
  connections: byDefault(
    "policy.upstreams.*.limits.connections",
    wholeNumber("Connections to one endpoint.", 1),
  ),
  pending: byDefault(
    "policy.upstreams.*.limits.pending",
    wholeNumber("Requests that wait for one of them.", 0),
  ),
  requests: byDefault(
    "policy.upstreams.*.limits.requests",
    wholeNumber("Requests to all endpoints together.", 1),
  ),
  retries: byDefault("policy.upstreams.*.limits.retries", wholeNumber("Of these, retries.", 0)),
});

/** Exactly one kind of check; the rule stands in upstream_rules.ts for a message and here for editors. */
export const healthCheck = section({
  description: "Asks each endpoint how it is, by the way that traffic takes.",
}, {
  http: path("A path that answers 2xx.").optional(),
  grpc: healthService("Asked by grpc.health.v1; empty: the whole server.").optional(),
  tcp: z.literal(true, { error: "expected true, or leave it out" })
    .meta({ description: "Whether it takes a connection." }).optional(),
  interval: byDefault(
    "policy.upstreams.*.healthCheck.interval",
    duration("Between two checks.", { positive: true }),
  ),
  timeout: byDefault(
    "policy.upstreams.*.healthCheck.timeout",
    duration("How long an answer may take.", { positive: true }),
  ),
  healthyThreshold: byDefault(
    "policy.upstreams.*.healthCheck.healthyThreshold",
    wholeNumber("Good answers in a row that let it in again.", 1),
  ),
  unhealthyThreshold: byDefault(
    "policy.upstreams.*.healthCheck.unhealthyThreshold",
    wholeNumber("Bad answers in a row that leave it out.", 1),
  ),
}).meta({ oneOf: [{ required: ["http"] }, { required: ["grpc"] }, { required: ["tcp"] }] });

/** Exactly one answer; the rule stands in upstream_rules.ts. */
export const fallback = section({ description: "What is answered where the upstream cannot." }, {
  on: byDefault(
    "policy.upstreams.*.fallback.on",
    list("After which failures.", choice("A failure.", CAUSES), 1),
  ),
  status: wholeNumber("Status of an answer that stands here.", 200).max(599, {
    error: "expected a status from 200 to 599",
  }).optional(),
  headers: byDefault(
    "policy.upstreams.*.fallback.headers",
    table(
      { description: "Its headers.", pattern: HEADER_NAME_PATTERN },
      HEADER_NAME,
      headerValue("The value."),
    ),
  ),
  body: text({ description: "Its body." }, "a text", anything).optional(),
  service: serviceName("Another service that is asked.").optional(),
  lastGood: section({ description: "The last 200 to the same GET, as long as it is not older." }, {
    maxAge: byDefault(
      "policy.upstreams.*.fallback.lastGood.maxAge",
      duration("How old it may be.", { positive: true }),
    ),
  }).optional(),
}).meta({
  oneOf: [{ required: ["status"] }, { required: ["service"] }, { required: ["lastGood"] }],
});

export const hedge = section({
  description: "A second attempt beside a first that is slow; the first answer counts.",
}, { after: duration("How slow.", { positive: true }) });

const matched = (path: "policy.upstreams.*.fault.headers") =>
  byDefault(
    path,
    table(
      {
        description: "Only requests with all of these; * is any value.",
        pattern: HEADER_NAME_PATTERN,
      },
      HEADER_NAME,
      headerValue("The value, or *."),
    ),
  );

export const fault = section({ description: "Failure made to order, to see what callers do." }, {
  delay: section({ description: "Some requests wait." }, {
    time: duration("How long.", { positive: true }),
    percent: share("How many of them."),
  }).optional(),
  abort: section({ description: "Some requests are answered here." }, {
    status: wholeNumber("With this status; gRPC callers get UNAVAILABLE.", 400).max(599, {
      error: "expected a status from 400 to 599",
    }),
    percent: share("How many of them."),
  }).optional(),
  headers: matched("policy.upstreams.*.fault.headers"),
});

export const mirror = section({ description: "Copies of requests, fire and forget." }, {
  to: serviceName("The service that gets them."),
  percent: byDefault("policy.upstreams.*.mirror.percent", share("How many of the requests.")),
});

function anything(value: string): Parsed<string> {
  return value.length <= 65_536 ? { ok: true, value } : expected("at most 64 KiB of text");
}
