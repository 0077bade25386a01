// h2load: one run of it, and what it found.
import { join } from "node:path";
import { LOAD_CORE } from "./children.ts";
import type { LoadResult } from "./load.ts";
import type { Peer, Place } from "./place.ts";
import type { Workload } from "./workloads.ts";

/**
 * Runs h2load once. Rejects when a request failed. The time of each request is known only from its log, which costs it a
 * third more: written where the rate is fixed, and nowhere else.
 */
export async function runH2load(
  place: Place,
  peer: Peer,
  workload: Workload,
  seconds: number,
): Promise<LoadResult> {
  const isPaced = workload.requestsPerSecond !== undefined;
  const log = isPaced ? await Deno.makeTempFile({ dir: place.directory }) : undefined;
  const h2load = place.children.start({
    name: "h2load",
    program: place.programs.h2load,
    args: [
      ...await loadArgs(place, workload),
      `--duration=${seconds}`,
      ...(log === undefined ? [] : [`--log-file=${log}`]),
      `http://127.0.0.1:${peer.port}${peer.path(workload.path)}`,
    ],
    core: LOAD_CORE,
    cwd: place.directory,
  });
  const { code, errors } = await h2load.ended;
  const output = await h2load.output;
  if (code !== 0) throw new Error(`h2load failed (${code}): ${errors || output}`);
  const result = parseOutput(output, workload);
  if (log === undefined) return result;
  const times = readTimes(await Deno.readTextFile(log));
  await Deno.remove(log);
  return { ...result, p50Ms: percentile(times, 0.5), p99Ms: percentile(times, 0.99) };
}

async function loadArgs(place: Place, workload: Workload): Promise<string[]> {
  const { name, body, connections, streams, requestsPerSecond } = workload;
  const file = join(place.directory, `${name}.body`);
  if (body !== "") await Deno.writeTextFile(file, body);
  return [
    `--clients=${connections}`,
    `--max-concurrent-streams=${streams}`,
    ...Object.entries(workload.headers(place.token)).map(([name, value]) =>
      `--header=${name}: ${value}`
    ),
    ...(body === "" ? [] : [`--data=${file}`]),
    ...(requestsPerSecond === undefined ? [] : [`--rps=${requestsPerSecond / connections}`]),
  ];
}

/** Throws when a request failed, or when less came back than should. What the end cut off counts nowhere but in bytes. */
function parseOutput(output: string, { responseBytes }: Workload): LoadResult {
  const [requestsPerSecond] = numbers(/^finished in .*, ([\d.]+) req\/s/m, output);
  const [requests, ...broken] = numbers(
    /^requests: .* (\d+) done, .* (\d+) failed, (\d+) errored, (\d+) timeout$/m,
    output,
  );
  const bad = numbers(/^status codes: \d+ 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx$/m, output);
  const [bytes] = numbers(/^traffic: .*\((\d+)\) data$/m, output);
  if (requests! === 0 || [...broken, ...bad].some((count) => count > 0)) {
    throw new Error(`requests failed:\n${output}`);
  }
  if (bytes! < requests! * responseBytes) throw new Error(`${requests} responses, ${bytes} bytes`);
  return {
    requests: requests!,
    requestsPerSecond: requestsPerSecond!,
    p50Ms: undefined,
    p99Ms: undefined,
  };
}

function numbers(pattern: RegExp, output: string): number[] {
  const match = pattern.exec(output);
  if (match === null) throw new Error(`h2load said nothing that can be read:\n${output}`);
  return match.slice(1).map(Number);
}

/** Microseconds, ascending: the third column of a line for each request. */
function readTimes(log: string): number[] {
  const lines = log.trimEnd().split("\n");
  return lines.map((line) => Number(line.split("\t")[2])).sort((a, b) => a - b);
}

function percentile(sortedUs: readonly number[], part: number): number {
  const value = sortedUs[Math.ceil(sortedUs.length * part) - 1];
  if (value === undefined) throw new Error("h2load logged no request");
  return value / 1000;
}
