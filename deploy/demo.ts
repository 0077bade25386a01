// `deno task demo`: the whole mesh on this machine, until Ctrl-C. `deno task demo:smoke`: the same, checked and taken down.
//
//   deno run --allow-net=127.0.0.1,localhost --allow-read --allow-write=dist,.mesh --allow-env --allow-run deploy/demo.ts
import { parseArgs } from "node:util";
import { EXIT } from "../sidecar/cli/exit_codes.ts";
import { ConfigError } from "../sidecar/errors.ts";
import { attempt, BuildError } from "./build/command.ts";
import { buildSidecar } from "./compile.ts";
import { describeMesh } from "./demo/description.ts";
import { type End, runMesh } from "./demo/lifecycle.ts";
import { LogTail, Output } from "./demo/output.ts";
import { type Plan, programsOf, readPlan, SIDECAR } from "./demo/plan.ts";
import { type TakenPort, takenPorts } from "./demo/ports.ts";
import { GatewayClient } from "./demo/smoke/client.ts";
import { runChecks, type Totals } from "./demo/smoke/run.ts";
import { StopSignals } from "./demo/stop_signals.ts";

const HELP = `Starts the whole mesh on this machine: a gateway, three services and their sidecars.

  deno task demo [--registry files|consul] [--policy file|etcd]
  deno task demo:smoke

  --registry NAME    where the sidecars find each other: files, or the Consul agent at CONSUL_HTTP_ADDR,
                     default http://127.0.0.1:8500
  --policy NAME      where policy comes from: the files in deploy/demo, or the etcd at ETCDCTL_ENDPOINTS,
                     default http://127.0.0.1:2379, where it can be changed while the mesh runs
  --smoke            runs the checks, stops, and ends with "N passed, N failed"
  --help             prints this

JWT_SECRET is the key that tokens are signed with, at least 32 bytes; by default a new random one each time.
Exit codes: 0 stopped; 1 a check failed; 64 usage; 69 a port is taken, or the mesh did not become ready; 70 a process
ended that should not; 78 a configuration that cannot be used.`;

/** How much of the logs a failed check shows. */
const TAIL_LINES = 200;

/** How long Consul may take to say who leads it. */
const CONSUL_MS = 5000;
/** How long etcd may take to say how it does. */
const ETCD_MS = 5000;

const EXIT_CODES: Readonly<Record<End["kind"], number>> = {
  finished: EXIT.ok,
  stopped: EXIT.ok,
  died: EXIT.internal,
  "not-ready": EXIT.unavailable,
};

/** A wrong command line. */
class UsageError extends Error {
  override readonly name = "UsageError";
}

interface Arguments {
  readonly isSmoke: boolean;
  readonly wantsHelp: boolean;
  readonly registry: "files" | "consul";
  readonly policy: "file" | "etcd";
}

function readArguments(args: string[]): Arguments {
  const { values } = parseArgs({
    args,
    options: {
      registry: { type: "string", default: "files" },
      policy: { type: "string", default: "file" },
      smoke: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const { registry, policy } = values;
  if (registry !== "files" && registry !== "consul") {
    throw new UsageError(`--registry ${registry}: expected files or consul`);
  }
  if (policy !== "file" && policy !== "etcd") {
    throw new UsageError(`--policy ${policy}: expected file or etcd`);
  }
  return { isSmoke: values.smoke, wantsHelp: values.help, registry, policy };
}

/** The agent's address as an URL, once it answers. Throws UnavailableError. */
async function findConsul(): Promise<string> {
  const said = Deno.env.get("CONSUL_HTTP_ADDR") || "http://127.0.0.1:8500";
  const address = said.includes("://") ? said : `http://${said}`;
  try {
    const url = `${address}/v1/status/leader`;
    const response = await fetch(url, { signal: AbortSignal.timeout(CONSUL_MS) });
    if (!/^".+"$/.test((await response.text()).trim())) throw new Error("it has no leader");
    return address;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UnavailableError(
      `no Consul at ${address} (${reason}): start one with \`consul agent -dev\`; on Debian, \`deno task servers\` ` +
        "installs it",
    );
  }
}

/** The address of a member as an URL, once it answers. Throws UnavailableError. */
async function findEtcd(): Promise<string> {
  const [said = ""] = (Deno.env.get("ETCDCTL_ENDPOINTS") || "http://127.0.0.1:2379").split(",");
  const address = said.includes("://") ? said : `http://${said}`;
  try {
    const response = await fetch(`${address}/health`, { signal: AbortSignal.timeout(ETCD_MS) });
    if (!/"health": *"true"/.test(await response.text())) throw new Error("it is not well");
    return address;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UnavailableError(
      `no etcd at ${address} (${reason}): start one with \`etcd\`; on Debian, \`deno task servers\` installs it`,
    );
  }
}

/** Puts the policies into etcd that are not there yet: what somebody changed in an earlier demo stays. */
async function pushPolicies(plan: Plan, etcd: string): Promise<void> {
  for (const { service, file } of plan.policies) {
    const access = ["--etcd", etcd];
    if ((await attempt(SIDECAR, ["policy", "get", service, ...access])).code === EXIT.ok) continue;
    const put = ["policy", "put", service, file, "--yes", "--wait", "1s", ...access];
    const { code, stderr } = await attempt(SIDECAR, [...put, "--message", "as in deploy/demo"]);
    if (code !== EXIT.ok) throw new UnavailableError(`the policy of ${service}: ${stderr.trim()}`);
  }
}

/** Something of the outside that the demo was told to use and that is not there. */
class UnavailableError extends Error {
  override readonly name = "UnavailableError";
}

interface Demo {
  readonly plan: Plan;
  readonly output: Output;
  readonly signals: StopSignals;
  readonly jwtSecret: string;
  readonly etcd: string | undefined;
}

async function main(args: string[]): Promise<number> {
  const { isSmoke, wantsHelp, registry, policy } = readArguments(args);
  const output = new Output();
  if (wantsHelp) {
    output.say(HELP);
    return EXIT.ok;
  }
  // A proxy that the environment names is not asked for what is on this machine.
  Deno.env.set("NO_PROXY", "127.0.0.1,localhost");
  const jwtSecret = Deno.env.get("JWT_SECRET") || randomSecret();
  using signals = new StopSignals();
  const consul = registry === "consul" ? await findConsul() : undefined;
  const etcd = policy === "etcd" ? await findEtcd() : undefined;
  const plan = await readPlan({ jwtSecret, consul, etcd });
  const taken = await takenPorts(programsOf(plan));
  for (const one of taken) complain(describeTaken(one));
  if (taken.length > 0) return EXIT.unavailable;
  // A signal meanwhile waits for its end: it has processes of its own.
  await buildSidecar({ log: (line) => output.say(line) });
  if (etcd !== undefined) await pushPolicies(plan, etcd);
  const demo: Demo = { plan, output, signals, jwtSecret, etcd };
  return await (isSmoke ? runSmoke(demo) : runDemo(demo));
}

async function runDemo({ plan, output, signals, etcd }: Demo): Promise<number> {
  const { kind, reason } = await runMesh(plan, {
    output,
    signals,
    env: sharedEnvironment(),
    onLine: (name, line) => output.log(name, line),
    work: () => {
      output.say(describeMesh(plan, etcd));
      return new Promise(() => {}); // until somebody stops it
    },
  });
  if (kind !== "stopped") complain(reason);
  return EXIT_CODES[kind];
}

async function runSmoke({ plan, output, signals, jwtSecret, etcd }: Demo): Promise<number> {
  const totals: Totals = { passed: 0, failed: 0 };
  const tail = new LogTail(TAIL_LINES);
  const say = (line: string) => output.say(line);
  const client = new GatewayClient(plan.gateway.config.gateway!.bind);
  const intruder = new GatewayClient(plan.members[0]!.config.listeners.inbound);
  const { kind, reason } = await runMesh(plan, {
    output,
    signals,
    env: sharedEnvironment(),
    onLine: (name, line) => tail.add(name, line),
    work: (mesh, cut) =>
      runChecks({ mesh, client, intruder, jwtSecret, etcd }, { totals, say, cut }),
  });
  if (kind !== "finished") {
    totals.failed++;
    say(`FAIL the mesh runs until all is checked: ${reason}`);
  }
  if (totals.failed > 0) say(`The last lines of the logs:\n${tail.lines.join("\n")}`);
  say(`${totals.passed} passed, ${totals.failed} failed`);
  return totals.failed > 0 ? 1 : EXIT.ok;
}

function randomSecret(): string {
  return crypto.getRandomValues(new Uint8Array(32)).toHex();
}

/** What every process gets: ours without the secret. */
function sharedEnvironment(): Record<string, string> {
  const { JWT_SECRET: _, ...others } = Deno.env.toObject();
  return others;
}

function describeTaken({ program, port, owner }: TakenPort): string {
  const { host, port: number } = port.address;
  const by = owner === undefined ? "another process" : owner;
  return `${host}:${number} is taken by ${by}; ${program} needs it for ${port.purpose}`;
}

function complain(message: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(`demo: ${message}\n`));
}

/** The exit code of an error whose message says all that there is to say; undefined for a bug. */
function exitCodeOf(error: unknown): number | undefined {
  if (error instanceof UsageError || error instanceof TypeError && "code" in error) {
    return EXIT.usage; // parseArgs throws TypeErrors with codes
  }
  if (error instanceof ConfigError) return EXIT.configuration;
  const isOutside = error instanceof BuildError || error instanceof UnavailableError;
  return isOutside ? EXIT.unavailable : undefined;
}

if (import.meta.main) {
  try {
    Deno.exit(await main(Deno.args));
  } catch (error) {
    const code = exitCodeOf(error);
    complain(code === undefined || !(error instanceof Error) ? Deno.inspect(error) : error.message);
    Deno.exit(code ?? EXIT.internal);
  }
}
