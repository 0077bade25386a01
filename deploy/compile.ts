// `deno task compile`: makes dist/sidecar, ONE executable file. By `deno compile` where its runtime can be had (DENORT_BIN, or
// downloaded); else the same bundle is packed with the installed Deno into a file of the same name and behaviour.
// deno-lint-ignore-file no-console -- a command that talks to the person who runs it
import { parseArgs } from "node:util";
import { dirname, join, relative, resolve } from "node:path";
import { bundle, MAIN, ROOT, sourceFiles } from "./build/bundle.ts";
import { attempt, BuildError } from "./build/command.ts";
import { pack } from "./build/pack.ts";
import { describePermissions, runtimeFlags } from "./build/permissions.ts";
import { fileIdentity, freshState, hashInputs, type Method, writeState } from "./build/state.ts";

export interface BuildOptions {
  /** The module to run. Default sidecar/main.ts. */
  readonly entry?: string;
  /** Default dist/sidecar. */
  readonly output?: string;
  /** Directories that the binary may write besides its own, see build/permissions.ts. */
  readonly write?: readonly string[];
  /** What it may read besides those; default: everything. */
  readonly read?: readonly string[];
  /** Hosts it may dial and listen on; default: all. */
  readonly net?: readonly string[];
  /** May the binary start the app? Default true. */
  readonly supervise?: boolean;
  /** Default: compiled where possible, else packed. */
  readonly method?: Method;
  /** Builds although nothing changed. */
  readonly force?: boolean;
  /** Takes the lines for the person at the terminal. Default console.log. */
  readonly log?: (line: string) => void;
}

type Plan = Required<Omit<BuildOptions, "method">> & {
  readonly method: Method | undefined;
  readonly flags: readonly string[];
  readonly recipe: string;
};

/** How long the runtime's download may take before the build goes on without it. */
const DOWNLOAD_TIMEOUT_MS = 180_000;

const CACHE_DIRECTORY = join(ROOT, "dist", ".cache");

/** Makes the executable unless it stands there already, unchanged in all that went in. Returns its path. */
export async function buildSidecar(options: BuildOptions = {}): Promise<string> {
  const plan = await makePlan(options);
  await Deno.mkdir(CACHE_DIRECTORY, { recursive: true });
  await Deno.mkdir(dirname(plan.output), { recursive: true });
  using lock = await Deno.open(`${CACHE_DIRECTORY}/lock`, { create: true, write: true });
  await lock.lock(true); // two builds at once would do the same work twice
  const fresh = plan.force ? undefined : await freshState(plan.output, plan.recipe);
  const method = fresh?.method ?? await build(plan);
  await report(plan, method, fresh !== undefined);
  return plan.output;
}

async function makePlan(options: BuildOptions): Promise<Plan> {
  const { write = [], read = [], net = [], supervise = true, method, force = false } = options;
  const { log = console.log } = options;
  const entry = resolve(ROOT, options.entry ?? "sidecar/main.ts");
  const output = resolve(ROOT, options.output ?? "dist/sidecar");
  const flags = runtimeFlags({ write, read, net, supervise });
  if (await fileIdentity(entry) === undefined) throw new BuildError(`no such entry: ${entry}`);
  const runtime = Deno.env.get("DENORT_BIN");
  const recipe = JSON.stringify({
    entry,
    flags,
    method: method ?? "any",
    deno: [Deno.version.deno, Deno.build.target, await fileIdentity(Deno.execPath())],
    runtime: runtime === undefined ? null : [runtime, await fileIdentity(runtime)],
  });
  return { entry, output, write, read, net, supervise, method, force, log, flags, recipe };
}

/** Bundles, makes the executable beside its place and moves it there in one step. */
async function build(plan: Plan): Promise<Method> {
  // Beside the output, so that moving it there is one rename.
  const workDirectory = await Deno.makeTempDir({ dir: dirname(plan.output), prefix: ".build-" });
  try {
    const inputs = await hashInputs(await sourceFiles(plan.entry));
    const unfinished = join(workDirectory, "sidecar");
    const method = await makeExecutable(plan, unfinished);
    await Deno.rename(unfinished, plan.output);
    await writeState(plan.output, { method, recipe: plan.recipe, inputs });
    return method;
  } finally {
    await Deno.remove(workDirectory, { recursive: true });
  }
}

async function makeExecutable(plan: Plan, output: string): Promise<Method> {
  const workDirectory = dirname(output);
  if (plan.method !== "packed" && await compile(plan, workDirectory, output)) return "compiled";
  const { entry, flags } = plan;
  await pack({ entry, output, flags, cacheDirectory: CACHE_DIRECTORY, workDirectory });
  return "packed";
}

/** False where the runtime cannot be downloaded; every other failure is a BuildError. */
async function compile(plan: Plan, workDirectory: string, output: string): Promise<boolean> {
  const directory = join(workDirectory, "compiled");
  await bundle(plan.entry, directory);
  const files = ["--include", join(directory, "proto")];
  const main = join(directory, MAIN);
  const args = [
    "compile",
    "--quiet",
    "--no-check",
    ...files,
    ...plan.flags,
    "--output",
    output,
    main,
  ];
  const canDownload = Deno.env.get("DENORT_BIN") === undefined;
  const limit = canDownload ? { timeoutMs: DOWNLOAD_TIMEOUT_MS } : {};
  const result = await attempt(Deno.execPath(), args, { cwd: directory, ...limit });
  if (result.ok) return true;
  // Nothing said: the time limit ended it.
  const unreachable = canDownload && /^$|Setting up base binary|denort/.test(result.stderr);
  if (plan.method === "compiled" || !unreachable) {
    throw new BuildError(`deno compile failed:\n${result.stderr.trim()}`);
  }
  plan.log(
    `The runtime of deno compile could not be downloaded (DENORT_BIN names a local one): packing Deno ${Deno.version.deno} instead.`,
  );
  return false;
}

async function report(plan: Plan, method: Method, wasFresh: boolean): Promise<void> {
  const megabytes = ((await fileIdentity(plan.output))?.size ?? 0) / 1e6;
  const path = relative(Deno.cwd(), plan.output);
  const how = method === "compiled"
    ? `by deno compile ${Deno.version.deno}`
    : `packed with Deno ${Deno.version.deno}; needs sh, coreutils, gzip and tar, and unpacks itself once into a private cache`;
  plan.log(`${path}  ${megabytes.toFixed(1)} MB  ${wasFresh ? "unchanged, " : ""}${how}`);
  if (!wasFresh) plan.log(`permissions: ${describePermissions(plan)}`);
}

const HELP = `Makes dist/sidecar, one executable file.

  deno task compile [--write=DIR]... [--read=PATH]... [--net=HOST]... [--without-supervise]
                    [--packed | --compiled] [--force]

  --write=DIR            the sidecar may also write below DIR
  --read=PATH            the sidecar may read PATH and what it may write, and nothing else; default: everything
  --net=HOST             the sidecar may dial and listen on HOST or HOST:PORT, and nothing else; default: everything
  --without-supervise    leaves out the permission to start the app (sidecar run -- COMMAND)
  --packed, --compiled   only this way; default: deno compile where its runtime can be had, else packed
  --force                build although nothing changed

Example: deno task compile --write=/srv/mesh`;

async function main(args: string[]): Promise<void> {
  const flag = { type: "boolean", default: false } as const;
  const { values } = parseArgs({
    args,
    options: {
      write: { type: "string", multiple: true },
      read: { type: "string", multiple: true },
      net: { type: "string", multiple: true },
      "without-supervise": flag,
      packed: flag,
      compiled: flag,
      force: flag,
      help: flag,
    },
  });
  if (values.help) return console.log(HELP);
  const method = values.packed ? "packed" : values.compiled ? "compiled" : undefined;
  await buildSidecar({
    write: values.write ?? [],
    read: values.read ?? [],
    net: values.net ?? [],
    supervise: !values["without-supervise"],
    force: values.force,
    ...(method === undefined ? {} : { method }),
  });
}

if (import.meta.main) {
  try {
    await main(Deno.args);
  } catch (error) {
    if (!(error instanceof BuildError || error instanceof TypeError)) throw error;
    console.error(`compile: ${error.message}`);
    Deno.exit(error instanceof TypeError ? 64 : 1); // parseArgs throws TypeErrors
  }
}
