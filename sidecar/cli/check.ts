// `sidecar check`: is this configuration sound?
import { parsePolicy } from "../config/load.ts";
import { ConfigError, type ConfigProblem } from "../errors.ts";
import { parseArguments, refuseMore, requireConfig } from "./arguments.ts";
import type { Command } from "./command.ts";
import { UsageError } from "./errors.ts";
import { EXIT } from "./exit_codes.ts";
import type { Host } from "./host.ts";
import { problemLines, readBootstrap, readInput } from "./read_config.ts";

const HELP = `Usage: sidecar check --config FILE [--json]
       sidecar check --policy FILE [--json]

Validates a bootstrap file, and the policy file that it names; or a policy document by itself, such as one that is to be pushed.
Each problem is one line on stderr:
FILE:LINE:COLUMN: path: what is wrong, what was expected

Options:
  --config FILE   the bootstrap file, YAML or JSON
  --policy FILE   a policy document, YAML or JSON
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
      policy: { type: "string" },
      json: { type: "boolean", default: false },
    });
    refuseMore(positionals);
    const { config, policy } = values;
    if (config !== undefined && policy !== undefined) {
      throw new UsageError("--config and --policy, expected one of the two");
    }
    const result = policy === undefined
      ? await checkBootstrap(requireConfig(config), host)
      : await check([policy], () => checkPolicy(policy, host));
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

function checkBootstrap(file: string, host: Host): Promise<CheckResult> {
  const files = [file];
  return check(files, async () => {
    const { policySource } = await readBootstrap(file, host);
    if (policySource.kind !== "file") return;
    files.push(policySource.path);
    await checkPolicy(policySource.path, host);
  });
}

async function check(files: readonly string[], run: () => Promise<void>): Promise<CheckResult> {
  try {
    await run();
    return { ok: true, files, problems: [] };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { ok: false, files, problems: error.problems };
  }
}

async function checkPolicy(path: string, host: Host): Promise<void> {
  parsePolicy(await readInput(path, host), path, (name) => host.environment(name));
}
