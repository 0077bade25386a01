// One child process: its log by the line, its end, and the ways to bring it about.
import { ROOT } from "../build/bundle.ts";
import type { Program } from "./plan.ts";

/** Takes a line of the program's log, without its line feed. */
export type OnLine = (line: string) => void;

/** A running program. Whoever starts it waits for `ended`. */
export class RunningProgram {
  readonly program: Program;
  /** Resolves to how it ended, in words, after the last line of its log. */
  readonly ended: Promise<string>;
  /** We asked for its end. */
  isStopping = false;
  readonly #child: Deno.ChildProcess;
  #hasEnded = false;

  /**
   * In a session of its own: Ctrl-C and a closing terminal reach the demo alone, which then stops everybody in order.
   * `env` is the whole environment but for the program's own variables.
   */
  constructor(program: Program, env: Readonly<Record<string, string>>, onLine: OnLine) {
    this.program = program;
    this.#child = new Deno.Command(program.command, {
      args: [...program.args],
      cwd: ROOT,
      env: { ...env, ...program.env },
      clearEnv: true,
      detached: true,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.ended = this.#untilEnd(onLine);
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Does nothing once it has ended. */
  kill(signal: "SIGTERM" | "SIGKILL"): void {
    this.isStopping = true;
    if (this.#hasEnded) return;
    try {
      this.#child.kill(signal);
    } catch (error) {
      // It ended in this very moment, and `ended` is about to say so.
      if (!(error instanceof TypeError || error instanceof Deno.errors.NotFound)) throw error;
    }
  }

  async #untilEnd(onLine: OnLine): Promise<string> {
    const { stdout, stderr, status } = this.#child;
    const copies = [copyLines(stdout, onLine), copyLines(stderr, onLine)];
    const { code, signal } = await status;
    this.#hasEnded = true;
    await Promise.all(copies);
    return signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`;
  }
}

async function copyLines(stream: ReadableStream<Uint8Array>, onLine: OnLine): Promise<void> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    lines.forEach(onLine);
  }
  if (rest !== "") onLine(rest);
}
