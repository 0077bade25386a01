// A real Consul of a test's own: `consul agent -dev` on free ports of loopback, which can be killed and started again empty.
import { join } from "node:path";
import { findProgram, isInstalled } from "../../../deploy/servers.ts";
import { freePort } from "./ports.ts";
import { TestProcess } from "./processes.ts";
import { until } from "./until.ts";
import type { Workspace } from "./workspace.ts";

/** Tests of Consul are skipped where it is not installed, which SERVERS_REQUIRED=1 makes a failure of the run. */
export const NEEDS_CONSUL = { ignore: !isInstalled("consul") };

export interface ConsulOptions {
  readonly datacenter?: string;
  /** Left out: no TLS. */
  readonly httpsPort?: number;
  /** Further settings of the agent. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Token for what the test itself asks. */
  readonly token?: string;
}

export class ConsulAgent implements AsyncDisposable {
  readonly port = freePort();
  readonly #workspace: Workspace;
  readonly #options: ConsulOptions;
  readonly #ports = {
    server: freePort(),
    serf_lan: freePort(),
    serf_wan: freePort(),
    dns: -1,
    grpc: -1,
  };
  #process: TestProcess | undefined;

  private constructor(workspace: Workspace, options: ConsulOptions) {
    this.#workspace = workspace;
    this.#options = options;
  }

  /** Where it is in a mesh of datacenters. */
  get wanPort(): number {
    return this.#ports.serf_wan;
  }

  get address(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Resolves when it has a leader. */
  static async start(workspace: Workspace, options: ConsulOptions = {}): Promise<ConsulAgent> {
    const agent = new ConsulAgent(workspace, options);
    try {
      await agent.start();
    } catch (error) {
      await agent[Symbol.asyncDispose]();
      throw error;
    }
    return agent;
  }

  /** Starts it with nothing in it: a development agent keeps all in memory. */
  async start(): Promise<void> {
    const { datacenter = "dc1", config = {}, httpsPort } = this.#options;
    const name = `consul-${this.port}`;
    const settings = {
      datacenter,
      node_name: name,
      log_level: "warn",
      ports: { http: this.port, ...this.#ports, ...(httpsPort && { https: httpsPort }) },
      ...config,
    };
    await this.#workspace.write(`${name}.json`, JSON.stringify(settings));
    const file = join(this.#workspace.path, `${name}.json`);
    this.#process = new TestProcess({
      command: findProgram("consul")!,
      args: ["agent", "-dev", "-bind=127.0.0.1", `-config-file=${file}`],
      cwd: this.#workspace.path,
    });
    await until("a leader of Consul", async () => {
      if (this.#process?.hasExited) throw new Error(this.#process.lines.join("\n"));
      return (await this.get<string>("/v1/status/leader")) !== "" && await this.#hasNode(name);
    });
  }

  /** By SIGKILL. */
  async kill(): Promise<void> {
    await this.#process?.[Symbol.asyncDispose]();
  }

  /** Stops it where it stands, as a machine that is gone from the network looks. */
  freeze(): void {
    this.#process?.kill("SIGSTOP");
  }

  thaw(): void {
    this.#process?.kill("SIGCONT");
  }

  get<T>(path: string): Promise<T> {
    return this.#ask<T>("GET", path);
  }

  async put<T>(path: string, body: unknown = {}): Promise<T> {
    return await this.#ask<T>("PUT", path, JSON.stringify(body));
  }

  /** Ids of the instances that pass, in order. */
  async passing(service: string): Promise<string[]> {
    const entries = await this.get<readonly { readonly Service: { readonly ID: string } }[]>(
      `/v1/health/service/${service}?passing`,
    );
    return entries.map(({ Service }) => Service.ID).sort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.thaw();
    await this.kill();
  }

  /** Until the agent has registered itself, what it is asked to register is lost at times. */
  async #hasNode(name: string): Promise<boolean> {
    const nodes = await this.get<readonly { readonly Node: string }[]>("/v1/catalog/nodes");
    return nodes.some(({ Node }) => Node === name);
  }

  async #ask<T>(method: string, path: string, body?: string): Promise<T> {
    const { token } = this.#options;
    const response = await fetch(`${this.address}${path}`, {
      method,
      ...(token === undefined ? {} : { headers: { "x-consul-token": token } }),
      ...(body === undefined ? {} : { body }),
      signal: AbortSignal.timeout(5000),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text === "" ? undefined as T : JSON.parse(text);
  }
}
