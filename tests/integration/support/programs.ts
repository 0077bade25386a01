// Real programs of the outside world as tests run them: curl, nghttp and h2load to their end, nghttpd until disposed.
import { findProgram } from "../../../deploy/servers.ts";
import { freePort } from "./ports.ts";
import { TestProcess } from "./processes.ts";
import { until } from "./until.ts";
import { Wire } from "./wire.ts";

export interface Output {
  readonly code: number;
  readonly bytes: Uint8Array;
  readonly text: string;
  readonly errors: string;
}

/** Longer than any of them takes on a busy machine. */
const PATIENCE_MS = 90_000;

export async function run(program: string, ...args: readonly string[]): Promise<Output> {
  const { code, stdout, stderr } = await new Deno.Command(program, {
    args: [...args],
    stdin: "null",
    signal: AbortSignal.timeout(PATIENCE_MS),
  }).output();
  const decoder = new TextDecoder();
  return { code, bytes: stdout, text: decoder.decode(stdout), errors: decoder.decode(stderr) };
}

/** curl of service "callee": heads and body on stdout. Throws where it was not content. */
export async function curl(
  version: "--http1.1" | "--http2-prior-knowledge",
  url: string,
  ...args: readonly string[]
): Promise<Output> {
  const host = ["-H", "host: callee"];
  const output = await run("curl", "-sS", "-i", version, "--max-time", "60", ...host, ...args, url);
  if (output.code !== 0) throw new Error(`curl ended with ${output.code}: ${output.errors}`);
  return output;
}

/** nghttpd, which speaks HTTP/2 alone, over the files of a directory. */
export async function startNghttpd(
  directory: string,
  ...flags: readonly string[]
): Promise<{ readonly port: number } & AsyncDisposable> {
  const port = freePort();
  const args = ["--no-tls", "-a", "127.0.0.1", "-d", directory, ...flags, String(port)];
  const process = new TestProcess({ command: findProgram("nghttpd")!, args, cwd: directory });
  try {
    await until("nghttpd", async () => {
      if (process.hasExited) throw new Error(process.lines.join("\n"));
      using _wire = await Wire.dial(port);
      return true;
    });
  } catch (error) {
    await process[Symbol.asyncDispose]();
    throw error;
  }
  return { port, [Symbol.asyncDispose]: () => process[Symbol.asyncDispose]() };
}
