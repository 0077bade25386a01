// What traffic policy costs one request besides the work itself: an endpoint is picked, breakers and limits are asked, and how it went
// is learnt. Five endpoints, each request answered well.
import { parsePolicy } from "../../sidecar/config/load.ts";
import { defaultUpstream } from "../../sidecar/config/build.ts";
import type { UpstreamPolicy } from "../../sidecar/config/build_upstream.ts";
import { AdaptiveLimit } from "../../sidecar/lib/adaptive_limit.ts";
import { systemClock } from "../../sidecar/lib/clock.ts";
import { compileSnapshot } from "../../sidecar/snapshot/compile.ts";
import { ClusterState } from "../../sidecar/upstream/cluster_state.ts";
import { NO_EVENTS } from "../../sidecar/upstream/events.ts";

/** All that a cautious operator might write. */
const EVERYTHING = `
upstreams:
  user-service:
    loadBalancer: { algorithm: peak-ewma, slowStart: 30s }
    outlier: { successRate: {}, latency: {} }
    circuitBreaker: { scope: endpoint, errorRate: {}, slowCall: 1s }
    limits: {}
    retry: { attempts: 3 }
    hedge: { after: 1s }
`;

/** The policy of an upstream that nothing is said of, and one that says all. */
export const POLICIES: ReadonlyMap<string, UpstreamPolicy> = new Map([
  ["default policies", defaultUpstream({ isEdge: false })],
  [
    "every policy",
    parsePolicy(EVERYTHING, "bench", () => undefined).upstreams.get("user-service")!,
  ],
]);

/** Runs so many requests past the policies. */
export function policyRun(policy: UpstreamPolicy): (count: number) => unknown {
  const endpoints = Array.from({ length: 5 }, (_, index) => ({
    id: String(index),
    host: "127.0.0.1",
    port: index + 1,
    tags: [],
    meta: {},
  }));
  const snapshot = compileSnapshot({
    policyRevision: "bench",
    upstreams: new Map([["user-service", policy]]),
    defaultUpstream: policy,
    endpoints: new Map([["user-service", endpoints]]),
    app: undefined,
    home: { trustDomain: "mesh.local", namespace: "default" },
  });
  const cluster = snapshot.clusters.get("user-service")!;
  const state = new ClusterState("user-service", {
    clock: systemClock,
    random: Math.random,
    zone: undefined,
    events: NO_EVENTS,
  });
  state.apply(cluster);
  return (count) => {
    let last: unknown;
    for (let i = 0; i < count; i++) {
      state.budgetOf(cluster)?.deposit();
      const choice = state.choose(cluster, [], undefined, { isRetry: false });
      if (choice.kind !== "chosen") throw new Error(choice.kind);
      choice.attempt.answered(200);
      choice.attempt[Symbol.dispose]();
      last = choice.endpoint;
    }
    return last;
  };
}

/** Adaptive concurrency at an app that keeps up. */
export function concurrencyRun(): (count: number) => unknown {
  const limit = new AdaptiveLimit({ min: 3, max: 1000, initial: 100, tolerance: 1.5 }, 0);
  return (count) => {
    for (let i = 0; i < count; i++) {
      limit.tryAcquire();
      limit.release(20, systemClock.now());
    }
    return limit.limit;
  };
}
