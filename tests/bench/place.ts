// What every part of a run shares: where it may write, which programs there are, and which processes it started.
import { join } from "node:path";
import { type Child, type Children, PROXY_CORE } from "./children.ts";
import { freePort, waitForPort } from "./client.ts";

export type Program =
  | "wrk"
  | "h2load"
  | "nghttpd"
  | "nginx"
  | "haproxy"
  | "nghttpx"
  | "openssl"
  | "taskset";

/** What load, proxies and backend speak to each other; HTTP/2 with prior knowledge. */
export type Protocol = "http1" | "http2";

export interface Place {
  readonly children: Children;
  readonly protocol: Protocol;
  /** Absolute paths of those that the suite needs. */
  readonly programs: Readonly<Record<Program, string>>;
  /** The executable that is measured. */
  readonly sidecar: string;
  /** Removed at the end. */
  readonly directory: string;
  readonly backendPort: number;
  /** What JWT routes ask for, and a token signed with it. */
  readonly secret: string;
  readonly token: string;
}

/** A proxy at work. */
export interface Peer {
  readonly name: string;
  readonly port: number;
  /** Where it is asked for what the backend has at `path`. */
  path(path: string): string;
  /** What its figures are the sum of; none where there is no proxy. */
  readonly processes: readonly Child[];
}

/** A proxy that can be measured. */
export interface PeerKind {
  readonly name: string;
  readonly title: string;
  /** Names of the workloads that it is made for; all, where it does not say. */
  readonly workloads?: readonly string[];
  start(place: Place): Promise<Peer>;
}

/** As the backend has it. */
export function samePath(path: string): string {
  return path;
}

export interface ServerOptions {
  /** Unique in the run. */
  readonly name: string;
  readonly program: string;
  readonly args: (configFile: string, port: number) => readonly string[];
  readonly config: (port: number) => string;
  readonly core?: number;
}

/** Starts a server with a configuration of its own, and waits until it listens. */
export async function startServer(
  place: Place,
  { name, program, args, config, core = PROXY_CORE }: ServerOptions,
): Promise<{ readonly child: Child; readonly port: number }> {
  const port = freePort();
  const directory = await Deno.makeTempDir({ dir: place.directory, prefix: `${name}-` });
  const file = join(directory, "config");
  await Deno.writeTextFile(file, config(port));
  const child = place.children.start({
    name,
    program,
    args: args(file, port),
    core,
    cwd: directory,
  });
  let end: { readonly code: number; readonly errors: string } | undefined;
  child.ended.then((value) => end = value);
  try {
    await waitForPort(port, () => end !== undefined);
  } catch (cause) {
    await child.stop();
    throw new Error(`${name} did not start (${end?.code}): ${end?.errors}`, { cause });
  }
  return { child, port };
}

export async function stopPeer(peer: Peer): Promise<void> {
  await Promise.all(peer.processes.map((process) => process.stop()));
}
