// `sidecar run`: the proxy, and with a command the app beside it.
import type { Bootstrap } from "../config/bootstrap.ts";
import { ConfigError } from "../errors.ts";
import { Logger } from "../telemetry/log.ts";
import { parseArguments, refuseMore, requireConfig } from "./arguments.ts";
import type { Command, CommandContext } from "./command.ts";
import { isBug, notPermitted, SpawnError, UsageError } from "./errors.ts";
import { EXIT, signalExit } from "./exit_codes.ts";
import type { Host } from "./host.ts";
import { problemLines, readBootstrap } from "./read_config.ts";
import { runtimeWarning } from "./runtime_warning.ts";
import type { RunningSidecar } from "../app.ts";
import { shutDown, StopSignals, unlessAborted } from "./stop_signals.ts";
import { supervise } from "./supervise.ts";
import { VERSION } from "./version.ts";

const HELP = `Usage: sidecar run --config FILE [-- COMMAND ...]

Runs the sidecar until SIGTERM or SIGINT: it leaves the registry, finishes what is under way and ends. A second
signal ends it at once. With a command it starts the app when the proxy is ready, drains before it stops the app,
and ends with the app's exit code.

Options:
  --config FILE   the bootstrap file, YAML or JSON
  -h, --help      print this

Exit codes: 0 or the app's; 66 the file cannot be read, 69 a port is taken, 77 no permission to start programs,
78 problems in the configuration, 126 the command is not executable, 127 it was not found, 128 + n aborted by signal n.

Examples:
  sidecar run --config sidecar.yaml
  sidecar run --config sidecar.yaml -- ./user-service --port 8001
`;

export const runCommand: Command = {
  help: HELP,
  async run(args, context) {
    const { config, command } = readArguments(args);
    const { host } = context;
    try {
      const bootstrap = await readBootstrap(config, host);
      if (command !== null && !(await host.maySpawn(command[0]))) throw notPermitted(command[0]);
      return await runWith(bootstrap, command, context);
    } catch (error) {
      return refusal(error, host);
    }
  },
};

type AppCommand = readonly [string, ...string[]];

/** Everything after the first `--` is the app's and not looked at. */
function readArguments(args: readonly string[]): { config: string; command: AppCommand | null } {
  const end = args.indexOf("--");
  const own = end < 0 ? args : args.slice(0, end);
  const { values, positionals } = parseArguments(own, { config: { type: "string" } });
  refuseMore(positionals);
  const config = requireConfig(values.config);
  if (end < 0) return { config, command: null };
  const [name, ...rest] = args.slice(end + 1);
  if (name === undefined) throw new UsageError("missing COMMAND after --");
  return { config, command: [name, ...rest] };
}

async function runWith(
  bootstrap: Bootstrap,
  command: AppCommand | null,
  { host, start }: CommandContext,
): Promise<number> {
  const { level, format } = bootstrap.log;
  const write = (line: string) => host.log(line);
  const log = new Logger({ level, format, write, now: () => host.clock.epoch() });
  const warning = runtimeWarning(host.runtime);
  if (warning !== null) log.warn(warning);
  using stops = new StopSignals(host);
  const starting = start(bootstrap, {
    log,
    version: VERSION,
    environment: (name) => host.environment(name),
    residentBytes: () => host.residentBytes(),
  });
  const running = await Promise.race([starting, stops.second]);
  if (typeof running === "string") return signalExit(running);
  // Told to end while it started: the app need not begin.
  if (command === null || stops.hasFirst) return await serve(running, stops, host);
  const killAfterMs = bootstrap.drain.timeoutMs;
  return await supervise({ host, command, running, stops, clock: host.clock, killAfterMs, log });
}

async function serve(
  running: RunningSidecar,
  stops: StopSignals,
  host: Host,
): Promise<number> {
  // A terminal that closes is no reason to end.
  using _hangup = host.onSignal("SIGHUP", () => {});
  const reason = await stops.first;
  const end = shutDown(running, reason).then(() => EXIT.ok);
  return await unlessAborted(stops, end, () => running.abort());
}

/** Why it did not run, on stderr, and the exit code that says so. Bugs and what others handle are thrown on. */
function refusal(error: unknown, host: Host): number {
  if (error instanceof ConfigError) {
    host.err(problemLines(error));
    return EXIT.configuration;
  }
  if (isBug(error) || !(error instanceof Error) || error.name === "InputError") throw error;
  host.err(`sidecar: ${error.message}\n`);
  return error instanceof SpawnError ? error.exitCode : EXIT.unavailable;
}
