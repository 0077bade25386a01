// What the built sidecar may do: the one list of permissions, baked into the binary either way it is made.
import { BuildError } from "./command.ts";

/** Where the sidecar may write. Relative ones mean relative to the directory that the sidecar is started in. */
export const WRITABLE_DIRECTORIES: readonly string[] = [
  ".mesh", // certificates, last good state and registry files of a laptop
  "/var/lib/sidecar", // the same on a server
  "/run/sidecar", // sockets and other things that a restart forgets
];

export interface PermissionOptions {
  /** Directories beyond WRITABLE_DIRECTORIES. */
  readonly write: readonly string[];
  /** May the sidecar start the app (`sidecar run -- COMMAND`)? */
  readonly supervise: boolean;
}

/** The flags of `deno compile` and `deno run` alike. Nothing asks, and nothing is fetched at run time. */
export function runtimeFlags(options: PermissionOptions): string[] {
  const writable = [...WRITABLE_DIRECTORIES, ...options.write];
  const unusable = writable.find((directory) => directory === "" || directory.includes(","));
  if (unusable !== undefined) {
    throw new BuildError(`--write=${unusable}: expected a directory without a comma in its name`);
  }
  return [
    "--no-config",
    "--no-lock",
    "--no-remote",
    "--no-npm",
    "--cached-only",
    // A code cache costs 2.5 MB of RSS, gains no start-up time, and `deno compile` keeps it in a shared /tmp.
    "--no-code-cache",
    "--no-prompt",
    "--allow-net",
    "--allow-read",
    `--allow-write=${writable.join(",")}`,
    // A configuration may name any variable as ${NAME}.
    "--allow-env",
    ...(options.supervise ? ["--allow-run"] : []),
  ];
}

/** The permissions in words, for the person who built it. */
export function describePermissions(options: PermissionOptions): string {
  const writable = [...WRITABLE_DIRECTORIES, ...options.write].join(", ");
  const run = options.supervise ? "run (to supervise the app)" : "no run (--without-supervise)";
  return `net, env, read, write only in ${writable}; ${run}; never asks`;
}
