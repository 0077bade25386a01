// `sidecar check`: is this configuration sound?
import type { Bootstrap } from "../config/bootstrap.ts";
import { parsePolicy } from "../config/load.ts";
import { ConfigError, type ConfigProblem } from "../errors.ts";
import { parseArguments, refuseMore, requireConfig } from "./arguments.ts";
import type { Command } from "./command.ts";
import { EXIT } from "./exit_codes.ts";
import type { Host } from "./host.ts";
import { problemLines, readBootstrap, readInput } from "./read_config.ts";

const HELP = `Usage: sidecar check --config FILE [--json]

Validates a bootstrap file, and the policy file that it names. Each problem is one line on stderr:
FILE:LINE:COLUMN: path: what is wrong, what was expected

Options:
  --config FILE   the bootstrap file, YAML or JSON
  --json          print {"ok", "files", "problems"} on stdout instead
  -h, --help      print this

Exit codes: 0 sound, 65 problems found, 66 a file cannot be read.

Example:
  sidecar check --config sidecar.yaml
`;

export const checkCommand: Command = {
  help: HELP,
  async run(args, { host }) {
    const { values, positionals } = parseArguments(args, {
      config: { type: "string" },
      json: { type: "boolean", default: false },
    });
    refuseMore(positionals);
    const result = await check(requireConfig(values.config), host);
    if (values.json) host.out(`${JSON.stringify(result, null, 2)}\n`);
    else if (result.ok) host.out(result.files.map((file) => `${file}: ok\n`).join(""));
    else host.err(problemLines(new ConfigError(result.problems)));
    return result.ok ? EXIT.ok : EXIT.badData;
  },
};

interface CheckResult {
  readonly ok: boolean;
  /** What was read. */
  readonly files: readonly string[];
  readonly problems: readonly ConfigProblem[];
}

async function check(file: string, host: Host): Promise<CheckResult> {
  const files = [file];
  try {
    const { policySource } = await readBootstrap(file, host);
    if (policySource.kind === "file") {
      files.push(policySource.path);
      await checkPolicy(policySource, host);
    }
    return { ok: true, files, problems: [] };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { ok: false, files, problems: error.problems };
  }
}

async function checkPolicy(
  { path }: Extract<Bootstrap["policySource"], { kind: "file" }>,
  host: Host,
): Promise<void> {
  parsePolicy(await readInput(path, host), path, (name) => host.environment(name));
}
