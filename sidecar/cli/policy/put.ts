// `policy put` and `policy rollback`.
import { parseArguments, refuseMore, timeOption } from "../arguments.ts";
import { EXIT } from "../exit_codes.ts";
import type { Host } from "../host.ts";
import { readInput } from "../read_config.ts";
import { ACCESS_OPTIONS, withMeshStore } from "./access.ts";
import { percentOption, revisionOption, serviceAndFile, serviceOf } from "./arguments.ts";
import { apply, type ChangeOptions } from "./change.ts";
import { readHistory, type Version } from "./history.ts";

const CHANGE_OPTIONS = {
  ...ACCESS_OPTIONS,
  message: { type: "string" },
  author: { type: "string" },
  yes: { type: "boolean", default: false },
  canary: { type: "string" },
  "canary-for": { type: "string", default: "30s" },
  wait: { type: "string", default: "10s" },
} as const;

export async function putPolicy(args: readonly string[], host: Host): Promise<number> {
  const { values, positionals } = parseArguments(args, CHANGE_OPTIONS);
  const { message = "", author, ...others } = values;
  const { service, file } = serviceAndFile(positionals);
  const options = changeOptions(others);
  const text = file === "-" ? await host.readStdin() : await readInput(file, host);
  const change = { service, text, author: author ?? whoAmI(host), message };
  return await withMeshStore(others, host, (mesh) => apply(change, mesh, options, host));
}

export async function rollBack(args: readonly string[], host: Host): Promise<number> {
  const { values, positionals: [name, wanted, ...more] } = parseArguments(args, CHANGE_OPTIONS);
  const { message, author, ...others } = values;
  const service = serviceOf(name);
  const revision = wanted === undefined ? undefined : revisionOption(wanted);
  refuseMore(more);
  const options = changeOptions(others);
  return await withMeshStore(others, host, async (mesh) => {
    const version = choose(await readHistory(mesh, service), revision);
    if (version === undefined) {
      const what = revision === undefined ? "an earlier document" : `revision ${revision}`;
      host.err(`sidecar: ${service}: history does not have ${what}\n`);
      return EXIT.noInput;
    }
    const change = {
      service,
      text: version.text,
      author: author ?? whoAmI(host),
      message: message ?? `rollback to ${version.revision || "nothing"}`,
    };
    return await apply(change, mesh, options, host);
  });
}

/** The one of a revision, or the one before the newest; before the first there was no document. */
function choose(
  versions: readonly Version[],
  revision: number | undefined,
): Pick<Version, "revision" | "text"> | undefined {
  if (revision !== undefined) return versions.find((version) => version.revision === revision);
  if (versions.length === 1) return { revision: 0, text: null };
  return versions.at(-2);
}

function changeOptions(
  values: {
    readonly yes: boolean;
    readonly wait: string;
    readonly canary?: string;
    readonly "canary-for": string;
  },
): ChangeOptions {
  const { yes, wait, canary } = values;
  const ms = timeOption("canary-for", values["canary-for"]);
  return {
    isAgreed: yes,
    waitMs: timeOption("wait", wait),
    canary: canary === undefined ? undefined : { percent: percentOption("canary", canary), ms },
  };
}

function whoAmI(host: Host): string {
  return host.environment("USER") || host.environment("LOGNAME") || "unknown";
}
