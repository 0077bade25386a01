// Three Consul servers on loopback that choose a leader, and lose it when a test kills it.
import { join } from "node:path";
import { findProgram } from "../../../deploy/servers.ts";
import { freePort } from "./ports.ts";
import { TestProcess } from "./processes.ts";
import { until } from "./until.ts";
import type { Workspace } from "./workspace.ts";

const SERVERS = 3;

interface Server {
  readonly name: string;
  readonly http: number;
  /** By which the others know it. */
  readonly rpc: number;
  readonly serf: number;
}

export class ConsulCluster implements AsyncDisposable {
  readonly #servers: readonly Server[];
  readonly #processes = new Map<Server, TestProcess>();

  private constructor() {
    this.#servers = Array.from({ length: SERVERS }, (_, index) => ({
      name: `server-${index + 1}`,
      http: freePort(),
      rpc: freePort(),
      serf: freePort(),
    }));
  }

  /** Resolves when there is a leader. */
  static async start(workspace: Workspace): Promise<ConsulCluster> {
    const cluster = new ConsulCluster();
    try {
      for (const server of cluster.#servers) await cluster.#start(workspace, server);
      await cluster.leader();
      return cluster;
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
  }

  async #start(workspace: Workspace, server: Server): Promise<void> {
    const { name, http, rpc, serf } = server;
    const settings = {
      server: true,
      bootstrap_expect: SERVERS,
      node_name: name,
      data_dir: join(workspace.path, name),
      bind_addr: "127.0.0.1",
      log_level: "warn",
      ports: { http, server: rpc, serf_lan: serf, serf_wan: freePort(), dns: -1, grpc: -1 },
      retry_join: this.#servers.map(({ serf }) => `127.0.0.1:${serf}`),
      retry_interval: "1s",
      // As quick as Consul goes: elections in a second or two.
      performance: { raft_multiplier: 1 },
    };
    await workspace.write(`${name}.json`, JSON.stringify(settings));
    const file = join(workspace.path, `${name}.json`);
    const process = new TestProcess({
      command: findProgram("consul")!,
      args: ["agent", `-config-file=${file}`],
      cwd: workspace.path,
    });
    this.#processes.set(server, process);
  }

  /** Addresses of those that are alive, the leader last. */
  async addresses(): Promise<string[]> {
    const leader = await this.leader();
    const others = [...this.#processes.keys()].filter((server) => server !== leader);
    return [...others, leader].map(({ http }) => `http://127.0.0.1:${http}`);
  }

  /** Ends the leader by SIGKILL; resolves when there is another. */
  async killLeader(): Promise<void> {
    const leader = await this.leader();
    const process = this.#processes.get(leader)!;
    this.#processes.delete(leader);
    await process[Symbol.asyncDispose]();
    await until("another leader", async () => (await this.leader()) !== leader);
  }

  async leader(): Promise<Server> {
    return await until("a leader", async () => {
      for (const [{ http }, { hasExited, lines }] of this.#processes) {
        if (hasExited) throw new Error(lines.join("\n"));
        const response = await fetch(`http://127.0.0.1:${http}/v1/status/leader`, {
          signal: AbortSignal.timeout(2000),
        });
        const address = await response.text();
        const leader = [...this.#processes.keys()].find(({ rpc }) => address.includes(`:${rpc}"`));
        if (leader !== undefined) return leader;
      }
      return undefined;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const process of this.#processes.values()) await process[Symbol.asyncDispose]();
  }
}
