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
  /** Files and directories it may read besides those it may write. Empty: all. */
  readonly read: readonly string[];
  /** Hosts, each with or without a port, that it may dial and listen on. Empty: all. */
  readonly net: readonly string[];
  /** May the sidecar start the app (`sidecar run -- COMMAND`)? */
  readonly supervise: boolean;
}

/** The flags of `deno compile` and `deno run` alike. Nothing asks, and nothing is fetched at run time. */
export function runtimeFlags(options: PermissionOptions): string[] {
  const writable = [...WRITABLE_DIRECTORIES, ...options.write];
  const readable = options.read.length === 0 ? [] : [...writable, ...options.read];
  checkList("--write", options.write, "a directory");
  checkList("--read", options.read, "a file or directory");
  checkList("--net", options.net, "a host or HOST:PORT");
  return [
    "--no-config",
    "--no-lock",
    "--no-remote",
    "--no-npm",
    "--cached-only",
    // A code cache costs 2.5 MB of RSS, gains no start-up time, and `deno compile` keeps it in a shared /tmp.
    "--no-code-cache",
    "--no-prompt",
    listed("--allow-net", options.net),
    listed("--allow-read", readable),
    `--allow-write=${writable.join(",")}`,
    // A configuration may name any variable as ${NAME}.
    "--allow-env",
    ...(options.supervise ? ["--allow-run"] : []),
  ];
}

function checkList(flag: string, values: readonly string[], expected: string): void {
  const unusable = values.find((value) => value === "" || value.includes(","));
  if (unusable === undefined) return;
  throw new BuildError(`${flag}=${unusable}: expected ${expected} without a comma in its name`);
}

/** The flag alone permits everything. */
function listed(flag: string, values: readonly string[]): string {
  return values.length === 0 ? flag : `${flag}=${values.join(",")}`;
}

/** The permissions in words, for the person who built it. */
export function describePermissions(options: PermissionOptions): string {
  const writable = [...WRITABLE_DIRECTORIES, ...options.write].join(", ");
  const run = options.supervise ? "run (to supervise the app)" : "no run (--without-supervise)";
  const net = options.net.length === 0 ? "net" : `net only ${options.net.join(", ")}`;
  const read = options.read.length === 0
    ? "read"
    : `read only there and in ${options.read.join(", ")}`;
  return `${net}, env, write only in ${writable}; ${read}; ${run}; never asks`;
}
