// The processes of a benchmark: each pinned to a core, none left behind.

/** Proxies have this core to themselves; load and backend share the other. */
export const PROXY_CORE = 0;
export const LOAD_CORE = 1;

/** After SIGTERM; then SIGKILL. A sidecar with nothing under way needs milliseconds. */
const STOP_TIMEOUT_MS = 5_000;
/** What is kept of a process's error output, for the message when it fails. */
const MAX_ERROR_TEXT = 4_096;

export interface StartOptions {
  /** For messages. */
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  readonly core: number;
  readonly cwd: string;
}

/** A process under way. */
export interface Child {
  readonly name: string;
  readonly pid: number;
  /** Its whole standard output, once it has ended. */
  readonly output: Promise<string>;
  /** Resolves when it has ended, with what it said on standard error last. */
  readonly ended: Promise<{ readonly code: number; readonly errors: string }>;
  /** Resolves when it is gone. May be called twice. */
  stop(): Promise<void>;
}

/** Starts processes and ends them all when disposed. */
export class Children implements AsyncDisposable {
  readonly #children: Child[] = [];
  #isClosed = false;

  start(options: StartOptions): Child {
    if (this.#isClosed) throw new Error("the benchmark is ending");
    const child = spawn(options);
    this.#children.push(child);
    return child;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    await Promise.all(this.#children.splice(0).map((child) => child.stop()));
  }
}

function spawn({ name, program, args, core, cwd }: StartOptions): Child {
  const pinned = ["-c", String(core), program, ...args];
  const process = new Deno.Command("taskset", {
    args: pinned,
    cwd,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const output = new Response(process.stdout).text();
  const ended = Promise.all([process.status, readTail(process.stderr)])
    .then(([{ code }, errors]) => ({ code, errors }));
  return { name, pid: process.pid, output, ended, stop: () => stop(process, ended) };
}

async function readTail(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<string> {
  let tail = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    tail = (tail + text).slice(-MAX_ERROR_TEXT);
  }
  return tail;
}

async function stop(process: Deno.ChildProcess, ended: Promise<unknown>): Promise<void> {
  const timer = setTimeout(() => kill(process, "SIGKILL"), STOP_TIMEOUT_MS);
  kill(process, "SIGTERM");
  await ended;
  clearTimeout(timer);
}

function kill(process: Deno.ChildProcess, signal: Deno.Signal): void {
  try {
    process.kill(signal);
  } catch {
    // It has ended already.
  }
}
