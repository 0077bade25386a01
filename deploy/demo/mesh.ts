// The demo's processes together: started, waited for, taken down in order. Nothing outlives it.
import type { Address } from "../../sidecar/config/bootstrap.ts";
import { type Member, type Plan, type Program, programsOf } from "./plan.ts";
import { type Deadline, until } from "./polling.ts";
import { RunningProgram } from "./processes.ts";

/** The first start unpacks the sidecar, and a small machine starts seven processes at once. */
const READY_MS = 60_000;
/** From the first request to stop until everybody left is killed. */
const STOP_MS = 15_000;

export interface MeshOptions {
  /** The environment of every process. */
  readonly env: Readonly<Record<string, string>>;
  /** Takes every line of every log. */
  readonly onLine: (name: string, line: string) => void;
}

export class Mesh {
  /** Resolves when a process ends that was not asked to: whose end it was and how it came. */
  readonly failed: Promise<string>;
  readonly plan: Plan;
  readonly #options: MeshOptions;
  readonly #running = new Map<string, RunningProgram>();
  readonly #fail: (reason: string) => void;

  constructor(plan: Plan, options: MeshOptions) {
    this.plan = plan;
    this.#options = options;
    const { promise, resolve } = Promise.withResolvers<string>();
    this.failed = promise;
    this.#fail = resolve;
  }

  /** Starts everybody at once: sidecars wait for their services, and nobody needs an order. */
  start(): void {
    for (const program of programsOf(this.plan)) this.#start(program);
  }

  #start(program: Program): void {
    const { env, onLine } = this.#options;
    const running = new RunningProgram(program, env, (line) => onLine(program.name, line));
    this.#running.set(program.name, running);
    running.ended.then((how) => running.isStopping || this.#fail(`${program.name} ${how}`));
  }

  /** Resolves when every sidecar is ready and everybody sees whom they call. Rejects with what is missing. */
  async ready(): Promise<void> {
    const { gateway, members } = this.plan;
    const deadline: Deadline = { ms: READY_MS };
    await Promise.all([gateway, ...members].map((member) => untilReady(member, deadline)));
    await Promise.all(
      members.map(({ config }) =>
        until(`${config.service.name} among the gateway's endpoints`, deadline, async () => {
          return (await this.endpoints(config.service.name)) > 0;
        })
      ),
    );
    await Promise.all(
      members.map(({ name, config }) =>
        until(`endpoints of every service that ${name} calls`, deadline, async () => {
          const clusters = await clustersAt(config.listeners.admin);
          return clusters.every(({ endpoints }) => endpoints.length > 0);
        })
      ),
    );
  }

  /** How many endpoints of a service the gateway knows. */
  async endpoints(service: string): Promise<number> {
    const clusters = await clustersAt(this.plan.gateway.config.listeners.admin);
    return clusters.find(({ name }) => name === service)?.endpoints.length ?? 0;
  }

  /** Ends one process the hard way. */
  async kill(name: string): Promise<void> {
    const running = this.#running.get(name);
    running?.kill("SIGKILL");
    await running?.ended;
  }

  /** Starts a process again that was killed. */
  startAgain(name: string): void {
    const before = this.#running.get(name);
    if (before?.hasEnded) this.#start(before.program);
  }

  /**
   * Who calls goes before who is called: the gateway, the order sidecar, the other sidecars, the services. Resolves when
   * nobody is left, with the names of those that had to be killed.
   */
  async stop(): Promise<string[]> {
    const killed: string[] = [];
    const timer = setTimeout(() => killed.push(...this.killAll()), STOP_MS);
    const sidecars = this.plan.members.map(({ sidecar }) => sidecar.name);
    const isCaller = (name: string) => name === "order-sidecar";
    const phases = [
      [this.plan.gateway.sidecar.name],
      sidecars.filter(isCaller),
      sidecars.filter((name) => !isCaller(name)),
      this.plan.members.flatMap(({ service }) => service?.name ?? []),
    ];
    for (const names of phases) {
      const running = names.flatMap((name) => this.#running.get(name) ?? []);
      running.forEach((one) => one.kill("SIGTERM"));
      await Promise.all(running.map(({ ended }) => ended));
    }
    clearTimeout(timer);
    return killed;
  }

  /** At once, and without waiting. Returns the names of those that were still there. */
  killAll(): string[] {
    const left = [...this.#running.values()].filter(({ hasEnded }) => !hasEnded);
    left.forEach((running) => running.kill("SIGKILL"));
    return left.map(({ program }) => program.name);
  }
}

interface KnownCluster {
  readonly name: string;
  readonly endpoints: readonly unknown[];
}

/** The services that a sidecar knows. */
async function clustersAt(admin: Address): Promise<readonly KnownCluster[]> {
  return await (await ask(admin, "/endpoints")).json();
}

async function untilReady({ sidecar, config }: Member, deadline: Deadline): Promise<void> {
  let answer = "no answer";
  await until(() => `${sidecar.name}: ${answer}`, deadline, async () => {
    const response = await ask(config.listeners.admin, "/readyz");
    answer = (await response.text()).replaceAll(/\s+/g, " ").trim();
    return response.ok;
  });
}

function ask({ host, port }: Address, path: string): Promise<Response> {
  return fetch(`http://${host}:${port}${path}`, { signal: AbortSignal.timeout(2000) });
}
