// The dynamic document: section `policy` of the bootstrap, or a file of its own.
import * as z from "zod";
import { SERVICE_NAME, SERVICE_NAME_PATTERN } from "../patterns.ts";
import { byDefault, choice, section, table } from "./fields.ts";
import { bindAddress, duration, schemaReference } from "./scalars.ts";

const loadBalancer = section({ description: "How an endpoint is chosen." }, {
  algorithm: byDefault(
    "policy.upstreams.*.loadBalancer.algorithm",
    choice("The balancer.", ["round-robin"]),
  ),
});

export const upstream = section({ description: "How one upstream service is called." }, {
  protocol: byDefault(
    "policy.upstreams.*.protocol",
    choice("What its endpoints speak; auto finds out.", ["auto", "http1"]),
  ),
  loadBalancer: loadBalancer.prefault({}),
  bind: bindAddress("A local port dedicated to this upstream, whatever Host says.").optional(),
  timeout: byDefault(
    "policy.upstreams.*.timeout",
    duration("How long the head of a response may take once the request was sent; 0: no limit."),
  ),
});

const inbound = section({ description: "How calls to the local app are treated." }, {
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
