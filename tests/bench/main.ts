// `deno task bench`: the sidecar beside nginx and HAProxy on one pinned core; see HELP. Run it on an idle machine.
// deno-lint-ignore-file no-console -- a command that talks to the person who runs it
import { dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { ROOT } from "../../deploy/build/bundle.ts";
import { findProgram } from "../../deploy/servers.ts";
import { Children } from "./children.ts";
import type { PeerKind, Program } from "./place.ts";
import { toMarkdown } from "./report.ts";
import type { Results } from "./results.ts";
import { baseline, MEMORY_OF, PEERS, prototype, run, type RunOptions, WORKLOADS } from "./run.ts";

const HELP = `Measures CPU per request, req/s, latency and memory of the sidecar, nginx and HAProxy.

  deno task bench [--quick] [--assert] [--output=PREFIX]
                  [--repeats=N] [--seconds=N] [--workloads=LIST] [--peers=LIST] [--without-memory]
                  [--sidecar=FILE] [--baseline=FILE] [--prototype=FILE]

  --quick            one second of each: does the benchmark work? Its figures mean little
  --assert           exit 1 when a target is missed
  --output=PREFIX    write PREFIX.md and PREFIX.json. Default for a whole run: tests/bench/results/http1
  --workloads=LIST   of ${WORKLOADS.map(({ name }) => name).join(", ")}
  --peers=LIST       of ${PEERS.map(({ name }) => name).join(", ")}
  --without-memory   only the load
  --sidecar=FILE     measure this executable. Default: dist/sidecar, built first where needed
  --baseline=FILE    measure a second one beside it
  --prototype=FILE   and a proxy of one file: how much do policies and checks cost?

Exit codes: 0 measured, 1 failed (or a target missed, with --assert), 64 usage, 69 a program is missing.

Example: deno task bench --peers=haproxy,edge --workloads=get --baseline=/tmp/before`;

const OPTIONS = {
  help: { type: "boolean", short: "h" },
  quick: { type: "boolean" },
  assert: { type: "boolean" },
  output: { type: "string" },
  repeats: { type: "string" },
  seconds: { type: "string" },
  workloads: { type: "string" },
  peers: { type: "string" },
  "without-memory": { type: "boolean" },
  sidecar: { type: "string" },
  baseline: { type: "string" },
  prototype: { type: "string" },
} as const;

/** Committed: what README quotes. */
const RESULT_FILES = join(ROOT, "tests", "bench", "results", "http1");

class UsageError extends Error {
  override readonly name = "UsageError";
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

type Values = ReturnType<typeof parse>;

function toRunOptions(values: Values, args: readonly string[]): RunOptions {
  const quick = values.quick === true;
  const more = [
    ...(values.baseline === undefined ? [] : [baseline(resolve(values.baseline))]),
    ...(values.prototype === undefined ? [] : [prototype(resolve(values.prototype))]),
  ];
  return {
    repeats: count("repeats", values.repeats, quick ? 1 : 5),
    seconds: count("seconds", values.seconds, quick ? 1 : 4),
    warmUpSeconds: quick ? 1 : 4,
    restMs: quick ? 500 : 5000,
    workloads: choose("workloads", values.workloads, WORKLOADS),
    peers: [...choose<PeerKind>("peers", values.peers, PEERS), ...more],
    memoryOf: values["without-memory"] ? [] : choose("peers", undefined, MEMORY_OF),
    sidecar: values.sidecar === undefined ? undefined : resolve(values.sidecar),
    command: ["deno task bench", ...args].join(" "),
    log: (line) => console.error(line),
  };
}

function count(name: string, text: string | undefined, byDefault: number): number {
  if (text === undefined) return byDefault;
  if (!/^[1-9][0-9]{0,3}$/.test(text)) throw new UsageError(`--${name}: expected a whole number`);
  return Number(text);
}

function choose<T extends { readonly name: string }>(
  option: string,
  list: string | undefined,
  all: readonly T[],
): readonly T[] {
  if (list === undefined) return all;
  const names = list.split(",");
  const unknown = names.find((name) => !all.some((one) => one.name === name));
  if (unknown !== undefined) throw new UsageError(`--${option}: ${unknown} is unknown`);
  return all.filter(({ name }) => names.includes(name));
}

/** The programs it cannot do without, or undefined with the reason printed. */
function findPrograms(): Record<Program, string> | undefined {
  const wanted: readonly Program[] = ["wrk", "nginx", "haproxy", "taskset"];
  const found = wanted.map((name) => [name, findProgram(name)] as const);
  const missing = found.flatMap(([name, path]) => path === undefined ? [name] : []);
  if (missing.length > 0) {
    console.error(`Not installed: ${missing.join(", ")}. On Debian: deno task servers`);
  }
  if (navigator.hardwareConcurrency < 2) {
    console.error("Two cores are needed: one for the proxies, one for load and backend.");
    return undefined;
  }
  return missing.length > 0 ? undefined : Object.fromEntries(found) as Record<Program, string>;
}

/** Resolves when somebody wants it to end. */
function interruption(): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    Deno.addSignalListener(signal, () => reject(new Error(`ended by ${signal}`)));
  }
  return promise;
}

async function measure(
  options: RunOptions,
  programs: Readonly<Record<Program, string>>,
): Promise<Results> {
  const parent = join(ROOT, "dist", ".cache");
  await Deno.mkdir(parent, { recursive: true });
  const directory = await Deno.makeTempDir({ dir: parent, prefix: "bench-" });
  try {
    await using children = new Children();
    return await Promise.race([run(options, children, directory, programs), interruption()]);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** A choice of workloads or peers is no result to be quoted, unless a place for it is named. */
function outputPrefix(values: Values): string | undefined {
  if (values.output !== undefined) return resolve(values.output);
  const { quick, workloads, peers, repeats, seconds, sidecar, baseline, prototype } = values;
  const isWhole = values["without-memory"] === undefined &&
    [quick, workloads, peers, repeats, seconds, sidecar, baseline, prototype].every((value) =>
      value === undefined
    );
  return isWhole ? RESULT_FILES : undefined;
}

async function write(results: Results, prefix: string): Promise<void> {
  await Deno.mkdir(dirname(prefix), { recursive: true });
  await Deno.writeTextFile(`${prefix}.md`, toMarkdown(results));
  await Deno.writeTextFile(`${prefix}.json`, JSON.stringify(results, undefined, 2) + "\n");
}

async function main(args: readonly string[]): Promise<number> {
  const values = parse(args);
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const options = toRunOptions(values, args);
  const programs = findPrograms();
  if (programs === undefined) return 69;
  const results = await measure(options, programs);
  console.log(toMarkdown(results));
  const prefix = outputPrefix(values);
  if (prefix !== undefined) await write(results, prefix);
  const isMissed = results.targets.some(({ isMet }) => !isMet);
  return values.assert && isMissed ? 1 : 0;
}

try {
  Deno.exit(await main(Deno.args));
} catch (error) {
  console.error(error instanceof UsageError ? `${error.message}\n\n${HELP}` : error);
  Deno.exit(error instanceof UsageError ? 64 : 1);
}
