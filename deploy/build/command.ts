// Runs a program to its end and says clearly what failed. For build scripts only.

/** A build step that cannot go on; the message is for the person at the terminal. */
export class BuildError extends Error {
  override readonly name = "BuildError";
}

export interface CommandResult {
  readonly ok: boolean;
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly cwd?: string;
  /** Killed after this long; the result is then not ok. */
  readonly timeoutMs?: number;
}

/** Runs to the end and reports; a program that cannot be started is a BuildError. */
export async function attempt(
  program: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const { cwd, timeoutMs } = options;
  const command = new Deno.Command(program, {
    args: [...args],
    env: { NO_COLOR: "1", RUST_BACKTRACE: "0" },
    stdin: "null",
    ...(cwd === undefined ? {} : { cwd }),
    ...(timeoutMs === undefined ? {} : { signal: AbortSignal.timeout(timeoutMs) }),
  });
  const output = await command.output().catch((cause: unknown) => {
    throw new BuildError(`cannot run ${program}: ${cause}`, { cause });
  });
  const decoder = new TextDecoder();
  return {
    ok: output.success,
    code: output.code,
    stdout: decoder.decode(output.stdout),
    stderr: decoder.decode(output.stderr),
  };
}

/** Like attempt, but failing is a BuildError; returns what was written to standard output. */
export async function run(
  program: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  const result = await attempt(program, args, options);
  if (!result.ok) throw new BuildError(`${program} ${args.join(" ")}\n${result.stderr.trim()}`);
  return result.stdout;
}
