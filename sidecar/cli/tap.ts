// `sidecar tap`: requests of a running sidecar as they end.
import type { JournalEntry } from "../telemetry/journal.ts";
import { ADMIN_OPTIONS, adminUrl } from "./admin_port.ts";
import { parseArguments, refuseMore } from "./arguments.ts";
import type { Command } from "./command.ts";
import { UsageError } from "./errors.ts";
import { EXIT } from "./exit_codes.ts";
import { printable } from "./terminal.ts";

const HELP =
  `Usage: sidecar tap [--admin HOST:PORT] [--upstream NAME] [--listener NAME] [--status 5xx] [--reason CODE] [--path /BEGINNING]
                   [--count N] [--json]

Prints requests of a running sidecar as they end, one line each, until it is interrupted. Whoever reads slowly misses some,
and is told how many; requests never wait.

Options:
  --admin HOST:PORT  its admin port; default 127.0.0.1:15000
  --upstream NAME    only those for this service ("app" is the app beside the sidecar)
  --listener NAME    only those of edge, inbound or outbound
  --status CODE      only those that were answered so: 503, or a class such as 5xx
  --reason CODE      only those that the mesh answered for this reason
  --path PATH        only those whose path begins so
  --count N          end after so many
  --json             print one JSON document a line
  -h, --help         print this

Exit codes: 0 ended, 69 nobody answers there, or the sidecar has ended.

Example:
  sidecar tap --admin 127.0.0.1:15000 --status 5xx
`;

const FILTERS = ["upstream", "listener", "status", "reason", "path"] as const;

export const tapCommand: Command = {
  help: HELP,
  async run(args, { host }) {
    const { values, positionals } = parseArguments(args, {
      ...ADMIN_OPTIONS,
      upstream: { type: "string" },
      listener: { type: "string" },
      status: { type: "string" },
      reason: { type: "string" },
      path: { type: "string" },
      count: { type: "string" },
      json: { type: "boolean", default: false },
    });
    refuseMore(positionals);
    const count = values.count === undefined ? Infinity : Number(values.count);
    if (!(count >= 1)) {
      throw new UsageError(`--count ${JSON.stringify(values.count)}: expected a number`);
    }
    const url = new URL(`${adminUrl(values.admin)}/tap`);
    for (const name of FILTERS) {
      const value = values[name];
      if (value !== undefined) url.searchParams.set(name, value);
    }
    const cut = new AbortController();
    using _int = host.onSignal("SIGINT", () => cut.abort());
    using _term = host.onSignal("SIGTERM", () => cut.abort());
    let printed = 0;
    let isLeftOut = false;
    try {
      for await (const line of host.followAdmin(url.href, cut.signal)) {
        if (line.startsWith("event: left-out")) isLeftOut = true;
        if (!line.startsWith("data: ")) continue;
        const data = line.slice("data: ".length);
        if (isLeftOut) host.err(`sidecar: ${data} requests were left out\n`);
        else host.out(values.json ? `${data}\n` : lineOf(JSON.parse(data)));
        if (!isLeftOut && ++printed >= count) return EXIT.ok;
        isLeftOut = false;
      }
    } catch (error) {
      if (cut.signal.aborted) return EXIT.ok;
      const reason = error instanceof Error ? error.message : String(error);
      host.err(`sidecar: no answer from ${url.origin}: ${reason}\n`);
      return EXIT.unavailable;
    }
    if (cut.signal.aborted) return EXIT.ok;
    host.err("sidecar: the sidecar has ended\n");
    return EXIT.unavailable;
  },
};

function lineOf(entry: JournalEntry): string {
  const { time, status, durationMs, method, path, listener, upstream, endpoint, reason } = entry;
  const parts = [
    time.slice(11, 23),
    String(status),
    `${durationMs.toFixed(1)} ms`.padStart(10),
    listener.padEnd(8),
    `${method} ${path}`,
    `> ${upstream ?? "nobody"}`,
    ...(endpoint === undefined ? [] : [`at ${endpoint}`]),
    ...(reason === undefined ? [] : [`(${reason})`]),
    ...(entry.from === undefined ? [] : [`from ${entry.from}`]),
  ];
  return `${printable(parts.join("  "))}\n`;
}
