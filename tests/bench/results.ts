// What a run found, as it stands in the JSON file, and the promises it is held against.
import type { Memory } from "./idle.ts";
import type { Series } from "./measure.ts";
import type { Machine } from "./proc.ts";
import { median, medianRatio } from "./stats.ts";

export interface Results {
  readonly date: string;
  readonly command: string;
  readonly machine: Machine;
  readonly versions: Readonly<Record<string, string>>;
  readonly load: {
    readonly connections: number;
    readonly repeats: number;
    readonly seconds: number;
    readonly headers: Readonly<Record<string, string>>;
  };
  /** In the order of the tables. */
  readonly peers: readonly { readonly name: string; readonly title: string }[];
  readonly series: readonly Series[];
  readonly memory: readonly Memory[];
  /** By peer, at the end of the load. */
  readonly loadedMiB: Readonly<Record<string, number>>;
  readonly targets: readonly Verdict[];
}

export interface Verdict {
  readonly text: string;
  readonly value: number;
  readonly atMost: number;
  readonly unit: "x" | "MB";
  readonly isMet: boolean;
}

/** The workload and the places of the sidecar that promises speak of. */
const PROMISED_WORKLOAD = "get";
const ONE_HOP = ["edge", "outbound"] as const;
/** A prototype did 1.1 and 1.2. */
const MAX_CPU_RATIOS = [["haproxy", 1.35], ["nginx", 1.5]] as const;
const MAX_IDLE_MIB = 75;
const MAX_CONNECTED_MIB = 110;

/** Holds what was measured against the promises; what was not measured is left out. */
export function judge(series: readonly Series[], memory: readonly Memory[]): Verdict[] {
  const found = ONE_HOP.flatMap((place) => [
    ...cpuVerdicts(series, place),
    ...memory.filter(({ peer }) => peer === place).flatMap(memoryVerdicts),
  ]);
  return found.map((verdict) => ({ ...verdict, isMet: verdict.value <= verdict.atMost }));
}

type Finding = Omit<Verdict, "isMet">;

function cpuVerdicts(series: readonly Series[], place: string): Finding[] {
  return MAX_CPU_RATIOS.flatMap(([other, atMost]) => {
    const value = cpuRatio(series, PROMISED_WORKLOAD, place, other);
    if (value === undefined) return [];
    return [{ text: `CPU per request, ${place} / ${other}`, value, atMost, unit: "x" as const }];
  });
}

function memoryVerdicts({ peer, idleMiB, connectedMiB }: Memory): Finding[] {
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
