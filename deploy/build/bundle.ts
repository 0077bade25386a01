// From TypeScript sources to one JavaScript module that imports nothing but node: built-ins.
import { join } from "node:path";
import { run } from "./command.ts";

/** Where deno.json, deno.lock and dist/ stand. */
export const ROOT = join(import.meta.dirname ?? "", "..", "..");

/**
 * Bundles unminified and without source maps, so that names in stack traces stay readable. Measured: a source map costs 3 to 14 MB
 * of RSS; minifying saves 1 MB, takes the line numbers and breaks packages that `require` (yaml: "Dynamic require ... not supported").
 */
export async function bundle(entry: string, output: string): Promise<void> {
  const config = join(ROOT, "deno.json");
  const args = ["bundle", "--quiet", "--config", config, "--output", output, entry];
  await run(Deno.execPath(), args, { cwd: ROOT });
}

interface ModuleGraph {
  readonly modules: readonly { readonly local?: string }[];
}

/** Every local file that the bundle of the entry is made of. Packages are pinned by deno.lock and not listed. */
export async function sourceFiles(entry: string): Promise<string[]> {
  const config = join(ROOT, "deno.json");
  const args = ["info", "--json", "--config", config, entry];
  const graph: ModuleGraph = JSON.parse(await run(Deno.execPath(), args, { cwd: ROOT }));
  return graph.modules.flatMap((module) => module.local ?? []);
}
