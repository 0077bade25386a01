// From TypeScript sources to a directory of JavaScript modules that import nothing but each other and node: built-ins.
import { basename, extname, join } from "node:path";
import { BuildError, run } from "./command.ts";

/** Where deno.json, deno.lock and dist/ stand. */
export const ROOT = join(import.meta.dirname ?? "", "..", "..");

/** The module to start, within the directory of a program. */
export const MAIN = "lib/main.mjs";

/** Packages that read files of their own at run time, from `proto` beside the `lib` that their code stands in. */
const PACKAGES_WITH_FILES = ["etcd3"];

/**
 * Makes the directory of a program: `lib` with its code, `proto` with the files that packages read. Code that is imported
 * only on demand stays in modules of its own, so that whoever does not use it does not have it in memory.
 *
 * Bundles unminified and without source maps, so that names in stack traces stay readable. Measured: a source map costs 3 to 14 MB
 * of RSS; minifying saves 1 MB, takes the line numbers and breaks packages that `require` (yaml: "Dynamic require ... not supported").
 */
export async function bundle(entry: string, directory: string, firstLine = ""): Promise<void> {
  const config = join(ROOT, "deno.json");
  const lib = join(directory, "lib");
  const options = ["--quiet", "--code-splitting", "--config", config, "--outdir", lib];
  await run(Deno.execPath(), ["bundle", ...options, entry], { cwd: ROOT });
  const main = join(lib, `${basename(entry, extname(entry))}.js`);
  const source = await Deno.readTextFile(main);
  await Deno.remove(main);
  // What packages take for the folder of their code. Nothing of the first line ends it: line numbers stay those of the bundle.
  const place = `globalThis.__dirname = import.meta.dirname; `;
  await Deno.writeTextFile(join(directory, MAIN), place + firstLine + source);
  // The code is not CommonJS, whatever a package.json in a parent of the cache says.
  await Deno.writeTextFile(join(directory, "package.json"), `{ "type": "module" }\n`);
  await Deno.mkdir(join(directory, "proto"));
  const { npmPackages = {}, npmCache } = await moduleGraph(entry);
  for (const { name, version } of Object.values(npmPackages)) {
    if (!PACKAGES_WITH_FILES.includes(name)) continue;
    await copyFiles(await packageDirectory(npmCache, name, version), join(directory, "proto"));
  }
}

async function packageDirectory(cache: string, name: string, version: string): Promise<string> {
  for await (const registry of Deno.readDir(cache)) {
    const directory = join(cache, registry.name, name, version);
    const found = await Deno.stat(directory).catch(() => undefined);
    if (found?.isDirectory) return directory;
  }
  throw new BuildError(`the files of ${name} ${version} are not where packages are kept: ${cache}`);
}

async function copyFiles(packageDirectory: string, target: string): Promise<void> {
  const source = join(packageDirectory, "proto");
  for await (const { name, isFile } of Deno.readDir(source)) {
    if (isFile) await Deno.copyFile(join(source, name), join(target, name));
  }
}

interface ModuleGraph {
  readonly modules: readonly { readonly local?: string }[];
  readonly npmPackages?: Readonly<
    Record<string, { readonly name: string; readonly version: string }>
  >;
  readonly npmCache: string;
}

async function moduleGraph(entry: string): Promise<ModuleGraph> {
  const config = join(ROOT, "deno.json");
  const info = async (...args: string[]) =>
    JSON.parse(await run(Deno.execPath(), ["info", "--json", ...args], { cwd: ROOT }));
  const { npmCache } = await info();
  return { ...await info("--config", config, entry), npmCache };
}

/** Every local file that the bundle of the entry is made of. Packages are pinned by deno.lock and not listed. */
export async function sourceFiles(entry: string): Promise<string[]> {
  const { modules } = await moduleGraph(entry);
  return modules.flatMap((module) => module.local ?? []);
}
