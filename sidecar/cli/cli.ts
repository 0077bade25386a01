// The command line: which command, and what its errors mean to the shell.
import { suggest } from "../config/suggest.ts";
import type { Command, CommandContext } from "./command.ts";
import { InputError, internalErrorLine, UsageError } from "./errors.ts";
import { EXIT } from "./exit_codes.ts";
import { versionLine } from "./version.ts";

interface Entry {
  readonly summary: string;
  /** Loaded when called: --version should not pay for a schema. */
  load(): Promise<Command>;
}

const COMMANDS: ReadonlyMap<string, Entry> = new Map<string, Entry>([
  ["run", {
    summary: "run the sidecar, and with a command the app beside it",
    load: async () => (await import("./run.ts")).runCommand,
  }],
  ["check", {
    summary: "validate a configuration",
    load: async () => (await import("./check.ts")).checkCommand,
  }],
  ["schema", {
    summary: "print the JSON Schema of a configuration",
    load: async () => (await import("./schema.ts")).schemaCommand,
  }],
  ["status", {
    summary: "how a running sidecar does",
    load: async () => (await import("./status.ts")).statusCommand,
  }],
  ["top", {
    summary: "rates, errors and latencies of a running sidecar, live",
    load: async () => (await import("./top.ts")).topCommand,
  }],
  ["tap", {
    summary: "requests of a running sidecar as they end",
    load: async () => (await import("./tap.ts")).tapCommand,
  }],
  ["explain", {
    summary: "what a reason means, or what happened to a request",
    load: async () => (await import("./explain.ts")).explainCommand,
  }],
  ["drain", {
    summary: "keep a running instance out of the mesh, or let it in again",
    load: async () => (await import("./drain.ts")).drainCommand,
  }],
  ["policy", {
    summary: "show, change, try out and take back the policy that is pushed through etcd",
    load: async () => (await import("./policy.ts")).policyCommand,
  }],
  ["kv", {
    summary: "plain keys of etcd",
    load: async () => (await import("./kv.ts")).kvCommand,
  }],
  ["ca", {
    summary: "make an authority, its certificates, and a next root",
    load: async () => (await import("./ca.ts")).caCommand,
  }],
  ["token", {
    summary: "issue and verify tokens by hand",
    load: async () => (await import("./token.ts")).tokenCommand,
  }],
]);

const HELP = `Usage: sidecar COMMAND [OPTIONS]

A service mesh sidecar and gateway.

Commands:
${[...COMMANDS].map(([name, { summary }]) => `  ${name.padEnd(14)}${summary}`).join("\n")}

Options:
  -h, --help      print this, or after a command its own help
  -V, --version   print the version

Example:
  sidecar run --config sidecar.yaml
`;

/** Runs one command line and resolves to the exit code of the process. Never rejects. */
export async function runCli(args: readonly string[], context: CommandContext): Promise<number> {
  const { host } = context;
  try {
    return await dispatch(args, context);
  } catch (error) {
    if (error instanceof InputError) {
      host.err(`sidecar: ${error.message}\n`);
      return EXIT.noInput;
    }
    host.err(internalErrorLine(error));
    return EXIT.internal;
  } finally {
    await host.flush();
  }
}

async function dispatch(args: readonly string[], context: CommandContext): Promise<number> {
  const { host } = context;
  const [name, ...rest] = args;
  if (name === undefined) {
    host.err(HELP);
    return EXIT.usage;
  }
  if (isHelp(name)) {
    host.out(HELP);
    return EXIT.ok;
  }
  if (name === "--version" || name === "-V") {
    host.out(versionLine(host.runtime));
    return EXIT.ok;
  }
  const entry = COMMANDS.get(name);
  return entry === undefined ? unknown(name, context) : await runEntry(name, entry, rest, context);
}

async function runEntry(
  name: string,
  entry: Entry,
  args: readonly string[],
  context: CommandContext,
): Promise<number> {
  const { host } = context;
  const command = await entry.load();
  const end = args.indexOf("--");
  if (args.slice(0, end < 0 ? args.length : end).some(isHelp)) {
    host.out(command.help);
    return EXIT.ok;
  }
  try {
    return await command.run(args, context);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    host.err(`sidecar ${name}: ${error.message}\nTry: sidecar ${name} --help\n`);
    return EXIT.usage;
  }
}

function unknown(name: string, { host }: CommandContext): number {
  const what = name.startsWith("-") ? "option" : "command";
  const meant = suggest(name, [...COMMANDS.keys()]);
  const hint = meant === undefined ? "" : `, did you mean "${meant}"?`;
  host.err(`sidecar: unknown ${what} ${JSON.stringify(name)}${hint}\nTry: sidecar --help\n`);
  return EXIT.usage;
}

function isHelp(arg: string): boolean {
  return arg === "--help" || arg === "-h";
}
