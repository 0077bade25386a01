// `deno task test [PATH]... [FLAG OF deno test]...`: runs every *_test.ts (or those below PATH) and ends with `N passed, N failed`.
// Units run in parallel; what starts processes and measures runs one file after the other.
// deno-lint-ignore-file no-console -- a command that talks to the person who runs it
import { join, relative, resolve } from "node:path";
import { ROOT } from "../deploy/build/bundle.ts";
import { buildSidecar } from "../deploy/compile.ts";
import { howToGet, missingServers, SERVERS } from "../deploy/servers.ts";
import { addTotals, countJunit, formatTotals, NO_TESTS, type Totals } from "./support/junit.ts";

const TEMPORARY = Deno.env.get("TMPDIR") ?? "/tmp";
const LOOPBACK = "127.0.0.1,localhost,[::1]";

/** All that tests may do. */
const PERMISSIONS = {
  units: [
    "--allow-read",
    `--allow-write=${TEMPORARY}`,
    "--allow-env", // npm packages look at it when they load
    `--allow-net=${LOOPBACK}`,
  ],
  system: [
    "--allow-read",
    `--allow-write=${TEMPORARY},dist,.mesh`,
    "--allow-env",
    `--allow-net=${LOOPBACK},0.0.0.0,[::]`,
    "--allow-run", // the sidecar, the services, real servers and clients
    "--allow-sys=uid",
  ],
} as const;

/** Longer than any group takes; a hanging test ends the run instead of the patience of CI. */
const GROUP_TIMEOUT_MS = 20 * 60_000;

const SYSTEM_TESTS =
  /^tests\/((conformance|integration|e2e|browser)\/|compile_test\.ts)|^sidecar\/cli\/host_test\.ts$/;
const NEEDS_SIDECAR = /^tests\/(integration|e2e|browser)\//;

type GroupName = keyof typeof PERMISSIONS;

function findTests(directory: string): string[] {
  return [...Deno.readDirSync(join(ROOT, directory))].flatMap((entry) => {
    const path = join(directory, entry.name);
    if (entry.isDirectory) return findTests(path);
    return entry.name.endsWith("_test.ts") ? [path] : [];
  });
}

/** Paths that exist choose files; everything else goes to `deno test`. */
function parseArguments(args: readonly string[]): { paths: string[]; flags: string[] } {
  const paths: string[] = [];
  const flags: string[] = [];
  for (const arg of args) {
    if (!arg.startsWith("-") && pathExists(arg)) paths.push(relative(ROOT, resolve(arg)));
    else flags.push(arg);
  }
  return { paths, flags };
}

function pathExists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

/** Runs one group of files in one `deno test`; its own exit code has the last word on failure. */
async function runGroup(
  name: GroupName,
  files: readonly string[],
  flags: readonly string[],
): Promise<Totals> {
  if (files.length === 0) return NO_TESTS;
  const report = join(ROOT, "dist", ".cache", `junit-${name}-${Deno.pid}.xml`);
  await Deno.mkdir(join(ROOT, "dist", ".cache"), { recursive: true });
  const parallel = name === "units" ? ["--parallel"] : [];
  const always = ["--no-check", "--no-prompt", `--junit-path=${report}`];
  const args = ["test", ...always, ...parallel, ...PERMISSIONS[name], ...flags, ...files];
  const signal = AbortSignal.timeout(GROUP_TIMEOUT_MS);
  const { success } = await new Deno.Command(Deno.execPath(), { args, cwd: ROOT, signal })
    .spawn().status;
  if (signal.aborted) console.error(`the group "${name}" was ended: it ran too long`);
  const totals = countJunit(await Deno.readTextFile(report).catch(() => ""));
  await Deno.remove(report).catch(() => {}); // there is none when a module did not load
  // A module that does not load fails no test, but the run.
  return success || totals.failed > 0 ? totals : { ...totals, failed: totals.failed + 1 };
}

/** Says which real programs are there; with SERVERS_REQUIRED=1 a missing one counts as a failure. */
function checkServers(): Totals {
  const missing = missingServers();
  const found = SERVERS.filter((server) => !missing.includes(server));
  console.log(`real programs found: ${found.map((server) => server.program).join(", ") || "none"}`);
  for (const server of missing) console.log(`tests that need it are skipped: ${howToGet(server)}`);
  const required = Deno.env.get("SERVERS_REQUIRED") === "1";
  if (required && missing.length > 0) console.error("SERVERS_REQUIRED=1: that is a failure");
  return required ? { ...NO_TESTS, failed: missing.length } : NO_TESTS;
}

async function runSystem(files: readonly string[], flags: readonly string[]): Promise<Totals> {
  if (files.some((file) => NEEDS_SIDECAR.test(file))) {
    try {
      await buildSidecar();
    } catch (error) {
      console.error(`dist/sidecar could not be built: ${error}`);
      return { ...NO_TESTS, failed: 1 };
    }
  }
  return await runGroup("system", files, flags);
}

async function main(args: readonly string[]): Promise<number> {
  const { paths, flags } = parseArguments(args);
  const isChosen = (file: string) =>
    paths.length === 0 || paths.some((path) => file === path || file.startsWith(`${path}/`));
  const files = ["sidecar", "services", "deploy", "tests"].flatMap(findTests).sort()
    .filter(isChosen);
  const servers = checkServers();
  const isSystem = (file: string) => SYSTEM_TESTS.test(file);
  const units = await runGroup("units", files.filter((file) => !isSystem(file)), flags);
  const system = await runSystem(files.filter(isSystem), flags);
  const totals = [servers, units, system].reduce(addTotals);
  const isEmpty = totals.passed + totals.failed === 0;
  if (isEmpty) console.error("no test ran");
  console.log(formatTotals(totals));
  return totals.failed > 0 || isEmpty ? 1 : 0;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
