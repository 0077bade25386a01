// The defaults of policy.upstreams: a part of the table in defaults.ts.
import type { Default } from "./defaults.ts";

export const UPSTREAM_DEFAULTS = {
  "policy.upstreams.*.protocol": {
    value: "auto",
    reason: "The sidecar knows better than the operator what the other end speaks.",
  },
  "policy.upstreams.*.tls": {
    value: "mesh",
    reason: "An endpoint is a sidecar; one that is none must be named.",
  },
  "policy.upstreams.*.loadBalancer.algorithm": {
    value: "round-robin",
    reason: "Even and predictable.",
  },
  "policy.upstreams.*.loadBalancer.slowStart": {
    value: "0s",
    reason: "Only who knows that an app warms up slowly knows how slowly.",
  },
  "policy.upstreams.*.loadBalancer.panicThreshold": {
    value: "50%",
    reason:
      "With half of the endpoints out the rest would drown; some that are out may answer yet.",
  },
  "policy.upstreams.*.loadBalancer.zoneAware": {
    value: true,
    reason: "Whoever names zones pays for traffic between them, in money or in time.",
  },
  "policy.upstreams.*.subsets.*.tags": {
    value: [],
    reason: "A subset by version alone needs no tag.",
  },
  "policy.upstreams.*.split[].weight": {
    value: 0,
    reason: "A part that is reached by its headers needs no share of the rest.",
  },
  "policy.upstreams.*.split[].headers": {
    value: {},
    reason: "None named: its weight alone decides.",
  },
  "policy.upstreams.*.timeout": {
    value: "15s",
    reason: "Longer than any healthy call, shorter than a user's patience.",
  },
  "policy.upstreams.*.retry.attempts": {
    value: 2,
    reason:
      "One more try mends a lost connection; what fails twice is down, and more would add to its load.",
  },
  "policy.upstreams.*.retry.on": {
    value: ["connect", "reset", "gateway-error", "grpc-unavailable"],
    reason: "Failures that another endpoint, or the next moment, is likely not to have.",
  },
  "policy.upstreams.*.retry.backoff": {
    value: "25ms..250ms",
    reason: "Long enough for an endpoint to leave rotation, short against any deadline.",
  },
  "policy.upstreams.*.retry.budget": {
    value: "20%",
    reason:
      "One retry in five requests mends a bad endpoint and cannot double the load of a bad cluster.",
  },
  "policy.upstreams.*.circuitBreaker.scope": {
    value: "cluster",
    reason: "The seed's breaker is one for a service; single endpoints are ejected anyway.",
  },
  "policy.upstreams.*.circuitBreaker.failureThreshold": {
    value: 5,
    reason: "Five in a row are no accident, whatever the rate of requests.",
  },
  "policy.upstreams.*.circuitBreaker.successThreshold": {
    value: 2,
    reason: "One success may be luck.",
  },
  "policy.upstreams.*.circuitBreaker.openFor": {
    value: "30s",
    reason: "Long enough for a restart, short enough for an operator who waits for it.",
  },
  "policy.upstreams.*.circuitBreaker.probes": {
    value: 1,
    reason: "Who has just been down is not tried out by a crowd.",
  },
  "policy.upstreams.*.circuitBreaker.failOn": {
    value: ["5xx", "timeout", "connect", "reset", "grpc"],
    reason: "What says that the service, and not the call, is at fault.",
  },
  "policy.upstreams.*.circuitBreaker.errorRate.share": {
    value: "50%",
    reason: "A service that fails every other time helps nobody.",
  },
  "policy.upstreams.*.circuitBreaker.errorRate.window": {
    value: "10s",
    reason: "Recent enough to mean now, long enough to mean something.",
  },
  "policy.upstreams.*.circuitBreaker.errorRate.minRequests": {
    value: 20,
    reason: "Of fewer a few failures would be half.",
  },
  "policy.upstreams.*.outlier.consecutiveErrors": {
    value: 5,
    reason: "An endpoint that died is out before its registry notices.",
  },
  "policy.upstreams.*.outlier.baseEjection": {
    value: "10s",
    reason: "The time that a registry needs to take it out for good, or an app to come back.",
  },
  "policy.upstreams.*.outlier.maxEjection": {
    value: "5m",
    reason: "Whoever keeps failing is tried again now and then all the same.",
  },
  "policy.upstreams.*.outlier.maxShare": {
    value: "50%",
    reason: "What fails everywhere is no outlier, and those that are left must carry the load.",
  },
  "policy.upstreams.*.outlier.interval": {
    value: "10s",
    reason: "Enough requests to compare, and a bad endpoint is out within seconds.",
  },
  "policy.upstreams.*.outlier.successRate.deviations": {
    value: 1.9,
    reason: "Envoy's default: one bad endpoint of five is further from the mean.",
  },
  "policy.upstreams.*.outlier.successRate.minRequests": {
    value: 100,
    reason: "Envoy's default: a rate of fewer is noise.",
  },
  "policy.upstreams.*.outlier.latency.factor": {
    value: 3,
    reason: "Three times the usual is felt; twice may be the zone.",
  },
  "policy.upstreams.*.outlier.latency.minRequests": {
    value: 20,
    reason: "A mean of fewer is one slow request.",
  },
  "policy.upstreams.*.limits.connections": {
    value: 1024,
    reason: "An app that cannot serve a thousand at once is not helped by more.",
  },
  "policy.upstreams.*.limits.pending": {
    value: 1024,
    reason: "As many again may wait; beyond that an early 503 is kinder than a late 504.",
  },
  "policy.upstreams.*.limits.requests": {
    value: 1024,
    reason: "Whoever asks for a bulkhead wants one; Envoy's is of this size.",
  },
  "policy.upstreams.*.limits.retries": {
    value: 16,
    reason: "Beside the budget: a burst of failures is not answered by a burst of retries.",
  },
  "policy.upstreams.*.healthCheck.interval": {
    value: "10s",
    reason: "Beside passive ejection, which is quicker where there is traffic.",
  },
  "policy.upstreams.*.healthCheck.timeout": {
    value: "3s",
    reason: "An endpoint that needs longer to say that it is well is not.",
  },
  "policy.upstreams.*.healthCheck.healthyThreshold": {
    value: 2,
    reason: "One good answer of an endpoint that was down may be luck.",
  },
  "policy.upstreams.*.healthCheck.unhealthyThreshold": {
    value: 2,
    reason: "One bad answer may be the network's.",
  },
  "policy.upstreams.*.fallback.on": {
    value: ["breaker-open", "no-endpoints", "connect"],
    reason: "Where the upstream did nothing: what failed on its way may have done something.",
  },
  "policy.upstreams.*.fallback.headers": {
    value: {},
    reason: "The content type is that of the body: JSON where it is JSON, else text.",
  },
  "policy.upstreams.*.fallback.lastGood.maxAge": {
    value: "5m",
    reason: "Old enough to bridge a restart, young enough to be worth showing.",
  },
  "policy.upstreams.*.fault.headers": {
    value: {},
    reason: "None named: any request may meet it.",
  },
  "policy.upstreams.*.mirror.percent": {
    value: "100%",
    reason: "Whoever mirrors means all of it; less is asked for.",
  },
} as const satisfies Readonly<Record<string, Default>>;
