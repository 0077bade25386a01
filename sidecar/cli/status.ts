// `sidecar status`: how a running sidecar does, by what its admin port says.
import { ADMIN_OPTIONS, adminUrl, withAnswer } from "./admin_port.ts";
import { parseArguments, refuseMore } from "./arguments.ts";
import type { Command } from "./command.ts";
import { EXIT } from "./exit_codes.ts";

const HELP = `Usage: sidecar status [--admin HOST:PORT] [--json]

Says of a running sidecar what it is, whether its app is well and registered, how things stand with registry and policy,
and which endpoints it knows.

Options:
  --admin HOST:PORT  its admin port; default 127.0.0.1:15000
  --json             print what the admin port says
  -h, --help         print this

Exit codes: 0 answered, 69 nobody answers there.

Example:
  sidecar status --admin 127.0.0.1:15100
`;

/** The part of /snapshot that is told. */
interface Snapshot {
  readonly version: string;
  readonly service: { readonly name: string; readonly id: string };
  readonly app: {
    readonly health: { readonly isHealthy: boolean; readonly detail: string } | null;
  } | null;
  readonly isRegistered: boolean;
  readonly isInMaintenance: boolean;
  readonly registry: {
    readonly isUp: boolean;
    readonly source: "live" | "cache";
    readonly ageS: number | null;
    readonly error: string | null;
  } | null;
  readonly policy: {
    readonly revision: string;
    readonly problem: { readonly revision: string; readonly message: string } | null;
  };
  readonly clusters: readonly {
    readonly name: string;
    readonly endpoints: readonly { readonly host: string; readonly port: number }[];
  }[];
  /** Absent where nothing was called yet, and in older sidecars. */
  readonly upstreams?: readonly {
    readonly name: string;
    readonly breaker?: string;
    readonly endpoints: readonly {
      readonly address: string;
      readonly absences: readonly string[];
      readonly breaker?: string;
    }[];
  }[];
}

export const statusCommand: Command = {
  help: HELP,
  async run(args, { host }) {
    const { values, positionals } = parseArguments(args, {
      ...ADMIN_OPTIONS,
      json: { type: "boolean", default: false },
    });
    refuseMore(positionals);
    const url = `${adminUrl(values.admin)}/snapshot`;
    return await withAnswer(host, { method: "GET", url }, ({ status, text }) => {
      const snapshot = status === 200 ? parse(text) : undefined;
      if (snapshot === undefined) {
        host.err(`sidecar: ${url} answered ${status}, and not as a sidecar does\n`);
        return EXIT.unavailable;
      }
      host.out(values.json ? text : inWords(snapshot));
      return EXIT.ok;
    });
  },
};

function parse(text: string): Snapshot | undefined {
  try {
    const value = JSON.parse(text);
    return Array.isArray(value?.clusters) && value.service !== undefined ? value : undefined;
  } catch {
    return undefined;
  }
}

function inWords(snapshot: Snapshot): string {
  const { service, version, clusters } = snapshot;
  const rows = [
    ["service", `${service.name} (${service.id}), sidecar ${version}`],
    ["app", appInWords(snapshot)],
    ["registry", registryInWords(snapshot)],
    ["policy", policyInWords(snapshot)],
    ...clusters.map(({ name }) => [`to ${name}`, clusterInWords(name, snapshot)]),
  ] as const;
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, text]) => `${name.padEnd(width)}  ${text}\n`).join("");
}

function appInWords({ app, isRegistered, isInMaintenance }: Snapshot): string {
  if (app === null) return "none";
  const { isHealthy = false, detail = "" } = app.health ?? {};
  const place = isInMaintenance
    ? "kept out by an operator"
    : isRegistered
    ? "registered"
    : "not registered";
  return `${isHealthy ? "well" : "not well"} (${detail}), ${place}`;
}

function registryInWords({ registry }: Snapshot): string {
  if (registry === null) return "up";
  const { isUp, source, ageS, error } = registry;
  const from = source === "cache" ? "endpoints of the last run" : "endpoints";
  const age = ageS === null ? "never confirmed" : `confirmed ${ageS} s ago`;
  return `${isUp ? "up" : "away"}, ${from} ${age}${error === null ? "" : `: ${error}`}`;
}

/** Its endpoints, with what is the matter with them, and its breaker where that is not closed. */
function clusterInWords(name: string, { clusters, upstreams = [] }: Snapshot): string {
  const state = upstreams.find((upstream) => upstream.name === name);
  const endpoints = clusters.find((cluster) => cluster.name === name)?.endpoints ?? [];
  const words = endpoints.map(({ host, port }) => {
    const address = `${host}:${port}`;
    const known = state?.endpoints.find((endpoint) => endpoint.address === address);
    const matters = [...known?.absences ?? [], ...breakerInWords(known?.breaker)];
    return matters.length === 0 ? address : `${address} (${matters.join(", ")})`;
  });
  const breaker = breakerInWords(state?.breaker).map((text) => `; ${text}`).join("");
  return (words.join(", ") || "no endpoint") + breaker;
}

function breakerInWords(state = "closed"): string[] {
  return state === "closed" ? [] : [`circuit breaker ${state}`];
}

function policyInWords({ policy: { revision, problem } }: Snapshot): string {
  if (problem === null) return `revision ${revision}`;
  return `revision ${revision}; ${problem.revision} is refused: ${problem.message}`;
}
