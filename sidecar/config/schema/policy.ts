// The dynamic document: section `policy` of the bootstrap, or a file of its own.
import * as z from "zod";
import { SERVICE_NAME, SERVICE_NAME_PATTERN } from "../patterns.ts";
import { authorization } from "./authorization.ts";
import { byDefault, list, section, table, wholeNumber } from "./fields.ts";
import { edge } from "./gateway.ts";
import { inboundJwt } from "./jwt.ts";
import { rateFields, rateKey } from "./rate_limit.ts";
import { duration, headerName, method, pathPattern, schemaReference } from "./scalars.ts";
import { upstream } from "./upstream.ts";

const rateLimit = section({ description: "How often others may call." }, {
  ...rateFields("policy.inbound.rateLimits[]"),
  key: byDefault(
    "policy.inbound.rateLimits[].key",
    rateKey(
      "Whose requests count together: of each service that calls, client address or user; or all.",
      [
        "caller",
        "client",
        "user",
        "all",
      ],
    ),
  ),
  methods: byDefault(
    "policy.inbound.rateLimits[].methods",
    list("Methods counted; empty: any.", method("One method.")),
  ),
  paths: byDefault(
    "policy.inbound.rateLimits[].paths",
    list("Paths counted, as in routes; empty: any.", pathPattern("One pattern.")),
  ),
});

const concurrency = section({
  description: "How much the app may have to do at once, learnt from how long its answers take.",
}, {
  min: byDefault("policy.inbound.concurrency.min", wholeNumber("Never less.", 1)),
  max: byDefault("policy.inbound.concurrency.max", wholeNumber("Never more.", 1)),
  initial: byDefault("policy.inbound.concurrency.initial", wholeNumber("To begin with.", 1)),
  tolerance: byDefault(
    "policy.inbound.concurrency.tolerance",
    z.number({ error: "expected a number above 1" }).gt(1, { error: "expected a number above 1" })
      .meta({ description: "How many times the quickest latency is not yet slow." }),
  ),
  priorityHeader: byDefault(
    "policy.inbound.concurrency.priorityHeader",
    headerName("Says how much a request matters: low, high, or an urgency such as u=5 (RFC 9218)."),
  ),
});

const inbound = section({ description: "How calls to the local app are treated." }, {
  authorization: authorization.optional(),
  jwt: inboundJwt.optional(),
  rateLimits: list(
    "How often others may call; each that takes a call must have a token.",
    rateLimit,
  )
    .optional(),
  concurrency: concurrency.optional(),
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
