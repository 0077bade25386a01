// A real Redis of a test's own on loopback, which can be killed, frozen and started again.
import { findProgram, isInstalled } from "../../../deploy/servers.ts";
import { freePort } from "./ports.ts";
import { TestProcess } from "./processes.ts";
import { until } from "./until.ts";
import type { Workspace } from "./workspace.ts";

/** Tests of Redis are skipped where it is not installed, which SERVERS_REQUIRED=1 makes a failure of the run. */
export const NEEDS_REDIS = { ignore: !isInstalled("redis-server") };

export class RedisServer implements AsyncDisposable {
  readonly port = freePort();
  readonly #workspace: Workspace;
  readonly #password: string | undefined;
  #process: TestProcess | undefined;

  private constructor(workspace: Workspace, password: string | undefined) {
    this.#workspace = workspace;
    this.#password = password;
  }

  static async start(workspace: Workspace, password?: string): Promise<RedisServer> {
    const server = new RedisServer(workspace, password);
    await server.start();
    return server;
  }

  get address(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    this.#process = new TestProcess({
      command: findProgram("redis-server")!,
      args: [
        ...["--port", String(this.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"],
        ...(this.#password === undefined ? [] : ["--requirepass", this.#password]),
      ],
      cwd: this.#workspace.path,
    });
    await until("Redis", () => {
      if (this.#process?.hasExited) throw new Error(this.#process.lines.join("\n"));
      return this.#process!.lines.some((line) => line.includes("Ready to accept connections"));
    });
  }

  /** By SIGKILL. */
  async kill(): Promise<void> {
    await this.#process?.[Symbol.asyncDispose]();
  }

  /** Stops it where it stands, with its connections open. */
  freeze(): void {
    this.#process?.kill("SIGSTOP");
  }

  thaw(): void {
    this.#process?.kill("SIGCONT");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.thaw();
    await this.kill();
  }
}
