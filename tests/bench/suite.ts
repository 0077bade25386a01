// A suite: what is sent, to which proxies, over which version of HTTP, and what was promised of it. Measuring knows nothing else.
import type { Memory } from "./idle.ts";
import type { LoadResult } from "./load.ts";
import type { Series } from "./measure.ts";
import type { Peer, PeerKind, Place, Program, Protocol } from "./place.ts";
import type { Verdict } from "./results.ts";
import type { Workload } from "./workloads.ts";

export interface Suite {
  /** Names its result files too. */
  readonly name: string;
  /** What load, proxies and backend speak. */
  readonly protocol: Protocol;
  readonly title: string;
  /** What it cannot do without. */
  readonly programs: readonly Program[];
  readonly workloads: readonly Workload[];
  /** Every proxy that is measured unless told otherwise; the order of the tables. */
  readonly peers: readonly PeerKind[];
  /** Whose memory is measured, by one request of the first workload on each connection. */
  readonly memoryOf: readonly PeerKind[];
  /** Peers that the CPU of all others is divided by. */
  readonly references: readonly string[];
  /** Who loads and who answers, in words. */
  readonly tools: string;
  /** Starts what every proxy forwards to, and resolves with its port. */
  startBackend(place: Place): Promise<number>;
  /** Loads `peer`; rejects when a request failed. */
  load(place: Place, peer: Peer, workload: Workload, seconds: number): Promise<LoadResult>;
  /** One request on a connection that stays open until it is disposed. Rejects when the answer is not what it should be. */
  ask(place: Place, peer: Peer, workload: Workload): Promise<Disposable>;
  /** Holds what was measured against the promises; what was not measured is left out. */
  judge(series: readonly Series[], memory: readonly Memory[]): Verdict[];
}
