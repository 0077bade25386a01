// Part of the composition root: what happens to endpoints and breakers, as log lines and metrics.
import type { ForwarderEvents } from "./proxy/forward.ts";
import type { Logger } from "./telemetry/log.ts";
import type { Metrics } from "./telemetry/metrics.ts";
import type { UpstreamEvents } from "./upstream/events.ts";
import type { Upstreams } from "./upstream/upstreams.ts";

export function upstreamEvents(log: Logger, metrics: Metrics): UpstreamEvents {
  const changes = metrics.counter(
    "mesh_breaker_changes_total",
    "Times that a circuit breaker changed, by cluster and new state.",
  );
  const ejections = metrics.counter(
    "mesh_ejections_total",
    "Endpoints left out by passive ejection, by cluster and reason; held: too many were out already.",
  );
  const refused = metrics.counter(
    "mesh_upstream_refused_total",
    "Requests and retries not let through to an upstream, by cluster and reason.",
  );
  return {
    onBreaker(cluster, endpoint, state) {
      changes.with({ cluster, state }).add();
      const fields = { upstream: cluster, ...(endpoint === undefined ? {} : { endpoint }), state };
      if (state === "open") log.warn("a circuit breaker opened", fields);
      else log.info("a circuit breaker changed", fields);
    },
    onEjection(cluster, endpoint, { reason, isHeld, ms }) {
      ejections.with({ cluster, reason: isHeld ? "held" : reason }).add();
      if (isHeld) return;
      log.warn("an endpoint is left out", { upstream: cluster, endpoint, reason, ms });
    },
    onEndpointHealth(cluster, endpoint, { isHealthy, detail }) {
      const fields = { upstream: cluster, endpoint, detail };
      if (isHealthy) log.info("an endpoint is healthy", fields);
      else log.warn("an endpoint is not healthy", fields);
    },
    onRefused(cluster, reason) {
      refused.with({ cluster, reason }).add();
    },
  };
}

/** What policy did to requests besides sending them on. */
export function forwarderEvents(metrics: Metrics): ForwarderEvents {
  const faults = metrics.counter("mesh_faults_injected_total", "Faults made to order, by cluster.");
  const mirrored = metrics.counter(
    "mesh_mirrored_total",
    "Copies of requests, by the service that got them and what became of them.",
  );
  return {
    onInjected: (cluster, fault) => faults.with({ cluster, fault }).add(),
    onMirrored: (cluster, result) => mirrored.with({ cluster, result }).add(),
  };
}

const BREAKER_STATES = ["closed", "open", "half-open"] as const;

/** The gauges that are read when somebody looks. */
export function exportUpstreams(metrics: Metrics, upstreams: Upstreams): void {
  const breakers = metrics.gauge(
    "mesh_breaker_state",
    "1 for the state that a cluster's circuit breaker is in.",
  );
  const absent = metrics.gauge(
    "mesh_endpoints_absent",
    "Endpoints that are not used, by cluster and reason.",
  );
  const active = metrics.gauge("mesh_upstream_requests", "Requests under way, by cluster.");
  metrics.onRender(() => {
    for (const gauge of [breakers, absent, active]) gauge.clear();
    for (const { name: cluster, breaker, inFlight, endpoints } of upstreams.views()) {
      active.with({ cluster }).set(inFlight);
      for (const state of breaker === undefined ? [] : BREAKER_STATES) {
        breakers.with({ cluster, state }).set(state === breaker ? 1 : 0);
      }
      for (const reason of ["unhealthy", "ejected"] as const) {
        const { length } = endpoints.filter(({ absences }) => absences.includes(reason));
        absent.with({ cluster, reason }).set(length);
      }
    }
  });
}
