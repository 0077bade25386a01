// wrk: its script, one run of it, and what it found.
import { join } from "node:path";
import { LOAD_CORE } from "./children.ts";
import type { Peer, Place } from "./place.ts";
import type { Workload } from "./workloads.ts";

export interface LoadResult {
  readonly requests: number;
  readonly requestsPerSecond: number;
  /** Undefined where telling them would have slowed the load. */
  readonly p50Ms: number | undefined;
  readonly p99Ms: number | undefined;
}

/** Writes the wrk script of a workload and returns its path. */
async function writeScript(place: Place, workload: Workload): Promise<string> {
  const { name, method, body } = workload;
  const path = join(place.directory, `${name}.lua`);
  const lines = [
    `wrk.method = ${luaString(method)}`,
    ...(body === "" ? [] : [`wrk.body = ${luaString(body)}`]),
    ...Object.entries(workload.headers(place.token)).map(([name, value]) =>
      `wrk.headers[${luaString(name)}] = ${luaString(value)}`
    ),
    "function done(summary, latency)",
    "  local e = summary.errors",
    '  io.write(string.format("RESULT %d %d %d %d %d %d\\n", summary.requests, summary.duration,',
    "    latency:percentile(50), latency:percentile(99), e.status,",
    "    e.connect + e.read + e.write + e.timeout))",
    "end",
  ];
  await Deno.writeTextFile(path, lines.join("\n") + "\n");
  return path;
}

function luaString(text: string): string {
  return JSON.stringify(text);
}

/** Runs wrk once. Rejects when a request failed: a proxy that errs is not fast. */
export async function runWrk(
  place: Place,
  peer: Peer,
  workload: Workload,
  seconds: number,
): Promise<LoadResult> {
  const script = await writeScript(place, workload);
  const url = `http://127.0.0.1:${peer.port}${peer.path(workload.path)}`;
  const wrk = place.children.start({
    name: "wrk",
    program: place.programs.wrk,
    args: ["-t1", `-c${workload.connections}`, `-d${seconds}s`, "-s", script, url],
    core: LOAD_CORE,
    cwd: place.directory,
  });
  const { code, errors } = await wrk.ended;
  const output = await wrk.output;
  if (code !== 0) throw new Error(`wrk failed (${code}): ${errors || output}`);
  return parseResult(output);
}

/** Reads the line that the script writes at the end. Throws when a request failed. */
function parseResult(output: string): LoadResult {
  const match = /^RESULT (\d+) (\d+) (\d+) (\d+) (\d+) (\d+)$/m.exec(output);
  if (match === null) throw new Error(`wrk said nothing that can be read:\n${output}`);
  const [requests = 0, durationUs = 0, p50Us = 0, p99Us = 0, bad = 0, broken = 0] = match.slice(1)
    .map(Number);
  if (requests === 0 || bad > 0 || broken > 0) {
    throw new Error(
      `of ${requests} requests ${bad} had a bad status, and ${broken} connections broke`,
    );
  }
  const requestsPerSecond = requests * 1e6 / durationUs;
  return { requests, requestsPerSecond, p50Ms: p50Us / 1000, p99Ms: p99Us / 1000 };
}
