// What a command is to the dispatcher.
import type { startSidecar } from "../app.ts";
import type { Host } from "./host.ts";

/** Resolves when the sidecar takes requests; rejects with a plain message when it cannot. */
export type StartSidecar = typeof startSidecar;

export interface CommandContext {
  readonly host: Host;
  readonly start: StartSidecar;
}

/** One command of the command line. */
export interface Command {
  /** What --help prints, an example included. */
  readonly help: string;
  /** Resolves to the exit code. Throws UsageError on a wrong command line, InputError on an unreadable file. */
  run(args: readonly string[], context: CommandContext): Promise<number>;
}
