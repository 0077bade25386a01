// The bootstrap file that --config names, read and checked.
import type { Bootstrap } from "../config/bootstrap.ts";
import { loadBootstrap } from "../config/load.ts";
import { ConfigError, formatProblem } from "../errors.ts";
import { inputError } from "./errors.ts";
import type { Host } from "./host.ts";

/** Throws ConfigError with every problem, or InputError. */
export function readBootstrap(file: string, host: Host): Promise<Bootstrap> {
  return loadBootstrap(file, {
    readText: (path) => readInput(path, host),
    environment: (name) => host.environment(name),
  });
}

/** Throws InputError where the file cannot be read. */
export async function readInput(path: string, host: Host): Promise<string> {
  try {
    return await host.readText(path);
  } catch (error) {
    throw inputError(path, error);
  }
}

/** One line a problem. */
export function problemLines(error: ConfigError): string {
  return error.problems.map((problem) => `${formatProblem(problem)}\n`).join("");
}
