// HTTP/1.1: wrk, an nginx behind, and nginx and HAProxy to be measured against.
import { ask, connect } from "./client.ts";
import type { Memory } from "./idle.ts";
import { runWrk } from "./load.ts";
import type { Series } from "./measure.ts";
import { HAPROXY, NGINX, startBackend } from "./others.ts";
import type { Peer, Place } from "./place.ts";
import { cpuFindings, type Finding, type Verdict, verdicts } from "./results.ts";
import { EDGE, EDGE_JWT, ONE_HOP, OUTBOUND, PATH } from "./sidecars.ts";
import type { Suite } from "./suite.ts";
import { requestText, type Workload, WORKLOADS } from "./workloads.ts";

/** A prototype did 1.1 and 1.2. */
const MAX_CPU_RATIOS = [["get", "haproxy", 1.35], ["get", "nginx", 1.5]] as const;
const MAX_IDLE_MIB = 75;
const MAX_CONNECTED_MIB = 110;

export const HTTP1: Suite = {
  name: "http1",
  protocol: "http1",
  title: "HTTP/1.1: the sidecar beside nginx and HAProxy",
  programs: ["wrk", "nginx", "haproxy", "taskset"],
  workloads: WORKLOADS,
  peers: [NGINX, HAPROXY, EDGE, EDGE_JWT, OUTBOUND, PATH],
  memoryOf: [NGINX, HAPROXY, EDGE, OUTBOUND],
  references: ["haproxy", "nginx"],
  tools: "wrk and the backend (nginx)",
  startBackend,
  load: runWrk,
  ask: askOnce,
  judge,
};

async function askOnce(place: Place, peer: Peer, workload: Workload): Promise<Disposable> {
  const connection = await connect(peer.port);
  const text = requestText(workload, peer.path(workload.path), workload.headers(place.token));
  const { status, length } = await ask(connection, text);
  if (status !== 200 || length !== workload.responseBytes) {
    connection.close();
    throw new Error(`${peer.name} answered ${workload.title} with ${status} and ${length} bytes`);
  }
  return connection;
}

function judge(series: readonly Series[], memory: readonly Memory[]): Verdict[] {
  return verdicts(ONE_HOP.flatMap(({ name }) => [
    ...cpuFindings(series, name, MAX_CPU_RATIOS),
    ...memory.filter(({ peer }) => peer === name).flatMap(memoryFindings),
  ]));
}

function memoryFindings({ peer, idleMiB, connectedMiB }: Memory): Finding[] {
  const unit = "MB" as const;
  return [
    { text: `RSS, ${peer}, idle`, value: idleMiB, atMost: MAX_IDLE_MIB, unit },
    {
      text: `RSS, ${peer}, 1,000 idle connections`,
      value: connectedMiB,
      atMost: MAX_CONNECTED_MIB,
      unit,
    },
  ];
}
