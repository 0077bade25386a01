// `deno task servers`: installs, on Debian, the real programs that tests and benchmarks run against. Tests run without them too
// and say what they skipped; SERVERS_REQUIRED=1 makes a missing one a failure.
// deno-lint-ignore-file no-console -- a command that talks to the person who runs it
import { delimiter, join } from "node:path";

/** A program of the outside world that tests use. */
export interface Server {
  /** The executable. */
  readonly program: string;
  /** The Debian package that has it. */
  readonly package: string;
  readonly why: string;
  /** What the package installs, where that is no program on PATH. */
  readonly file?: string;
  /** The service that Debian starts when the package is installed, if any. */
  readonly service?: string;
  /** The suite that has the package where this Debian has not; only its program is installed. */
  readonly suite?: string;
}

/** Every real program that tests and benchmarks use. */
export const SERVERS: readonly Server[] = [
  { program: "curl", package: "curl", why: "an HTTP client that is not ours, end to end" },
  { program: "openssl", package: "openssl", why: "a TLS client that is not ours, with tickets" },
  { program: "nghttp", package: "nghttp2-client", why: "an HTTP/2 client that is not ours" },
  { program: "h2load", package: "nghttp2-client", why: "load by HTTP/2, in tests and benchmarks" },
  { program: "nghttpd", package: "nghttp2-server", why: "an HTTP/2 server that is not ours" },
  {
    program: "python3-grpcio",
    package: "python3-grpcio",
    why: "gRPC client and server in C++",
    file: "/usr/lib/python3/dist-packages/grpc/__init__.py",
  },
  {
    program: "nghttpx",
    package: "nghttp2-proxy",
    service: "nghttpx",
    why: "a proxy to compare with, in benchmarks",
  },
  { program: "wrk", package: "wrk", why: "load for the benchmarks" },
  {
    program: "nginx",
    package: "nginx-light",
    why: "a proxy to be measured against",
    service: "nginx",
  },
  {
    program: "haproxy",
    package: "haproxy",
    why: "a proxy to be measured against",
    service: "haproxy",
  },
  {
    program: "consul",
    package: "consul",
    suite: "bullseye", // the last Debian that has it
    why: "the registry and certificate authority of a real mesh",
  },
  {
    program: "etcd",
    package: "etcd-server",
    why: "what policy is pushed through",
    service: "etcd",
  },
  {
    program: "redis-server",
    package: "redis-server",
    why: "where limits are counted together",
    service: "redis-server",
  },
  { program: "ip", package: "iproute2", why: "networks of a test's own, which can be cut" },
];

/** Takes one program out of a package of another suite. */
const FROM_SUITE = join(import.meta.dirname ?? "", "servers", "from_suite.sh");

/** Debian keeps servers in sbin, which is not on everybody's PATH. */
const MORE_DIRECTORIES = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

/** The absolute path of a program, or undefined where it is not installed. */
export function findProgram(program: string): string | undefined {
  const path = Deno.env.get("PATH") ?? "/usr/bin:/bin";
  const candidates = [...path.split(delimiter), ...MORE_DIRECTORIES].map((directory) =>
    join(directory, program)
  );
  return candidates.find(isExecutable);
}

/** The programs of the table that are not installed. */
export function missingServers(): Server[] {
  return SERVERS.filter((server) => !isThere(server));
}

/** Whether a program of the table is installed: a test that needs it is skipped where it is not. */
export function isInstalled(program: string): boolean {
  const server = SERVERS.find((server) => server.program === program);
  if (server === undefined) throw new Error(`not in the table: ${program}`);
  return isThere(server);
}

function isThere({ program, file }: Server): boolean {
  return file === undefined ? findProgram(program) !== undefined : isFile(file);
}

/** What to tell somebody whose test was skipped because of it. */
export function howToGet(server: Server): string {
  const { program, package: name, suite } = server;
  const where = suite === undefined ? name : `${name} of ${suite}`;
  return `${program} is not installed (deno task servers, or Debian package ${where})`;
}

function isExecutable(path: string): boolean {
  try {
    const stat = Deno.statSync(path);
    return stat.isFile && ((stat.mode ?? 0) & 0o111) !== 0;
  } catch {
    return false;
  }
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/** Installs what is missing and stops the services that this installation started; returns the exit code. */
async function install(): Promise<number> {
  const missing = missingServers();
  if (missing.length === 0) {
    console.log(`all installed: ${SERVERS.map((server) => server.program).join(", ")}`);
    return 0;
  }
  if (findProgram("apt-get") === undefined) {
    console.error(
      "This is not Debian (no apt-get). Install these by other means; tests find them on PATH:",
    );
    for (const server of missing) console.error(`  ${server.program}: ${server.why}`);
    return 69;
  }
  if (!await fetchPackages(missing)) return 69;
  for (const { service } of missing) if (service !== undefined) await stop(service);
  const absent = missingServers();
  for (const server of absent) console.error(howToGet(server));
  return absent.length === 0 ? 0 : 69;
}

/** True when apt had all of them. */
async function fetchPackages(servers: readonly Server[]): Promise<boolean> {
  if (!await asRoot(["apt-get", "-q", "update"])) return false;
  const native = servers.filter(({ suite }) => suite === undefined);
  const packages = new Set(native.map((server) => server.package));
  const options = ["-y", "-q", "--no-install-recommends"];
  if (packages.size > 0 && !await asRoot(["apt-get", "install", ...options, ...packages])) {
    return false;
  }
  for (const { suite, package: name, program } of servers) {
    if (suite === undefined) continue;
    if (!await asRoot(["sh", FROM_SUITE, suite, name, `usr/bin/${program}`])) return false;
  }
  return true;
}

/** A service of a package that was not there before: nobody can have wanted it running. */
async function stop(service: string): Promise<void> {
  const withSystemd = isDirectory("/run/systemd/system");
  await asRoot(
    withSystemd ? ["systemctl", "disable", "--now", service] : ["service", service, "stop"],
  );
}

function isDirectory(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}

/** Runs with the terminal's streams; says so and returns false when it fails. */
async function asRoot(command: readonly string[]): Promise<boolean> {
  const sudo = Deno.uid() === 0 ? [] : ["sudo"];
  const environment = ["env", "DEBIAN_FRONTEND=noninteractive"];
  const [program = "", ...args] = [...sudo, ...environment, ...command];
  console.log(`$ ${[...sudo, ...command].join(" ")}`);
  const status = await runVisibly(program, args);
  if (status !== 0) console.error(`failed (${status}): ${command.join(" ")}`);
  return status === 0;
}

/** The exit code, or why the program could not be started. */
async function runVisibly(program: string, args: readonly string[]): Promise<number | string> {
  try {
    return (await new Deno.Command(program, { args: [...args] }).spawn().status).code;
  } catch (error) {
    return String(error);
  }
}

if (import.meta.main) {
  if (Deno.args.length > 0) {
    console.log("Usage: deno task servers\n\nInstalls on Debian, as root or with sudo:");
    for (const server of SERVERS) console.log(`  ${server.package}: ${server.why}`);
    Deno.exit(Deno.args[0] === "--help" ? 0 : 64);
  }
  Deno.exit(await install());
}
