// Results as Markdown.
import { IDLE_CONNECTIONS } from "./idle.ts";
import type { Sample } from "./measure.ts";
import {
  cpuRatio,
  disturbance,
  findSeries,
  type Results,
  type Verdict,
  type WorkloadRecord,
} from "./results.ts";
import { type Spread, spread } from "./stats.ts";
import type { Suite } from "./suite.ts";

/** Others on the proxies' core above this part of it make latency and req/s doubtful; CPU per request holds. */
const DISTURBED_SHARE = 0.05;

export function toMarkdown(suite: Suite, results: Results): string {
  return [
    `# ${suite.title}`,
    howItWasMade(suite, results),
    ...results.workloads.map((workload) => workloadSection(suite, results, workload)),
    ...(results.memory.length === 0 ? [] : [memorySection(results)]),
    ...(results.targets.length === 0 ? [] : [targetSection(results.targets)]),
  ].join("\n\n") + "\n";
}

function howItWasMade(suite: Suite, results: Results): string {
  const { date, command, machine, versions, load, series } = results;
  const others = disturbance(series);
  const [connections, fields] = [
    results.workloads.map(({ connections }) => connections),
    results.workloads.map(({ headers }) => Object.keys(headers).length),
  ].map((values) => [...new Set(values)].join(" or "));
  const lines = [
    `\`${command}\`, ${date}, ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GB, ${machine.kernel}.`,
    Object.values(versions).join("; ") + ".",
    "",
    `Each proxy runs one data-plane thread, pinned to core 0 with all its threads and processes; ${suite.tools} share core 1.`,
    `${connections} connections that stay, the same ${fields} header fields to all, ${load.repeats} x ${load.seconds} s each, in turn.`,
    "The others only forward. The sidecar has its default policies on: limits, path normalization, routing, forwarding fields, request id, Via, timeout, metrics.",
    "CPU is user and system time by /proc, per request; figures are medians (least to most), ratios are medians of the ratios of each repeat.",
  ];
  if (others > DISTURBED_SHARE) {
    lines.push(
      `Other programs used ${
        percent(others)
      } of the proxies' core: do not trust latency and req/s.`,
    );
  }
  return lines.join("\n");
}

/** Latency is left out where the load could not tell it. */
function workloadSection(
  suite: Suite,
  { peers, series }: Results,
  workload: WorkloadRecord,
): string {
  const references = suite.references.filter((name) => findSeries(series, workload.name, name));
  const titles = references.map((name) => peers.find((peer) => peer.name === name)?.title ?? name);
  const isTimed = series.some(({ workload: name, samples }) =>
    name === workload.name && samples.some(({ p99Ms }) => p99Ms !== undefined)
  );
  const rows = peers.flatMap(({ name, title }) => {
    const samples = findSeries(series, workload.name, name)?.samples;
    if (samples === undefined) return [];
    const value = (read: (sample: Sample) => number) => spread(samples.map(read));
    const cpu = value(({ cpuUs }) => cpuUs);
    const ratios = references.map((other) => cpuRatio(series, workload.name, name, other));
    return [[
      title,
      cpu.max === 0 ? "" : range(cpu, 1),
      ...ratios.map((ratio) => cpu.max === 0 ? "" : times(ratio)),
      value(({ requestsPerSecond }) => requestsPerSecond).median.toFixed(0),
      ...(isTimed ? [value(({ p50Ms }) => p50Ms ?? NaN), value(({ p99Ms }) => p99Ms ?? NaN)] : [])
        .map(({ median }) => median.toFixed(2)),
    ]];
  });
  const head = [
    "proxy",
    "CPU µs/req",
    ...titles.map((title) => `x ${title}`),
    "req/s",
    ...(isTimed ? ["p50 ms", "p99 ms"] : []),
  ];
  return `## ${workload.title}\n\n${table(head, rows)}`;
}

function memorySection({ peers, memory, loadedMiB }: Results): string {
  const rows = peers.flatMap(({ name, title }) => {
    const one = memory.find(({ peer }) => peer === name);
    const loaded = loadedMiB[name];
    if (one === undefined) return [];
    return [[
      title,
      one.idleMiB.toFixed(1),
      one.connectedMiB.toFixed(1),
      loaded === undefined ? "" : loaded.toFixed(1),
    ]];
  });
  const head = ["proxy", "idle", `${IDLE_CONNECTIONS} idle connections`, "after the load"];
  return `## RSS, MB\n\n${table(head, rows)}`;
}

function targetSection(targets: readonly Verdict[]): string {
  return `## Targets\n\n${targets.map((verdict) => `- ${verdictLine(verdict)}`).join("\n")}`;
}

/** PASS or MISS, what, how much, and how much it may be. */
export function verdictLine({ text, value, atMost, unit, isMet }: Verdict): string {
  const digits = unit === "x" || unit === "cores" ? 2 : 1;
  const space = unit === "x" ? "" : " ";
  return `${isMet ? "PASS" : "MISS"} ${text}: ${
    value.toFixed(digits)
  }${space}${unit}, at most ${atMost}${space}${unit}`;
}

function range({ median, min, max }: Spread, digits: number): string {
  return `${median.toFixed(digits)} (${min.toFixed(digits)}-${max.toFixed(digits)})`;
}

function times(ratio: number | undefined): string {
  return ratio === undefined ? "" : ratio.toFixed(2);
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

/** As `deno fmt` would write it: columns as wide as their widest cell. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((cell, column) =>
    Math.max(3, cell.length, ...rows.map((row) => row[column]!.length))
  );
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column]!)).join(" | ")} |`;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
}
