// `deno run -A tests/bench/http2/main.ts [REPEATS] [NAME=PORT=PID ...]`: CPU per request of a proxy that is nothing but our
// HTTP/2 codec, in front of backend.ts and under h2load, beside HAProxy where it is installed, and beside proxies that run
// already and lead to port 9301. For finding out where time goes; what an operator pays is measured by ../main.ts.
// deno-lint-ignore-file no-console -- a command that talks to the person who runs it
import { Children, LOAD_CORE, PROXY_CORE } from "../children.ts";
import { firstLine, readUsage } from "../proc.ts";

const BACKEND_PORT = 9301, OUR_PORT = 9302, HAPROXY_PORT = 9304;

interface Subject {
  readonly name: string;
  readonly port: number;
  readonly pid: number;
}

interface Shape {
  readonly name: string;
  readonly requests: number;
  readonly args: readonly string[];
  readonly path: string;
}

const [repeats = "3", ...others] = Deno.args;
const directory = await Deno.makeTempDir();
const cwd = new URL("../../..", import.meta.url).pathname;

const message = `${directory}/message`;
await Deno.writeFile(message, new Uint8Array([0, 0, 0, 0, 10, ...new Uint8Array(10)]));
const GRPC = ["-d", message, "-H", "content-type: application/grpc", "-H", "te: trailers"];

const SHAPES: readonly Shape[] = [
  { name: "GET 8x16", requests: 60_000, args: ["-c", "8", "-m", "16"], path: "/" },
  { name: "gRPC 8x16", requests: 60_000, args: ["-c", "8", "-m", "16", ...GRPC], path: "/a.B/C" },
  { name: "gRPC 8x1", requests: 15_000, args: ["-c", "8", "-m", "1", ...GRPC], path: "/a.B/C" },
];

const HAPROXY_CONFIG = `global
  nbthread 1
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend f
  bind 127.0.0.1:${HAPROXY_PORT} proto h2
  default_backend b
backend b
  http-reuse always
  server s 127.0.0.1:${BACKEND_PORT} proto h2
`;

await using children = new Children();

function startDeno(name: string, core: number, ...args: readonly string[]): number {
  const script = `tests/bench/http2/${name}.ts`;
  const all = ["run", "--no-check", "--allow-net=127.0.0.1", script, ...args];
  return children.start({ name, program: Deno.execPath(), args: all, core, cwd }).pid;
}

async function startHaproxy(): Promise<Subject[]> {
  if (!(await firstLine("haproxy -v")).startsWith("HAProxy")) return [];
  const path = `${directory}/haproxy.cfg`;
  await Deno.writeTextFile(path, HAPROXY_CONFIG);
  const args = ["-db", "-f", path];
  const { pid } = children.start({
    name: "haproxy",
    program: "haproxy",
    args,
    core: PROXY_CORE,
    cwd,
  });
  return [{ name: "haproxy", port: HAPROXY_PORT, pid }];
}

async function untilOpen(port: number): Promise<void> {
  for (let tries = 0;; tries++) {
    try {
      return (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    } catch (error) {
      if (tries > 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** Microseconds of CPU a request. */
async function measure(subject: Subject, shape: Shape): Promise<number> {
  const before = await readUsage([subject.pid]);
  const { requests, args, path } = shape;
  const url = `http://127.0.0.1:${subject.port}${path}`;
  const { stdout } = await new Deno.Command("taskset", {
    args: ["-c", String(LOAD_CORE), "h2load", "-n", String(requests), ...args, url],
    stderr: "null",
  }).output();
  const succeeded = Number(/(\d+) succeeded/.exec(new TextDecoder().decode(stdout))?.[1]);
  if (succeeded !== requests) throw new Error(`${subject.name}: ${succeeded} of ${requests}`);
  return ((await readUsage([subject.pid])).cpuMs - before.cpuMs) * 1000 / requests;
}

startDeno("backend", LOAD_CORE, String(BACKEND_PORT));
await untilOpen(BACKEND_PORT);
const ours = startDeno("proxy", PROXY_CORE, String(OUR_PORT), String(BACKEND_PORT));
const subjects: readonly Subject[] = [
  { name: "ours", port: OUR_PORT, pid: ours },
  ...await startHaproxy(),
  ...others.map((text) => {
    const [name = "", port, pid] = text.split("=");
    return { name, port: Number(port), pid: Number(pid) };
  }),
];
for (const { port } of subjects) await untilOpen(port);
for (const shape of SHAPES) {
  const found = new Map<string, number[]>(subjects.map(({ name }) => [name, []]));
  for (let i = 0; i < Number(repeats); i++) {
    for (const subject of subjects) found.get(subject.name)!.push(await measure(subject, shape));
  }
  for (const [name, values] of found) {
    const sorted = values.sort((a, b) => a - b);
    const median = sorted[Math.floor(sorted.length / 2)]!;
    console.log(`${shape.name.padEnd(10)} ${name.padEnd(10)} ${median.toFixed(1)} us a request`);
  }
}
await Deno.remove(directory, { recursive: true });
