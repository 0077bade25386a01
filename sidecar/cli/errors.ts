// The ways in which a command gives up, each with its exit code.
import { EXIT } from "./exit_codes.ts";

/** A wrong command line. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** A file that cannot be read. */
export class InputError extends Error {
  override readonly name = "InputError";
}

/** A program that could not be started; `exitCode` is what a shell would say. */
export class SpawnError extends Error {
  override readonly name = "SpawnError";
  readonly exitCode: number;

  constructor(message: string, exitCode: number, cause: unknown) {
    super(message, { cause });
    this.exitCode = exitCode;
  }
}

/** An error whose class says that our own code is wrong, not the world. */
export function isBug(error: unknown): boolean {
  return !(error instanceof Error) || error instanceof TypeError || error instanceof RangeError ||
    error instanceof ReferenceError || error instanceof SyntaxError;
}

/** One line about an error nobody expected, with the place it came from. */
export function internalErrorLine(error: unknown): string {
  const [message] = String(error).split("\n");
  const frame = error instanceof Error ? error.stack?.match(/^\s+at .*$/m)?.[0].trim() : undefined;
  return `sidecar: internal error: ${message}${frame === undefined ? "" : ` (${frame})`}\n`;
}

/** Why a file could not be read, in words. */
export function inputError(file: string, error: unknown): InputError {
  const reasons: Readonly<Record<string, string>> = {
    NotFound: "no such file",
    PermissionDenied: "permission denied",
    IsADirectory: "it is a directory",
    NotCapable: "this binary was built without permission to read it",
  };
  const name = error instanceof Error ? error.name : "";
  const [line] = String(error).split("\n");
  return new InputError(`cannot read ${file}: ${reasons[name] ?? line}`);
}

/** Why a program could not be started, in words, with the shell's exit code for it. */
export function spawnError(command: string, error: unknown): SpawnError {
  const name = error instanceof Error ? error.name : "";
  if (name === "NotFound") {
    return new SpawnError(`${command}: command not found`, EXIT.notFound, error);
  }
  if (name === "NotCapable") return notPermitted(command);
  const [line] = String(error).split("\n");
  const reason = name === "PermissionDenied" ? "not executable" : `cannot be executed (${line})`;
  return new SpawnError(`${command}: ${reason}`, EXIT.notExecutable, error);
}

/** This process may not start programs. */
export function notPermitted(command: string): SpawnError {
  const message = `${command}: this binary was built without the permission to start programs; ` +
    "build it with `deno task compile` and not --without-supervise, or start the app beside it";
  return new SpawnError(message, EXIT.noPermission, undefined);
}
