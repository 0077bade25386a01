// One run of the benchmark from start to results; main.ts says what of it, and what becomes of the results.
import { SignJWT } from "jose";
import { buildSidecar } from "../../deploy/compile.ts";
import { type Child, Children } from "./children.ts";
import { measureMemory, type Memory } from "./idle.ts";
import { CONNECTIONS } from "./load.ts";
import { measureAll } from "./measure.ts";
import { HAPROXY, NGINX, startBackend } from "./others.ts";
import type { Peer, PeerKind, Place, Program } from "./place.ts";
import { describeMachine, firstLine, readUsage } from "./proc.ts";
import { judge, type Results } from "./results.ts";
import { baseline, EDGE, EDGE_JWT, OUTBOUND, PATH, prototype } from "./sidecars.ts";
import { requestHeaders, type Workload, WORKLOADS } from "./workloads.ts";

export interface RunOptions {
  readonly repeats: number;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  /** How long a proxy is left alone before its memory is looked at. */
  readonly restMs: number;
  readonly workloads: readonly Workload[];
  readonly peers: readonly PeerKind[];
  readonly memoryOf: readonly PeerKind[];
  /** The executable to measure; default: dist/sidecar, built where it is not there. */
  readonly sidecar: string | undefined;
  readonly command: string;
  readonly log: (line: string) => void;
}

/** Every proxy that is measured unless told otherwise; the order of the tables. */
export const PEERS: readonly PeerKind[] = [NGINX, HAPROXY, EDGE, EDGE_JWT, OUTBOUND, PATH];
/** Whose memory is measured. */
export const MEMORY_OF: readonly PeerKind[] = [NGINX, HAPROXY, EDGE, OUTBOUND];
export { baseline, prototype, WORKLOADS };

const SECRET = "a secret that signs what this benchmark sends, and nothing else";

/** Runs everything. The caller disposes `children`, also when this fails, and removes `directory`. */
export async function run(
  options: RunOptions,
  children: Children,
  directory: string,
  programs: Readonly<Record<Program, string>>,
): Promise<Results> {
  const { log } = options;
  const sidecar = options.sidecar ?? await buildSidecar({ log });
  const token = await signToken();
  const nowhere = { children, programs, sidecar, directory, secret: SECRET, token, backendPort: 0 };
  const backend = await startBackend(nowhere);
  const place: Place = { ...nowhere, backendPort: backend.port };
  const memory = await measureMemories(place, options);
  const { series, peers } = await measureAll(place, options.peers, options.workloads, options);
  const loadedMiB = Object.fromEntries(
    await Promise.all(
      peers.map(async (peer) => [peer.name, (await readUsage(pidsOf(peer))).rssMiB]),
    ),
  );
  return {
    date: new Date().toISOString().slice(0, 10),
    command: options.command,
    machine: await describeMachine(),
    versions: await readVersions(programs, sidecar),
    load: {
      connections: CONNECTIONS,
      repeats: options.repeats,
      seconds: options.seconds,
      headers: { ...requestHeaders("a JWT") },
    },
    peers: options.peers.map(({ name, title }) => ({ name, title })),
    series,
    memory,
    loadedMiB,
    targets: judge(series, memory),
  };
}

async function measureMemories(
  place: Place,
  { memoryOf, restMs, log }: RunOptions,
): Promise<Memory[]> {
  const memory: Memory[] = [];
  for (const kind of memoryOf) {
    const one = await measureMemory(place, kind, WORKLOADS[0]!, restMs);
    log(
      `memory  ${kind.name.padEnd(10)} idle ${one.idleMiB.toFixed(1)} MB, with idle connections ${
        one.connectedMiB.toFixed(1)
      } MB`,
    );
    memory.push(one);
  }
  return memory;
}

function pidsOf(peer: Peer): number[] {
  return peer.processes.map(({ pid }: Child) => pid);
}

function signToken(): Promise<string> {
  return new SignJWT({ user_id: "123" }).setProtectedHeader({ alg: "HS256", typ: "JWT" })
    .setIssuedAt().setExpirationTime("24h").sign(new TextEncoder().encode(SECRET));
}

async function readVersions(
  programs: Readonly<Record<Program, string>>,
  sidecar: string,
): Promise<Record<string, string>> {
  return {
    sidecar: await firstLine(`'${sidecar}' --version`),
    nginx: await firstLine(`'${programs.nginx}' -v`),
    haproxy: (await firstLine(`'${programs.haproxy}' -v`)).split(" - ")[0]!,
    wrk: (await firstLine(`'${programs.wrk}' -v`)).split(" Copyright")[0]!,
  };
}
