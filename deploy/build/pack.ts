// Packs a bundle and the Deno that runs this script into one self-extracting file, for where the runtime of
// `deno compile` cannot be had. unpack.sh is the part of that file that runs first.
import { join } from "node:path";
import { bundle } from "./bundle.ts";
import { run } from "./command.ts";
import { fileIdentity, sha256 } from "./state.ts";

export interface PackOptions {
  /** The module to bundle. */
  readonly entry: string;
  readonly output: string;
  /** Flags of `deno run`, see permissions.ts. */
  readonly flags: readonly string[];
  /** Keeps the compressed runtime (seconds of work) between builds. */
  readonly cacheDirectory: string;
  /** Private to this build; the caller removes it. */
  readonly workDirectory: string;
}

interface Archive {
  readonly path: string;
  readonly sha256: string;
  readonly size: number;
}

/**
 * The first line of the program: DENO_* variables are the app's again, as in a compiled binary. Nothing of it ends a line, so line
 * numbers stay those of the bundle.
 */
const RESTORE_ENVIRONMENT = [
  `for (const name of ["DENO_DIR", "DENO_NO_UPDATE_CHECK"]) Deno.env.delete(name);`,
  `for (const [name, value] of Object.entries(Deno.env.toObject())) {`,
  `if (!name.startsWith("SIDECAR_KEPT_")) continue;`,
  `Deno.env.set(name.slice("SIDECAR_KEPT_".length), value); Deno.env.delete(name); }`,
].join(" ");

/** Writes the executable file. */
export async function pack(options: PackOptions): Promise<void> {
  const runtime = await runtimeArchive(options);
  const program = await programArchive(options);
  const script = await fillIn(runtime, program, options.flags);
  await Deno.writeTextFile(options.output, script, { mode: 0o755 });
  for (const archive of [runtime, program]) await append(options.output, archive.path);
  await Deno.chmod(options.output, 0o755);
}

/** The Deno executable under the name `sidecar`, which is what `ps` and `top` then show. */
async function runtimeArchive(options: PackOptions): Promise<Archive> {
  const deno = Deno.execPath();
  const identity = await fileIdentity(deno);
  const key = `${Deno.version.deno}-${identity?.size}-${identity?.modifiedMs}`;
  const path = join(options.cacheDirectory, `runtime-${key}.tar.gz`);
  if (await fileIdentity(path) === undefined) {
    const directory = join(options.workDirectory, "runtime");
    await Deno.mkdir(directory);
    // Not Deno.symlink: that asks for permission to write everywhere.
    await run("ln", ["-s", deno, join(directory, "sidecar")]);
    const unfinished = `${path}.unfinished`;
    await archive(directory, "sidecar", unfinished);
    await Deno.rename(unfinished, path);
  }
  return await describe(path);
}

async function programArchive(options: PackOptions): Promise<Archive> {
  const directory = join(options.workDirectory, "packed");
  await bundle(options.entry, directory, RESTORE_ENVIRONMENT);
  const path = join(options.workDirectory, "program.tar.gz");
  await archive(directory, ".", path);
  return await describe(path);
}

/** One file, followed if it is a link, or a directory, with nothing of this machine in its header: equal content gives equal archives. */
async function archive(directory: string, name: string, output: string): Promise<void> {
  const anonymous = ["--mtime=@0", "--owner=0", "--group=0", "--numeric-owner", "--sort=name"];
  const mode = "--mode=u+rwx,go+rx,go-w";
  await run("tar", [...anonymous, mode, "-C", directory, "-chzf", output, name]);
}

async function describe(path: string): Promise<Archive> {
  const bytes = await Deno.readFile(path);
  return { path, sha256: await sha256(bytes), size: bytes.length };
}

async function fillIn(
  runtime: Archive,
  program: Archive,
  flags: readonly string[],
): Promise<string> {
  const values: Record<string, string> = {
    RUNTIME: `runtime-${runtime.sha256.slice(0, 16)}`,
    RUNTIME_SHA256: runtime.sha256,
    RUNTIME_FROM_END: String(runtime.size + program.size),
    RUNTIME_SIZE: String(runtime.size),
    PROGRAM: `program-${program.sha256.slice(0, 16)}`,
    PROGRAM_SHA256: program.sha256,
    PROGRAM_FROM_END: String(program.size),
    PROGRAM_SIZE: String(program.size),
    FLAGS: flags.map(quoteForShell).join(" "),
  };
  const template = await Deno.readTextFile(join(import.meta.dirname ?? "", "unpack.sh"));
  return template.replace(/@([A-Z0-9_]+)@/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`unpack.sh names @${name}@, which pack.ts does not`);
    return value;
  });
}

function quoteForShell(word: string): string {
  return /^[\w./=,:-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

async function append(output: string, part: string): Promise<void> {
  const source = await Deno.open(part);
  const target = await Deno.open(output, { append: true });
  await source.readable.pipeTo(target.writable);
}
