// A sidecar as its users run it: a process of its own, on ports of its own, ended in order.
import { join } from "node:path";

const ROOT = join(import.meta.dirname ?? "", "..", "..");
/** Only reached by a test that fails. */
const START_MS = 30_000;

type Line = Readonly<Record<string, unknown>>;

/** Started from a bootstrap document whose ports may be 0; what it logs is kept. */
export class SidecarProcess {
  readonly log: Line[] = [];
  readonly #child: Deno.ChildProcess;
  readonly #file: string;
  readonly #copied: Promise<void>;
  readonly #ready = Promise.withResolvers<Line>();

  /** Resolves when every listener accepts. Speaks plainly to everybody unless the document says otherwise. */
  static async start(document: Line): Promise<SidecarProcess> {
    const file = await Deno.makeTempFile({ suffix: ".json" });
    await Deno.writeTextFile(file, JSON.stringify({ identity: { mode: "off" }, ...document }));
    const sidecar = new SidecarProcess(file);
    const timer = setTimeout(() => sidecar.#child.kill("SIGKILL"), START_MS);
    try {
      await sidecar.#ready.promise;
    } finally {
      clearTimeout(timer);
    }
    return sidecar;
  }

  private constructor(file: string) {
    this.#file = file;
    const permissions = ["--allow-net=127.0.0.1", "--allow-read", "--allow-env"];
    this.#child = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--no-check",
        "--no-prompt",
        ...permissions,
        "sidecar/main.ts",
        "run",
        "--config",
        file,
      ],
      cwd: ROOT,
      stdin: "null",
      stdout: "inherit",
      stderr: "piped",
    }).spawn();
    this.#copied = this.#copyLog();
  }

  /** The port of a listener, by the name that the log gives it. */
  async port(listener: string): Promise<number> {
    const address = (await this.#ready.promise)[listener];
    return Number(String(address).split(":").at(-1));
  }

  /** SIGTERM; the exit code, once it has ended. */
  async stop(): Promise<number> {
    this.#child.kill("SIGTERM");
    const { code } = await this.#child.status;
    await this.#copied;
    await Deno.remove(this.#file);
    return code;
  }

  async #copyLog(): Promise<void> {
    let rest = "";
    for await (const text of this.#child.stderr.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) this.#read(line);
    }
    this.#ready.reject(new Error(`the sidecar ended: ${JSON.stringify(this.log)} ${rest}`));
    this.#ready.promise.catch(() => {});
  }

  #read(text: string): void {
    const line: Line = text.startsWith("{") ? JSON.parse(text) : { message: text };
    this.log.push(line);
    if (line.message === "ready") this.#ready.resolve(line);
  }
}
