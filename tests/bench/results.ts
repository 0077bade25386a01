// What a run found, as it stands in the JSON file, and how it is held against promises.
import type { Memory } from "./idle.ts";
import type { Series } from "./measure.ts";
import type { Machine } from "./proc.ts";
import { median, medianRatio } from "./stats.ts";

export interface Results {
  readonly date: string;
  readonly command: string;
  readonly machine: Machine;
  readonly versions: Readonly<Record<string, string>>;
  readonly load: { readonly repeats: number; readonly seconds: number };
  /** In the order of the sections. */
  readonly workloads: readonly WorkloadRecord[];
  /** In the order of the tables. */
  readonly peers: readonly { readonly name: string; readonly title: string }[];
  readonly series: readonly Series[];
  readonly memory: readonly Memory[];
  /** By peer, at the end of the load. */
  readonly loadedMiB: Readonly<Record<string, number>>;
  readonly targets: readonly Verdict[];
}

/** What was sent: as the workload has it, but for the body. */
export interface WorkloadRecord {
  readonly name: string;
  readonly title: string;
  readonly connections: number;
  readonly streams: number;
  readonly headers: Readonly<Record<string, string>>;
}

export interface Verdict {
  readonly text: string;
  readonly value: number;
  readonly atMost: number;
  readonly unit: "x" | "cores" | "MB" | "KiB" | "ms";
  readonly isMet: boolean;
}

export type Finding = Omit<Verdict, "isMet">;

export function verdicts(findings: readonly Finding[]): Verdict[] {
  return findings.map((finding) => ({ ...finding, isMet: finding.value <= finding.atMost }));
}

/** CPU per request of `peer` against others': by workload, other and how much it may be. */
export function cpuFindings(
  series: readonly Series[],
  peer: string,
  limits: readonly (readonly [workload: string, other: string, atMost: number])[],
): Finding[] {
  return limits.flatMap(([workload, other, atMost]) => {
    const value = cpuRatio(series, workload, peer, other);
    if (value === undefined) return [];
    return [{ text: `CPU per request, ${workload}, ${peer} / ${other}`, value, atMost, unit: "x" }];
  });
}

export function findSeries(
  series: readonly Series[],
  workload: string,
  peer: string,
): Series | undefined {
  return series.find((one) => one.workload === workload && one.peer === peer);
}

/** The median over the repeats of CPU per request against another proxy's in the same repeat. */
export function cpuRatio(
  series: readonly Series[],
  workload: string,
  peer: string,
  other: string,
): number | undefined {
  const mine = findSeries(series, workload, peer);
  const theirs = findSeries(series, workload, other);
  if (mine === undefined || theirs === undefined) return undefined;
  const cpu = ({ samples }: Series): number[] => samples.map(({ cpuUs }) => cpuUs);
  return medianRatio(cpu(mine), cpu(theirs));
}

/** The part of the proxies' core that processes outside the benchmark's peer under load used, 0 to 1. */
export function disturbance(series: readonly Series[]): number {
  const shares = series.flatMap(({ samples }) => samples.map(({ othersShare }) => othersShare));
  return shares.length === 0 ? 0 : median(shares);
}
