// `sidecar top`: what goes through a running sidecar, live, by what its metrics say.
import { ADMIN_OPTIONS, adminUrl } from "./admin_port.ts";
import { pause } from "../lib/clock.ts";
import { parseArguments, refuseMore, timeOption } from "./arguments.ts";
import type { Command } from "./command.ts";
import { EXIT } from "./exit_codes.ts";
import { table } from "./terminal.ts";

const HELP = `Usage: sidecar top [--admin HOST:PORT] [--interval TIME] [--once] [--json]

A table of what goes through a running sidecar: requests a second, the share that failed (5xx, and what the mesh answered for itself),
and latencies, by port and by service, anew every interval until it is interrupted.

Options:
  --admin HOST:PORT  its admin port; default 127.0.0.1:15000
  --interval TIME    how long is looked at for each table; default 1s
  --once             one table
  --json             print one JSON document for each table
  -h, --help         print this

Exit codes: 0 ended, 69 nobody answers there.

Example:
  sidecar top --admin 127.0.0.1:15100
`;

/** Clears the screen and goes to its top. */
const CLEAR = "\x1b[2J\x1b[H";

interface Counts {
  requests: number;
  failures: number;
  /** Requests at or below each bound in seconds, the last bound Infinity. */
  readonly buckets: Map<number, number>;
}

export interface Row {
  readonly listener: string;
  readonly upstream: string;
  readonly perSecond: number;
  /** 0 to 1. */
  readonly failed: number;
  /** Milliseconds, an upper bound; undefined where nothing was measured. */
  readonly p50: number | undefined;
  readonly p99: number | undefined;
}

export const topCommand: Command = {
  help: HELP,
  async run(args, { host }) {
    const { values, positionals } = parseArguments(args, {
      ...ADMIN_OPTIONS,
      interval: { type: "string", default: "1s" },
      once: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
    });
    refuseMore(positionals);
    const url = `${adminUrl(values.admin)}/metrics`;
    const ms = timeOption("interval", values.interval);
    const stopped = Promise.withResolvers<void>();
    let isOver = false;
    const stop = () => {
      isOver = true;
      stopped.resolve();
    };
    using _int = host.onSignal("SIGINT", stop);
    using _term = host.onSignal("SIGTERM", stop);
    try {
      let before = countsOf((await host.callAdmin("GET", url)).text);
      for (;;) {
        await Promise.race([pause(host.clock, ms), stopped.promise]);
        if (isOver) return EXIT.ok;
        const after = countsOf((await host.callAdmin("GET", url)).text);
        const rows = rowsOf(before, after, ms / 1000);
        const screen = host.hasColour && !values.once && !values.json ? CLEAR : "";
        host.out(values.json ? `${JSON.stringify(rows)}\n` : screen + tableOf(rows));
        if (values.once) return EXIT.ok;
        before = after;
      }
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      host.err(`sidecar: no answer from ${url}: ${reason}\n`);
      return EXIT.unavailable;
    }
  },
};

const SAMPLE = /^(\w+)\{(.*)\} (\S+)$/gm;

/** By port and service, of Prometheus text. */
export function countsOf(text: string): Map<string, Counts> {
  const counts = new Map<string, Counts>();
  for (const [, name, labels = "", value] of text.matchAll(SAMPLE)) {
    const of = (label: string) => new RegExp(`(?:^|,)${label}="([^"]*)"`).exec(labels)?.[1] ?? "";
    const isCount = name === "mesh_requests_total";
    if (!isCount && name !== "mesh_request_duration_seconds_bucket") continue;
    const key = `${of("listener")} ${of("upstream")}`;
    const known = counts.get(key) ?? { requests: 0, failures: 0, buckets: new Map() };
    counts.set(key, known);
    if (!isCount) {
      const bound = of("le") === "+Inf" ? Infinity : Number(of("le"));
      known.buckets.set(bound, (known.buckets.get(bound) ?? 0) + Number(value));
      continue;
    }
    known.requests += Number(value);
    if (Number(of("status")) >= 500 || of("reason") !== "none") known.failures += Number(value);
  }
  return counts;
}

/** The busiest first. */
export function rowsOf(
  before: ReadonlyMap<string, Counts>,
  after: ReadonlyMap<string, Counts>,
  seconds: number,
): Row[] {
  return [...after].map(([key, now]): Row => {
    const [listener = "", upstream = ""] = key.split(" ");
    const then = before.get(key);
    const requests = now.requests - (then?.requests ?? 0);
    const failures = now.failures - (then?.failures ?? 0);
    const buckets = [...now.buckets].map(([bound, count]) =>
      [bound, count - (then?.buckets.get(bound) ?? 0)] as const
    );
    return {
      listener,
      upstream,
      perSecond: requests / seconds,
      failed: requests === 0 ? 0 : failures / requests,
      p50: quantile(buckets, 0.5),
      p99: quantile(buckets, 0.99),
    };
  }).sort((a, b) => b.perSecond - a.perSecond || a.upstream.localeCompare(b.upstream));
}

/** The bound of the bucket that it falls into. */
function quantile(
  buckets: readonly (readonly [number, number])[],
  share: number,
): number | undefined {
  const sorted = buckets.toSorted(([a], [b]) => a - b);
  const total = sorted.at(-1)?.[1] ?? 0;
  if (total === 0) return undefined;
  const bound = sorted.find(([, count]) => count >= share * total)?.[0] ?? Infinity;
  return bound * 1000;
}

function tableOf(rows: readonly Row[]): string {
  const ms = (value: number | undefined) =>
    value === undefined ? "-" : value === Infinity ? "> 10 s" : `< ${value} ms`;
  return table([
    ["PORT", "SERVICE", "REQ/S", "FAILED", "P50", "P99"],
    ...rows.map(({ listener, upstream, perSecond, failed, p50, p99 }) => [
      listener,
      upstream,
      perSecond.toFixed(1),
      `${(100 * failed).toFixed(1)} %`,
      ms(p50),
      ms(p99),
    ]),
  ]);
}
