// Part of the composition root: the gauges that are read when somebody looks.
import type { AdminViews, RegistryView } from "./admin/admin.ts";
import type { Clock } from "./lib/clock.ts";
import { LoopLag } from "./telemetry/loop_lag.ts";
import type { Metrics } from "./telemetry/metrics.ts";
import type { EndpointStats } from "./upstream/upstreams.ts";

/** `residentBytes` is the process's own memory. What is measured all the time is measured until the result is disposed. */
export function exportGauges(
  metrics: Metrics,
  views: AdminViews,
  clock: Clock,
  residentBytes: () => number,
): Disposable {
  metrics.gauge("mesh_build_info", "The version that runs.").with({ version: views.version }).set(
    1,
  );
  const connections = metrics.gauge("mesh_downstream_connections", "Open connections by listener.");
  const pools = metrics.gauge(
    "mesh_upstream_connections",
    "Connections to endpoints, by cluster and state.",
  );
  const endpoints = metrics.gauge("mesh_cluster_endpoints", "Healthy endpoints by cluster.");
  const revision = metrics.gauge("mesh_snapshot_revision", "Goes up with every change in force.");
  const policyRefused = metrics.gauge(
    "mesh_policy_refused",
    "1 while the newest policy document is refused.",
  );
  const registered = metrics.gauge("mesh_registered", "1 while this instance is in the registry.");
  const exportRegistry = registryGauges(metrics);
  const memory = metrics.gauge("process_resident_memory_bytes", "Resident memory.");
  metrics.onRender(() => {
    // What is gone must not stay at its last value.
    for (const gauge of [connections, pools, endpoints]) gauge.clear();
    for (const listener of views.listeners()) {
      connections.with({ listener: listener.name }).set(listener.connections);
    }
    for (const [cluster, sum] of sumByCluster(views.endpointStats())) {
      for (const [state, count] of Object.entries(sum)) pools.with({ cluster, state }).set(count);
    }
    const snapshot = views.snapshot();
    for (const { name, endpoints: { length } } of snapshot.clusters.values()) {
      endpoints.with({ cluster: name }).set(length);
    }
    revision.with().set(snapshot.revision);
    policyRefused.with().set(views.policyProblem() === undefined ? 0 : 1);
    registered.with().set(views.isRegistered() ? 1 : 0);
    exportRegistry(views.registry());
    memory.with().set(residentBytes());
  });
  return new LoopLag(metrics, clock);
}

/** Two gauges that are there only with a registry that can be away. */
function registryGauges(metrics: Metrics): (registry: RegistryView | undefined) => void {
  const up = metrics.gauge("mesh_registry_up", "1 while the registry can be worked with.");
  const age = metrics.gauge(
    "mesh_registry_age_seconds",
    "How long nobody has confirmed the endpoints in use, by where they come from.",
  );
  return (registry) => {
    age.clear();
    if (registry === undefined) return;
    up.with().set(registry.isUp ? 1 : 0);
    const { source, ageMs } = registry;
    if (ageMs !== undefined) age.with({ source }).set(ageMs / 1000);
  };
}

interface PoolSum {
  idle: number;
  busy: number;
  pending: number;
}

function sumByCluster(stats: readonly EndpointStats[]): ReadonlyMap<string, PoolSum> {
  const sums = new Map<string, PoolSum>();
  for (const { cluster, idle, busy, pending } of stats) {
    const sum = sums.get(cluster) ?? { idle: 0, busy: 0, pending: 0 };
    sums.set(cluster, {
      idle: sum.idle + idle,
      busy: sum.busy + busy,
      pending: sum.pending + pending,
    });
  }
  return sums;
}
