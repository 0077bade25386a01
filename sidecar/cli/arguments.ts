// Command lines by node:util's parser, with every mistake as one UsageError.
import { parseArgs, type ParseArgsConfig } from "node:util";
import { parseDuration } from "../config/units.ts";
import { UsageError } from "./errors.ts";

type Options = NonNullable<ParseArgsConfig["options"]>;

/** Options and positionals of `args`; unknown options are refused. */
export function parseArguments<const O extends Options>(args: readonly string[], options: O) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    // Only the first sentence: the rest explains how to pass a positional with a dash.
    const [sentence = ""] = error.message.split(/\. |\n/);
    throw new UsageError(`${sentence.charAt(0).toLowerCase()}${sentence.slice(1)}`);
  }
}

/** The value of --config, which commands that read one cannot do without. */
export function requireConfig(config: string | undefined): string {
  if (config === undefined || config === "") throw new UsageError("missing --config FILE");
  return config;
}

/** Refuses positionals where a command takes none. */
export function refuseMore(positionals: readonly string[]): void {
  const [first] = positionals;
  if (first !== undefined) throw new UsageError(`unexpected argument ${JSON.stringify(first)}`);
}

/** Milliseconds. Throws UsageError. */
export function timeOption(option: string, text: string): number {
  const parsed = parseDuration(text);
  if (parsed.ok) return parsed.value;
  throw new UsageError(`--${option} ${JSON.stringify(text)}: ${parsed.problem}`);
}
