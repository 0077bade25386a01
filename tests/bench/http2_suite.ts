// HTTP/2 and gRPC without TLS: h2load, an nghttpd behind, and nghttpx, HAProxy and nginx to be measured against.
import { runH2load } from "./h2load.ts";
import { askHttp2 } from "./http2_client.ts";
import { HTTP2_WORKLOADS } from "./http2_workloads.ts";
import { IDLE_CONNECTIONS, type Memory } from "./idle.ts";
import type { Series } from "./measure.ts";
import { DIRECT, HAPROXY_HTTP2, NGHTTPX, NGINX_GRPC, startHttp2Backend } from "./others_http2.ts";
import { cpuFindings, type Finding, findSeries, type Verdict, verdicts } from "./results.ts";
import { EDGE, ONE_HOP, OUTBOUND, PATH } from "./sidecars.ts";
import { medianOfPairs } from "./stats.ts";
import type { Suite } from "./suite.ts";

/** With every check and limit in place; a prototype without them did 0.6, 0.35 and 0.8. */
const MAX_CPU_RATIOS = [
  ["grpc", "nghttpx", 1],
  ["grpc", "haproxy", 0.5],
  ["grpc-m1", "haproxy", 1.1],
] as const;
const MAX_P99_ADDED_MS = 1;
const MAX_CONNECTION_KIB = 35;

export const HTTP2: Suite = {
  name: "http2",
  protocol: "http2",
  title: "HTTP/2 and gRPC: the sidecar beside nghttpx, HAProxy and nginx",
  programs: ["h2load", "nghttpd", "nghttpx", "haproxy", "nginx", "taskset"],
  workloads: HTTP2_WORKLOADS,
  peers: [DIRECT, NGHTTPX, HAPROXY_HTTP2, NGINX_GRPC, EDGE, OUTBOUND, PATH],
  memoryOf: [NGHTTPX, HAPROXY_HTTP2, NGINX_GRPC, EDGE, OUTBOUND],
  references: [NGHTTPX.name, HAPROXY_HTTP2.name],
  tools: "h2load (which sends a fixed rate in bursts, every 10 ms) and the backend (nghttpd)",
  startBackend: startHttp2Backend,
  load: runH2load,
  ask: askHttp2,
  judge,
};

function judge(series: readonly Series[], memory: readonly Memory[]): Verdict[] {
  return verdicts(ONE_HOP.flatMap(({ name }) => [
    ...cpuFindings(series, name, MAX_CPU_RATIOS),
    ...latencyFindings(series, name),
    ...memory.filter(({ peer }) => peer === name).map(connectionFinding),
  ]));
}

/** Against no proxy at all in the same repeat. */
function latencyFindings(series: readonly Series[], peer: string): Finding[] {
  const [mine, direct] = [peer, DIRECT.name].map((name) =>
    findSeries(series, "latency", name)?.samples.flatMap(({ p99Ms }) => p99Ms ?? [])
  );
  if (mine === undefined || direct === undefined) return [];
  const value = medianOfPairs(mine, direct, (a, b) => a - b);
  const text = `p99 added at 1,000 calls a second, ${peer}`;
  return [{ text, value, atMost: MAX_P99_ADDED_MS, unit: "ms" }];
}

function connectionFinding({ peer, idleMiB, connectedMiB }: Memory): Finding {
  const value = (connectedMiB - idleMiB) * 1024 / IDLE_CONNECTIONS;
  return { text: `an idle connection, ${peer}`, value, atMost: MAX_CONNECTION_KIB, unit: "KiB" };
}
