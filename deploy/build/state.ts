// Knows whether a build would give what already stands there: remembers beside the output what it was made of.
import { join } from "node:path";
import { ROOT } from "./bundle.ts";

/** How the one executable was made: by `deno compile`, or packed with the installed Deno. */
export type Method = "compiled" | "packed";

/** What stands in OUTPUT.build.json. */
export interface BuildState {
  readonly method: Method;
  /** Everything besides files that shapes the output: versions and flags. */
  readonly recipe: string;
  /** SHA-256 of every file that went in. */
  readonly inputs: Readonly<Record<string, string>>;
  readonly output: { readonly size: number; readonly modifiedMs: number };
}

/** SHA-256 in hexadecimal. */
export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

/** Hashes the sources, the dependency pins and the build scripts themselves. */
export async function hashInputs(sources: readonly string[]): Promise<Record<string, string>> {
  const scripts = ["bundle.ts", "command.ts", "pack.ts", "permissions.ts", "state.ts", "unpack.sh"];
  const files = [
    ...sources,
    join(ROOT, "deno.json"),
    join(ROOT, "deno.lock"),
    ...scripts.map((name) => join(ROOT, "deploy", "build", name)),
  ];
  const hashes = files.map(async (file) => [file, await hashFile(file)] as const);
  return Object.fromEntries(await Promise.all(hashes));
}

/** The state beside the output when the output is exactly what a new build would make, else undefined. */
export async function freshState(output: string, recipe: string): Promise<BuildState | undefined> {
  const state = await readState(output);
  if (state === undefined || state.recipe !== recipe) return undefined;
  const found = await fileIdentity(output);
  if (found?.size !== state.output.size || found.modifiedMs !== state.output.modifiedMs) {
    return undefined;
  }
  const same = Object.entries(state.inputs).map(async ([file, hash]) =>
    await hashFile(file) === hash
  );
  return (await Promise.all(same)).every(Boolean) ? state : undefined;
}

/** Remembers the build; call it once the output stands in its place. */
export async function writeState(
  output: string,
  state: Omit<BuildState, "output">,
): Promise<void> {
  const identity = await fileIdentity(output);
  const whole = { ...state, output: identity };
  await Deno.writeTextFile(statePath(output), JSON.stringify(whole, undefined, 2) + "\n");
}

/** Size and time of change, or undefined where there is no such file. */
export async function fileIdentity(
  path: string,
): Promise<{ size: number; modifiedMs: number } | undefined> {
  const stat = await Deno.stat(path).catch(() => undefined);
  return stat && { size: stat.size, modifiedMs: stat.mtime?.getTime() ?? 0 };
}

function statePath(output: string): string {
  return `${output}.build.json`;
}

async function readState(output: string): Promise<BuildState | undefined> {
  try {
    return JSON.parse(await Deno.readTextFile(statePath(output)));
  } catch {
    return undefined; // none yet, or torn: the next build writes it anew
  }
}

async function hashFile(file: string): Promise<string> {
  const bytes = await Deno.readFile(file).catch(() => undefined);
  return bytes === undefined ? "missing" : await sha256(bytes);
}
