// A real sidecar: dist/sidecar as a process of its own, on free ports, in the workspace of the test.
import { join } from "node:path";
import { ROOT } from "../../../deploy/build/bundle.ts";
import { freePort } from "./ports.ts";
import { TestProcess } from "./processes.ts";
import { until } from "./until.ts";
import type { Workspace } from "./workspace.ts";

export const SIDECAR = join(ROOT, "dist", "sidecar");

/** The part of /snapshot that tests look at. */
export interface SnapshotView {
  readonly policy: {
    readonly revision: string;
    readonly problem: { readonly message: string } | null;
  };
  readonly isRegistered: boolean;
  readonly clusters: readonly ClusterView[];
}

export interface ClusterView {
  readonly name: string;
  readonly endpoints: readonly { readonly id: string; readonly port: number }[];
}

export interface SidecarOptions {
  readonly service: string;
  /** Port of the app; left out for a pure edge. */
  readonly app?: number;
  /** Further sections of the bootstrap document. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** The app to supervise. */
  readonly command?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Where one sidecar listens; kept when it is started again. */
export interface SidecarPorts {
  readonly inbound: number;
  readonly outbound: number;
  readonly admin: number;
  readonly health: number;
}

export function freePorts(): SidecarPorts {
  return {
    inbound: freePort(),
    outbound: freePort(),
    admin: freePort(),
    health: freePort(),
  };
}

/** A running sidecar, killed when it is disposed. */
export class TestSidecar implements AsyncDisposable {
  readonly process: TestProcess;
  readonly ports: SidecarPorts;

  private constructor(process: TestProcess, ports: SidecarPorts) {
    this.process = process;
    this.ports = ports;
  }

  /** Starts the process without waiting for anything. */
  static async spawn(
    workspace: Workspace,
    options: SidecarOptions,
    ports = freePorts(),
  ): Promise<TestSidecar> {
    const file = `${options.service}-${ports.admin}.json`;
    await workspace.write(file, JSON.stringify(document(options, ports)));
    const { command, env = {} } = options;
    const process = new TestProcess({
      command: SIDECAR,
      args: ["run", "--config", file, ...(command === undefined ? [] : ["--", ...command])],
      cwd: workspace.path,
      env,
    });
    return new TestSidecar(process, ports);
  }

  /** Starts it and waits until it is ready and, with an app, registered. */
  static async start(
    workspace: Workspace,
    options: SidecarOptions,
    ports = freePorts(),
  ): Promise<TestSidecar> {
    const sidecar = await TestSidecar.spawn(workspace, options, ports);
    try {
      await sidecar.ready();
      if (options.app !== undefined) await sidecar.registered();
      return sidecar;
    } catch (error) {
      await sidecar[Symbol.asyncDispose]();
      throw new Error(sidecar.process.lines.join("\n"), { cause: error });
    }
  }

  async ready(): Promise<void> {
    await until("ready", async () => {
      if (this.process.hasExited) throw new Error("the sidecar ended");
      await this.admin("/readyz");
      return true;
    });
  }

  async registered(): Promise<void> {
    await until("registered", async () => (await this.snapshot()).isRegistered);
  }

  /** The text of an admin page. Rejects unless it answers 2xx. */
  async admin(path: string): Promise<string> {
    const url = `http://127.0.0.1:${this.ports.admin}${path}`;
    const response = await fetch(url, { signal: AbortSignal.timeout(5000) });
    const text = await response.text();
    if (!response.ok) throw new Error(`${path} answered ${response.status} ${text}`);
    return text;
  }

  async snapshot(): Promise<SnapshotView> {
    return JSON.parse(await this.admin("/snapshot"));
  }

  /** Waits until it knows exactly these inbound ports of a service. */
  async sees(service: string, ports: readonly number[]): Promise<void> {
    const wanted = [...ports].sort().join();
    await until(`${service} at ${wanted}`, async () => {
      const cluster = (await this.snapshot()).clusters.find(({ name }) => name === service);
      return cluster?.endpoints.map(({ port }) => port).sort().join() === wanted;
    });
  }

  /** An orderly end by SIGTERM; resolves to the exit code. */
  async stop(): Promise<number> {
    this.process.kill("SIGTERM");
    return await this.process.exited;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.process[Symbol.asyncDispose]();
  }
}

function document(options: SidecarOptions, ports: SidecarPorts): Record<string, unknown> {
  const { service, app, config = {} } = options;
  const at = (port: number) => `127.0.0.1:${port}`;
  const health = { interval: "200ms", timeout: "2s" };
  return {
    service: {
      name: service,
      ...(app === undefined ? {} : { app: { http: at(app), health } }),
    },
    listeners: {
      inbound: at(ports.inbound),
      outbound: at(ports.outbound),
      admin: at(ports.admin),
      health: at(ports.health),
    },
    registry: { files: {} },
    // Most tests look at what is carried, over connections of their own; those of identity say so.
    identity: { mode: "off" },
    log: { format: "text", access: "all" },
    ...config,
  };
}
