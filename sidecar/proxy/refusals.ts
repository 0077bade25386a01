// Why no attempt could be made, as errors.
import { ProxyError } from "../errors.ts";
import type { Refusal } from "../upstream/cluster_state.ts";

/** Endpoints tried when no connection can be made: nothing was sent, so another one is safe, but not without end. */
export const MAX_ENDPOINTS = 3;

/** The errors whose words the seed wrote, and ours. */
export function refusalOf(service: string, refusal: Refusal): ProxyError {
  switch (refusal.kind) {
    case "no-endpoints":
      return noEndpoints(service);
    case "breaker-open":
      return new ProxyError("breaker-open", `the circuit breaker of ${service} is open`, {
        side: "upstream",
        fields: { "retry-after": String(Math.max(1, Math.ceil(refusal.openMs / 1000))) },
      });
    case "too-many-requests":
      return new ProxyError("overloaded", `too many requests to ${service} are under way`, {
        side: "local",
      });
  }
}

export function noEndpoints(service: string): ProxyError {
  return new ProxyError(
    "no-endpoints",
    `service unavailable: no healthy instances found for service: ${service}`,
    { side: "upstream" },
  );
}

export function notHttp(service: string): ProxyError {
  return new ProxyError(
    "not-implemented",
    `${service} is raw TCP: connect to the port that policy dedicates to it (upstreams.${service}.bind)`,
    { side: "downstream" },
  );
}
