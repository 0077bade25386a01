// Starts ../grpc/service.ts.
import { join } from "node:path";
import { ROOT } from "../../../deploy/build/bundle.ts";
import { GrpcCaller } from "./grpc_caller.ts";
import { freePort } from "./ports.ts";
import { TestProcess } from "./processes.ts";
import { until } from "./until.ts";

/** Killed when it is disposed. */
export class GrpcService implements AsyncDisposable {
  readonly process: TestProcess;
  readonly port: number;
  readonly #direct: GrpcCaller;

  private constructor(process: TestProcess, port: number) {
    this.process = process;
    this.port = port;
    this.#direct = new GrpcCaller(port);
  }

  /** `outbound` is the port that it calls through. */
  static async start(outbound: number, port = freePort()): Promise<GrpcService> {
    const flags = ["--quiet", "--no-check", "--no-prompt", "--allow-net=127.0.0.1", "--allow-env"];
    const script = join(ROOT, "tests", "integration", "grpc", "service.ts");
    const process = new TestProcess({
      command: Deno.execPath(),
      args: ["run", ...flags, script, String(port), String(outbound)],
      cwd: ROOT,
    });
    await until("the service", () => {
      if (process.hasExited) throw new Error(process.lines.join("\n"));
      return process.lines.includes("listens");
    });
    return new GrpcService(process, port);
  }

  /** Gives it a command, not through any sidecar. Rejects unless it obeyed. */
  async tell(command: string): Promise<string> {
    const { code, details, messages } = await this.#direct.unary(command);
    if (code !== 0) throw new Error(`${command}: ${code} ${details}`);
    return String(messages[0]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#direct[Symbol.dispose]();
    await this.process[Symbol.asyncDispose]();
  }
}
