// `deno task bench`: the sidecar beside other proxies on one pinned core; see HELP. Run it on an idle machine.
// deno-lint-ignore-file no-console -- a command that talks to the person who runs it
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { ROOT } from "../../deploy/build/bundle.ts";
import { findProgram, howToGet, SERVERS } from "../../deploy/servers.ts";
import { Children } from "./children.ts";
import { HTTP1 } from "./http1_suite.ts";
import { HTTP2 } from "./http2_suite.ts";
import { MTLS } from "./mtls_suite.ts";
import type { PeerKind, Program } from "./place.ts";
import { toMarkdown } from "./report.ts";
import type { Results } from "./results.ts";
import { run, type RunOptions } from "./run.ts";
import { baseline, prototype } from "./sidecars.ts";
import type { Suite } from "./suite.ts";

const SUITES: readonly Suite[] = [HTTP1, HTTP2, MTLS];

const HELP =
  `Measures CPU per request, req/s, latency and memory of the sidecar and of other proxies.

  deno task bench [${SUITES.map(({ name }) => name).join(" | ")}] [--quick] [--assert]
                  [--output=DIRECTORY]
                  [--repeats=N] [--seconds=N] [--workloads=LIST] [--peers=LIST] [--without-memory]
                  [--sidecar=FILE] [--baseline=FILE] [--prototype=FILE] [--prototype-h2=FILE]

  --quick              one second of each: does the benchmark work? Its figures mean little
  --assert             exit 1 when a target is missed
  --output=DIRECTORY   write SUITE.md and SUITE.json. Default for a whole run: tests/bench/results
${SUITES.map(listOf).join("\n")}
  --without-memory     only the load
  --sidecar=FILE       measure this executable. Default: dist/sidecar, built first where needed
  --baseline=FILE      measure a second one beside it
  --prototype=FILE     and a proxy of one file: how much do policies and checks cost?
  --prototype-h2=FILE  the same for HTTP/2

Without a suite all are run, one after the other.

Exit codes: 0 measured, 1 failed (or a target missed, with --assert), 64 usage, 69 a program is missing.

Example: deno task bench http1 --peers=haproxy,edge --workloads=get --baseline=/tmp/before`;

function listOf({ name, workloads, peers }: Suite): string {
  const names = (list: readonly { readonly name: string }[]) =>
    list.map(({ name }) => name).join(", ");
  return `  ${name}:
    --workloads=LIST   of ${names(workloads)}
    --peers=LIST       of ${names(peers)}`;
}

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
  "prototype-h2": { type: "string" },
} as const;

/** Committed: what README quotes. */
const RESULT_DIRECTORY = join(ROOT, "tests", "bench", "results");

class UsageError extends Error {
  override readonly name = "UsageError";
}

function parse(args: readonly string[]) {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: OPTIONS,
      allowPositionals: true,
    });
    const suites = choose("suite", positionals, SUITES);
    return { ...values, suites: suites.length > 0 ? suites : SUITES };
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

type Values = ReturnType<typeof parse>;

function toRunOptions(suite: Suite, values: Values, args: readonly string[]): RunOptions {
  const quick = values.quick === true;
  const file = suite.protocol === "http1" ? values.prototype : values["prototype-h2"];
  const more = [
    ...(values.baseline === undefined ? [] : [baseline(resolve(values.baseline))]),
    ...(file === undefined ? [] : [prototype(resolve(file))]),
  ];
  const peers = pick("peers", values.peers, suite, ({ peers }) => peers);
  return {
    suite,
    repeats: count("repeats", values.repeats, quick ? 1 : 5),
    seconds: count("seconds", values.seconds, quick ? 1 : 4),
    // V8 gets a path to its final speed over some 300,000 requests (31, 26, 25 us a request in seconds 3, 6 and 9, measured).
    warmUpSeconds: quick ? 1 : 9,
    restMs: quick ? 500 : 5000,
    workloads: pick("workloads", values.workloads, suite, ({ workloads }) => workloads),
    peers: [...peers, ...more],
    memoryOf: values["without-memory"]
      ? []
      : suite.memoryOf.filter((kind: PeerKind) => peers.includes(kind)),
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

/** Of what `suite` has, all or what the list names; a name that no suite has is a mistake. */
function pick<T extends { readonly name: string }>(
  option: string,
  list: string | undefined,
  suite: Suite,
  read: (suite: Suite) => readonly T[],
): readonly T[] {
  if (list === undefined) return read(suite);
  const names = list.split(",");
  choose(`--${option}`, names, SUITES.flatMap(read));
  return read(suite).filter(({ name }) => names.includes(name));
}

function choose<T extends { readonly name: string }>(
  what: string,
  names: readonly string[],
  all: readonly T[],
): readonly T[] {
  const unknown = names.find((name) => !all.some((one) => one.name === name));
  if (unknown !== undefined) throw new UsageError(`${what}: ${unknown} is unknown`);
  return all.filter(({ name }) => names.includes(name));
}

/** The programs that `suites` cannot do without, or undefined with the reason printed. */
function findPrograms(suites: readonly Suite[]): Record<Program, string> | undefined {
  const wanted = [...new Set(suites.flatMap(({ programs }) => programs))];
  const found = wanted.map((name) => [name, findProgram(name)] as const);
  const missing = found.flatMap(([name, path]) => path === undefined ? [name] : []);
  for (const name of missing) {
    const server = SERVERS.find(({ program }) => program === name);
    console.error(server === undefined ? `${name} is not installed` : howToGet(server));
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
function outputDirectory(values: Values): string | undefined {
  if (values.output !== undefined) return resolve(values.output);
  const { suites: _, assert: __, ...others } = values;
  return Object.keys(others).length === 0 ? RESULT_DIRECTORY : undefined;
}

async function write(directory: string, suite: Suite, results: Results): Promise<void> {
  await Deno.mkdir(directory, { recursive: true });
  const prefix = join(directory, suite.name);
  await Deno.writeTextFile(`${prefix}.md`, toMarkdown(suite, results));
  await Deno.writeTextFile(`${prefix}.json`, JSON.stringify(results, undefined, 2) + "\n");
}

async function main(args: readonly string[]): Promise<number> {
  const values = parse(args);
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const runs = values.suites.map((suite) => toRunOptions(suite, values, args))
    .filter(({ workloads, peers }) => workloads.length > 0 && peers.length > 0);
  const programs = findPrograms(runs.map(({ suite }) => suite));
  if (programs === undefined) return 69;
  const directory = outputDirectory(values);
  let isMissed = false;
  for (const options of runs) {
    const results = await measure(options, programs);
    console.log(toMarkdown(options.suite, results));
    if (directory !== undefined) await write(directory, options.suite, results);
    isMissed ||= results.targets.some(({ isMet }) => !isMet);
  }
  return values.assert && isMissed ? 1 : 0;
}

try {
  Deno.exit(await main(Deno.args));
} catch (error) {
  console.error(error instanceof UsageError ? `${error.message}\n\n${HELP}` : error);
  Deno.exit(error instanceof UsageError ? 64 : 1);
}
