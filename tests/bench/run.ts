// One run of a suite from start to results; main.ts says what of it, and what becomes of the results.
import { SignJWT } from "jose";
import { buildSidecar } from "../../deploy/compile.ts";
import { type Child, Children } from "./children.ts";
import { measureMemory, type Memory } from "./idle.ts";
import { measureAll } from "./measure.ts";
import type { Peer, PeerKind, Place, Program } from "./place.ts";
import { describeMachine, firstLine, readUsage } from "./proc.ts";
import type { Results, WorkloadRecord } from "./results.ts";
import type { Suite } from "./suite.ts";
import type { Workload } from "./workloads.ts";

export interface RunOptions {
  readonly suite: Suite;
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

const SECRET = "a secret that signs what this benchmark sends, and nothing else";

/** Runs everything. The caller disposes `children`, also when this fails, and removes `directory`. */
export async function run(
  options: RunOptions,
  children: Children,
  directory: string,
  programs: Readonly<Record<Program, string>>,
): Promise<Results> {
  const { suite, log } = options;
  const sidecar = options.sidecar ?? await buildSidecar({ log });
  const token = await signToken();
  const known = { children, programs, sidecar, directory, secret: SECRET, token };
  const nowhere: Place = { ...known, protocol: suite.protocol, backendPort: 0 };
  const place: Place = { ...nowhere, backendPort: await suite.startBackend(nowhere) };
  const memory = await measureMemories(place, options);
  const { series, peers } = await measureAll(
    suite,
    place,
    options.peers,
    options.workloads,
    options,
  );
  return {
    date: new Date().toISOString().slice(0, 10),
    command: options.command,
    machine: await describeMachine(),
    versions: await readVersions(suite, place),
    load: { repeats: options.repeats, seconds: options.seconds },
    workloads: options.workloads.map(toRecord),
    peers: options.peers.map(({ name, title }) => ({ name, title })),
    series,
    memory,
    loadedMiB: await readLoaded(peers),
    targets: suite.judge(series, memory),
  };
}

function toRecord({ name, title, connections, streams, headers }: Workload): WorkloadRecord {
  return { name, title, connections, streams, headers: { ...headers("a JWT") } };
}

async function readLoaded(peers: readonly Peer[]): Promise<Record<string, number>> {
  const entries = peers.map(async (peer) =>
    [peer.name, (await readUsage(pidsOf(peer))).rssMiB] as const
  );
  return Object.fromEntries(await Promise.all(entries));
}

async function measureMemories(
  place: Place,
  { suite, memoryOf, restMs, log }: RunOptions,
): Promise<Memory[]> {
  const memory: Memory[] = [];
  for (const kind of memoryOf) {
    const one = await measureMemory(suite, place, kind, restMs);
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

/** How each program says what it is. */
const VERSION_FLAGS: Readonly<Partial<Record<Program, string>>> = {
  nginx: "-v",
  haproxy: "-v",
  wrk: "-v",
  h2load: "--version",
  nghttpx: "--version",
};

async function readVersions(suite: Suite, place: Place): Promise<Record<string, string>> {
  const versions: Record<string, string> = {
    sidecar: await firstLine(`'${place.sidecar}' --version`),
  };
  for (const name of suite.programs) {
    const flag = VERSION_FLAGS[name];
    if (flag === undefined) continue;
    const line = await firstLine(`'${place.programs[name]}' ${flag}`);
    versions[name] = line.split(/ - | Copyright/)[0]!;
  }
  return versions;
}
