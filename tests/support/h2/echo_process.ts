// Runs echo_server.ts and looks at it from outside.
import { assert, assertEquals } from "@std/assert";
import { join } from "node:path";
import type { AbuseSubject } from "./abuse.ts";
import { get } from "./block.ts";
import { H2Peer } from "./peer.ts";

const SCRIPT = join(import.meta.dirname ?? "", "echo_server.ts");

/** Limits of the codec in place of its defaults. */
export type EchoLimits = Readonly<Record<string, number>>;

export class EchoProcess implements AbuseSubject {
  readonly port: number;
  #cleanRequests = 0;

  /** Runs `use` with the server up, and holds it to an end of its own choosing: nothing may have ended it before. */
  static async run(limits: EchoLimits, use: (server: EchoProcess) => Promise<void>): Promise<void> {
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--no-check",
        "--no-prompt",
        "--allow-net=127.0.0.1",
        SCRIPT,
        JSON.stringify(limits),
      ],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const errors = new Response(child.stderr).text();
    const output = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    try {
      const { value = "" } = await output.read();
      assert(/^\d+\n$/.test(value), `no port: ${value}`);
      await use(new EchoProcess(Number(value)));
    } finally {
      child.kill("SIGTERM");
      await child.status;
      await output.cancel();
    }
    assertEquals(await errors, "");
    assertEquals((await child.status).signal, "SIGTERM");
  }

  private constructor(port: number) {
    this.port = port;
  }

  /** What the process has of real memory, by its own account: /proc of another one takes every permission. */
  async residentBytes(): Promise<number> {
    return Number(await this.#ask("/resident"));
  }

  /** An honest request on a new connection gets its own answer. */
  async expectClean(): Promise<void> {
    const path = `/clean/${++this.#cleanRequests}`;
    using peer = await H2Peer.client(this.port);
    const { status, body, reset } = await peer.ask(1, get(path));
    assertEquals([status, body, reset], ["200", `GET ${path}`, undefined]);
  }

  /** Requests that the server's handler has not finished, but for the one that asks. */
  async working(): Promise<number> {
    return Number(await this.#ask("/working")) - 1;
  }

  async #ask(path: string): Promise<string> {
    using peer = await H2Peer.client(this.port);
    return (await peer.ask(1, get(path))).body;
  }
}
