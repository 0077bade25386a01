// gRPC by Debian's python3-grpcio, which is C++ underneath: a server and a client that share no line with grpc-js or with us.
import { join } from "node:path";
import { ROOT } from "../../../deploy/build/bundle.ts";
import { TestProcess } from "./processes.ts";
import { until } from "./until.ts";

/** Debian's own, which finds Debian's packages; another first on PATH would not. */
const PYTHON = "/usr/bin/python3";

function script(name: string, args: readonly string[]): TestProcess {
  const directory = join(ROOT, "tests", "support", "python");
  const own = ["-B", join(directory, name), ...args];
  return new TestProcess({ command: PYTHON, args: own, cwd: directory });
}

/** Killed when it is disposed. */
export class PythonServer implements AsyncDisposable {
  readonly process: TestProcess;
  readonly port: number;

  private constructor(process: TestProcess, port: number) {
    this.process = process;
    this.port = port;
  }

  static async start(): Promise<PythonServer> {
    const process = script("grpc_server.py", []);
    const line = await until("the server in Python", () => {
      if (process.hasExited) throw new Error(process.lines.join("\n"));
      return process.lines[0];
    });
    return new PythonServer(process, Number(line));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.process[Symbol.asyncDispose]();
  }
}

/** Runs the client to its end; resolves to what it printed. Throws when it failed. */
export async function runPythonClient(port: number): Promise<Record<string, unknown>> {
  await using process = script("grpc_client.py", [String(port)]);
  const code = await process.exited;
  if (code !== 0) throw new Error(process.lines.join("\n"));
  return JSON.parse(process.lines.at(-1) ?? "");
}
