// A child process of a test: its output by the line, and gone at the end of the test whatever happened.

export interface Start {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** In a process group of its own, which can then be signalled as one. */
  readonly isDetached?: boolean;
}

/** Killed when it is disposed, unless it has ended by then. */
export class TestProcess implements AsyncDisposable {
  readonly pid: number;
  /** Its exit code; 128 + n when signal n ended it. */
  readonly exited: Promise<number>;
  readonly #child: Deno.ChildProcess;
  readonly #lines: string[] = [];
  readonly #copies: Promise<unknown>;
  #hasExited = false;

  constructor({ command, args, cwd, env = {}, isDetached = false }: Start) {
    this.#child = new Deno.Command(command, {
      args: [...args],
      cwd,
      env: { ...env },
      detached: isDetached,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.pid = this.#child.pid;
    this.#copies = Promise.all([this.#copy(this.#child.stdout), this.#copy(this.#child.stderr)]);
    this.exited = this.#untilExit();
  }

  /** What it has written so far, stdout and stderr in the order of arrival. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  get hasExited(): boolean {
    return this.#hasExited;
  }

  kill(signal: Deno.Signal): void {
    if (!this.#hasExited) this.#child.kill(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.kill("SIGKILL");
    } catch {
      // It ended in this very moment.
    }
    await this.exited;
  }

  async #untilExit(): Promise<number> {
    const { code } = await this.#child.status;
    this.#hasExited = true;
    await this.#copies;
    return code;
  }

  async #copy(stream: ReadableStream<Uint8Array>): Promise<void> {
    let rest = "";
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      this.#lines.push(...lines);
    }
    if (rest !== "") this.#lines.push(rest);
  }
}
