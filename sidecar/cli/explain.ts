// `sidecar explain CODE|REQUEST-ID`: what x-mesh-reason means, or what happened to one request, in plain words.
import { suggest } from "../config/suggest.ts";
import type { JournalEntry } from "../telemetry/journal.ts";
import { ADMIN_OPTIONS, adminUrl, withAnswer } from "./admin_port.ts";
import { parseArguments, refuseMore } from "./arguments.ts";
import type { Command } from "./command.ts";
import { UsageError } from "./errors.ts";
import { EXIT } from "./exit_codes.ts";
import { parseJson } from "./json.ts";
import { type Explanation, REASONS } from "./explain/reasons.ts";
import { printable } from "./terminal.ts";

const HELP = `Usage: sidecar explain CODE [--json]
       sidecar explain REQUEST-ID|TRACE-ID [--admin HOST:PORT] [--json]
       sidecar explain --list

Says in plain words what a reason means (the value of x-mesh-reason, of reason in logs and of mesh.reason in traces), or what
happened to a request that failed, as the sidecar remembers it: the last 200 failures, by x-request-id or trace id.

Options:
  --admin HOST:PORT  its admin port; default 127.0.0.1:15000
  --list             print every reason
  --json             print one JSON document
  -h, --help         print this

Exit codes: 0 explained, 66 there is no such reason, nor is such a request remembered, 69 nobody answers there.

Examples:
  sidecar explain breaker-open
  sidecar explain 0f5e6c1a-3c39-4e65-a6ef-6c0d1d3b7a0e --admin 127.0.0.1:15100
`;

export const explainCommand: Command = {
  help: HELP,
  async run(args, { host }) {
    const { values, positionals: [wanted, ...more] } = parseArguments(args, {
      ...ADMIN_OPTIONS,
      json: { type: "boolean", default: false },
      list: { type: "boolean", default: false },
    });
    refuseMore(more);
    if (values.list) {
      refuseMore(wanted === undefined ? [] : [wanted]);
      host.out(values.json ? `${JSON.stringify(REASONS, null, 2)}\n` : listed());
      return EXIT.ok;
    }
    if (wanted === undefined) throw new UsageError("missing CODE or REQUEST-ID");
    const known = reasonOf(wanted);
    if (known !== undefined) {
      const answer = { reason: wanted, ...known };
      host.out(values.json ? `${JSON.stringify(answer, null, 2)}\n` : inWords(wanted, known));
      return EXIT.ok;
    }
    const url = `${adminUrl(values.admin)}/recent?id=${encodeURIComponent(wanted)}`;
    return await withAnswer(host, { method: "GET", url }, ({ status, text }) => {
      const entries = status === 200 ? parse(text) : undefined;
      if (entries === undefined) {
        host.err(`sidecar: ${url} answered ${status}, and not as a sidecar does\n`);
        return EXIT.unavailable;
      }
      if (entries.length === 0) {
        const meant = suggest(wanted, Object.keys(REASONS));
        const hint = meant === undefined ? "" : `, did you mean "${meant}"?`;
        host.err(
          `sidecar: no reason ${
            JSON.stringify(wanted)
          }, nor a failed request that is remembered${hint}\n`,
        );
        return EXIT.noInput;
      }
      host.out(
        values.json
          ? `${JSON.stringify(entries.map(explained), null, 2)}\n`
          : entries.map(story).join("\n"),
      );
      return EXIT.ok;
    });
  },
};

function reasonOf(code: string): Explanation | undefined {
  return Object.hasOwn(REASONS, code) ? REASONS[code as keyof typeof REASONS] : undefined;
}

function listed(): string {
  const width = Math.max(...Object.keys(REASONS).map((code) => code.length));
  return Object.entries(REASONS).map(([code, { what }]) => `${code.padEnd(width)}  ${what}\n`).join(
    "",
  );
}

function inWords(code: string, { what, next }: Explanation): string {
  return `${code}: ${what}.\nWhat to do: ${next}.\n`;
}

function explained(
  entry: JournalEntry,
): JournalEntry & { readonly explanation: Explanation | null } {
  return { ...entry, explanation: reasonOf(entry.reason ?? "") ?? null };
}

/** What happened, in the order in which one asks. */
function story(entry: JournalEntry): string {
  const { method, path, host, status, listener, durationMs, time, client, from } = entry;
  const { upstream, endpoint, attempts, reason, detail, error } = entry;
  const lines = [
    `${method} ${path} of ${host} came to the ${listener} port from ${from ?? client}`,
    `and was answered ${status === 0 ? "nothing" : status} after ${durationMs} ms, at ${time}.`,
  ];
  if (upstream !== undefined) {
    const where = endpoint === undefined ? "no endpoint" : `${endpoint} last`;
    const tries = attempts === 1 ? "one attempt" : `${attempts} attempts`;
    lines.push(`It was for ${upstream}: ${tries}, ${where}.`);
  }
  if (detail !== undefined) lines.push(`In detail: ${detail}.`);
  if (error !== undefined) lines.push(`The answer did not reach the caller whole: ${error}.`);
  const known = reasonOf(reason ?? "");
  const text = lines.map((line) => `${printable(line)}\n`).join("");
  if (known !== undefined) return text + inWords(reason!, known);
  return `${text}The answer is the upstream's own: look at its log${
    entry.traceId === undefined ? "" : `, or at trace ${printable(entry.traceId)}`
  }.\n`;
}

function parse(text: string): JournalEntry[] | undefined {
  const value = parseJson(text);
  return Array.isArray(value) ? value : undefined;
}
