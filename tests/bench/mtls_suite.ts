// mTLS: one hop, the whole path through two proxies, handshakes, and what an idle connection holds; TLS 1.3, client certificates
// on both sides, ECDSA with P-256, whoever it is.
import { runH2load } from "./h2load.ts";
import { askHttp2 } from "./http2_client.ts";
import { HTTP2_WORKLOADS, PATH_WORKLOAD } from "./http2_workloads.ts";
import { IDLE_CONNECTIONS, type Memory } from "./idle.ts";
import type { LoadResult } from "./load.ts";
import type { Series } from "./measure.ts";
import {
  HAPROXY_HOP,
  HAPROXY_PORT,
  HOP_WORKLOADS,
  makeIdentities,
  MESH_HOP,
  MESH_PATH,
  MESH_PORT,
  NGHTTPX_HOP,
  NGINX_HOP,
  NGINX_PATH,
  NGINX_PORT,
  PATH_WORKLOADS,
} from "./mtls_peers.ts";
import { DIRECT, startHttp2Backend } from "./others_http2.ts";
import type { Peer, PeerKind, Place } from "./place.ts";
import { cpuFindings, type Finding, findSeries, type Verdict, verdicts } from "./results.ts";
import { median, medianOfPairs } from "./stats.ts";
import type { Suite } from "./suite.ts";
import { askSecurely, runHandshakes } from "./tls_load.ts";
import type { Workload } from "./workloads.ts";

const HOPS = HTTP2_WORKLOADS.filter(({ name }) => HOP_WORKLOADS.includes(name));

const HANDSHAKES: Workload = {
  ...PATH_WORKLOAD,
  name: "handshakes",
  title: "Full handshakes, both sides with a certificate: a request is a handshake",
  connections: 4,
  streams: 1,
};

const MAX_HOP_RATIO = 0.5;
/** Of a core, for both proxies together: what Istio's documentation says of its own is 0.20 for one. */
const MAX_PATH_CPU = 0.1;
const MAX_P99_ADDED_MS = 1;
/** As many handshakes as 0.35 of nginx's are that much more CPU for each. */
const MAX_HANDSHAKE_RATIO = 2.86;
const MAX_CONNECTION_KIB = 50;

/** Without a proxy there is nothing to compare a path with. */
const PLAIN: PeerKind = { ...DIRECT, workloads: PATH_WORKLOADS };

export const MTLS: Suite = {
  name: "mtls",
  protocol: "http2",
  title: "mTLS: the sidecar beside nghttpx, HAProxy and nginx",
  programs: ["h2load", "nghttpd", "nghttpx", "haproxy", "nginx", "openssl", "taskset"],
  workloads: [...HOPS, PATH_WORKLOAD, HANDSHAKES],
  peers: [
    PLAIN,
    NGHTTPX_HOP,
    HAPROXY_HOP,
    NGINX_HOP,
    MESH_HOP,
    NGINX_PATH,
    MESH_PATH,
    NGINX_PORT,
    HAPROXY_PORT,
    MESH_PORT,
  ],
  memoryOf: [NGINX_PORT, HAPROXY_PORT, MESH_PORT],
  references: [HAPROXY_HOP.name, NGINX_PATH.name, NGINX_PORT.name],
  tools: "h2load, openssl s_time and the backend (nghttpd, plain or with client certificates)",
  async startBackend(place) {
    await makeIdentities(place);
    return await startHttp2Backend(place);
  },
  load,
  ask,
  judge,
};

function load(place: Place, peer: Peer, workload: Workload, seconds: number): Promise<LoadResult> {
  if (workload.name === HANDSHAKES.name) return runHandshakes(place, peer, workload, seconds);
  return runH2load(place, peer, workload, seconds);
}

/** TLS ports are asked under TLS. */
function ask(place: Place, peer: Peer, workload: Workload): Promise<Disposable> {
  const isPort = [NGINX_PORT, HAPROXY_PORT, MESH_PORT].some(({ name }) => name === peer.name);
  return isPort ? askSecurely(place, peer, workload) : askHttp2(place, peer, workload);
}

function judge(series: readonly Series[], memory: readonly Memory[]): Verdict[] {
  return verdicts([
    ...cpuFindings(series, MESH_HOP.name, [["grpc", HAPROXY_HOP.name, MAX_HOP_RATIO]]),
    ...pathFindings(series),
    ...cpuFindings(series, MESH_PORT.name, [
      [HANDSHAKES.name, NGINX_PORT.name, MAX_HANDSHAKE_RATIO],
    ]),
    ...memory.filter(({ peer }) => peer === MESH_PORT.name).map(connectionFinding),
  ]);
}

function pathFindings(series: readonly Series[]): Finding[] {
  const samples = (peer: string) => findSeries(series, PATH_WORKLOAD.name, peer)?.samples;
  const mine = samples(MESH_PATH.name);
  const direct = samples(DIRECT.name);
  if (mine === undefined || direct === undefined) return [];
  const times = [mine, direct].map((all) => all.flatMap(({ p99Ms }) => p99Ms ?? []));
  return [
    {
      text: "cores that both sidecars of a path use at 1,000 calls a second",
      value: median(mine.map(({ cpuUs, requestsPerSecond }) => cpuUs * requestsPerSecond / 1e6)),
      atMost: MAX_PATH_CPU,
      unit: "cores",
    },
    {
      text: "p99 added by both at 1,000 calls a second",
      value: medianOfPairs(times[0]!, times[1]!, (a, b) => a - b),
      atMost: MAX_P99_ADDED_MS,
      unit: "ms",
    },
  ];
}

function connectionFinding({ peer, idleMiB, connectedMiB }: Memory): Finding {
  const value = (connectedMiB - idleMiB) * 1024 / IDLE_CONNECTIONS;
  return {
    text: `an idle mTLS connection, ${peer}`,
    value,
    atMost: MAX_CONNECTION_KIB,
    unit: "KiB",
  };
}
