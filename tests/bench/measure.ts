// One measurement, and the order of many: A B C, A B C ..., so that a drift of the machine meets all alike.
import { PROXY_CORE } from "./children.ts";
import type { LoadResult } from "./load.ts";
import type { Peer, PeerKind, Place } from "./place.ts";
import { readCoreBusyMs, readUsage } from "./proc.ts";
import type { Suite } from "./suite.ts";
import type { Workload } from "./workloads.ts";

export interface Sample extends LoadResult {
  /** User and system time of the proxy, all its processes and threads, for each request. */
  readonly cpuUs: number;
  /** The part of the proxies' core that others used, 0 to 1: what disturbs latency. */
  readonly othersShare: number;
}

/** All samples of one proxy under one workload, in the order of the repeats. */
export interface Series {
  readonly peer: string;
  readonly workload: string;
  readonly samples: readonly Sample[];
}

export interface MeasureOptions {
  readonly repeats: number;
  readonly seconds: number;
  /** For the proxy to compile what it runs often, before each workload. */
  readonly warmUpSeconds: number;
  readonly log: (line: string) => void;
}

/** Starts `kinds` and puts `workloads` on them. The peers stay, for what is read of them afterwards. */
export async function measureAll(
  suite: Suite,
  place: Place,
  kinds: readonly PeerKind[],
  workloads: readonly Workload[],
  options: MeasureOptions,
): Promise<{ readonly series: Series[]; readonly peers: Peer[] }> {
  const started: { readonly kind: PeerKind; readonly peer: Peer }[] = [];
  for (const kind of kinds) started.push({ kind, peer: await kind.start(place) });
  const series: Series[] = [];
  for (const workload of workloads) {
    const able = started.filter(({ kind }) => kind.workloads?.includes(workload.name) ?? true);
    const peers = able.map(({ peer }) => peer);
    series.push(...await measureWorkload(suite, place, peers, workload, options));
  }
  return { series, peers: started.map(({ peer }) => peer) };
}

async function measureWorkload(
  suite: Suite,
  place: Place,
  peers: readonly Peer[],
  workload: Workload,
  { repeats, seconds, warmUpSeconds, log }: MeasureOptions,
): Promise<Series[]> {
  for (const peer of peers) {
    // A proxy that answers something else is not doing the same work.
    (await suite.ask(place, peer, workload))[Symbol.dispose]();
    await measureOnce(suite, place, peer, workload, warmUpSeconds);
  }
  const samples = peers.map((): Sample[] => []);
  for (let repeat = 1; repeat <= repeats; repeat++) {
    for (const [index, peer] of peers.entries()) {
      const sample = await measureOnce(suite, place, peer, workload, seconds);
      samples[index]!.push(sample);
      log(`${workload.name} ${repeat}/${repeats}  ${describe(peer.name, sample)}`);
    }
  }
  return peers.map((peer, index) => ({
    peer: peer.name,
    workload: workload.name,
    samples: samples[index]!,
  }));
}

async function measureOnce(
  suite: Suite,
  place: Place,
  peer: Peer,
  workload: Workload,
  seconds: number,
): Promise<Sample> {
  const roots = peer.processes.map(({ pid }) => pid);
  const startedAt = performance.now();
  const busyBefore = await readCoreBusyMs(PROXY_CORE);
  const before = await readUsage(roots);
  const load = await suite.load(place, peer, workload, seconds);
  const cpuMs = (await readUsage(roots)).cpuMs - before.cpuMs;
  const othersMs = await readCoreBusyMs(PROXY_CORE) - busyBefore - cpuMs;
  const elapsedMs = performance.now() - startedAt;
  const othersShare = Math.max(0, othersMs / elapsedMs);
  return { ...load, cpuUs: cpuMs * 1000 / load.requests, othersShare };
}

function describe(name: string, sample: Sample): string {
  const cpu = sample.cpuUs.toFixed(1).padStart(6);
  const rate = sample.requestsPerSecond.toFixed(0).padStart(7);
  const others = (sample.othersShare * 100).toFixed(0).padStart(3);
  return `${
    name.padEnd(10)
  } ${cpu} µs/req ${rate} req/s  others used ${others} % of the proxies' core`;
}
