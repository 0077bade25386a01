// What happens to endpoints and breakers, for logs and metrics. Types only.
import type { CheckResult } from "./health.ts";
import type { EjectionReason } from "./outlier.ts";

export type BreakerState = "closed" | "open" | "half-open";

export interface UpstreamEvents {
  /** Without an endpoint it is the breaker of the whole cluster. */
  onBreaker(cluster: string, endpoint: string | undefined, state: BreakerState): void;
  /** `isHeld`: it stayed in, because too many are out already. */
  onEjection(cluster: string, endpoint: string, ejection: Ejection): void;
  /** What active checks found out anew. */
  onEndpointHealth(cluster: string, endpoint: string, result: CheckResult): void;
  /** A request that was not let through to an upstream. */
  onRefused(cluster: string, reason: "breaker-open" | "requests" | "retries"): void;
}

export interface Ejection {
  readonly reason: EjectionReason;
  readonly isHeld: boolean;
  readonly ms: number;
}

/** Nobody listens. */
export const NO_EVENTS: UpstreamEvents = {
  onBreaker: () => {},
  onEjection: () => {},
  onEndpointHealth: () => {},
  onRefused: () => {},
};
