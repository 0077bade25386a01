// Everything that commands may touch outside of themselves, and the one implementation that names Deno.
import { type IdentityFiles, identityFiles } from "../identity/files_io.ts";
import type { OpenAccess } from "../etcd/access.ts";
import { type Clock, systemClock } from "../lib/clock.ts";
import { type AdminAnswer, callAdmin, followAdmin } from "../net/admin_client.ts";
import { type FetchedJson, fetchJson } from "../net/fetch_json.ts";
import { spawnError } from "./errors.ts";
import type { Signal } from "./exit_codes.ts";
import { LineWriter } from "./line_writer.ts";

/** How a program ended; `code` is 128 + n when signal n ended it. */
export interface ChildStatus {
  readonly code: number;
  readonly signal: string | null;
}

/** A running program with our stdin, stdout and stderr. */
export interface Child {
  readonly pid: number;
  readonly exited: Promise<ChildStatus>;
  /** Does nothing once it has ended. */
  kill(signal: Signal | "SIGKILL"): void;
}

export interface Host {
  /** Deno's version. */
  readonly runtime: string;
  readonly clock: Clock;
  /** Writes to stdout at once. */
  out(text: string): void;
  /** Writes to stderr at once. */
  err(text: string): void;
  /** Queues a line for stderr without blocking; `flush` waits for the queue, but not for long. */
  log(line: string): void;
  flush(): Promise<void>;
  readText(path: string): Promise<string>;
  /** Where certificates and keys are kept. */
  readonly identityFiles: IdentityFiles;
  /** All that is piped in. */
  readStdin(): Promise<string>;
  /** Whether a person sits at both ends, who can be asked. */
  readonly isInteractive: boolean;
  /** Whether stdout shows colours. */
  readonly hasColour: boolean;
  /** Asks the person; null: the input has ended. */
  ask(question: string): string | null;
  readonly openEtcd: OpenAccess;
  /** Rejects with a plain message. */
  fetchJson(url: string, signal: AbortSignal): Promise<FetchedJson>;
  /** Rejects with a plain message. */
  callAdmin(method: "GET" | "POST", url: string): Promise<AdminAnswer>;
  /** Lines of a page that goes on. Rejects with a plain message. */
  followAdmin(url: string, signal: AbortSignal): AsyncIterable<string>;
  environment(name: string): string | undefined;
  /** Memory of this process. */
  residentBytes(): number;
  /** Takes the signal over from its default action until disposed. */
  onSignal(signal: Signal, listener: () => void): Disposable;
  /** Whether this process has the permission to start `command`. */
  maySpawn(command: string): Promise<boolean>;
  /** Throws SpawnError. */
  spawn(command: string, args: readonly string[]): Child;
}

/** How long the end of the process waits for a reader of stderr that does not read. */
const FLUSH_MS = 1000;

/** The real thing. */
export function systemHost(): Host {
  const lines = new LineWriter((bytes) => Deno.stderr.write(bytes));
  return {
    runtime: Deno.version.deno,
    clock: systemClock,
    out: (text) => writeAll(Deno.stdout, text),
    err: (text) => writeAll(Deno.stderr, text),
    log: (line) => lines.push(line),
    flush: () => lines.flushed(systemClock, FLUSH_MS),
    readText: (path) => Deno.readTextFile(path),
    identityFiles,
    readStdin: () => new Response(Deno.stdin.readable).text(),
    isInteractive: Deno.stdin.isTerminal() && Deno.stdout.isTerminal(),
    hasColour: Deno.stdout.isTerminal() && !Deno.noColor,
    ask: (question) => prompt(question),
    openEtcd: async (access) => await (await import("../etcd/client.ts")).openEtcd(access),
    fetchJson,
    callAdmin,
    followAdmin,
    environment: (name) => Deno.env.get(name),
    residentBytes: () => Deno.memoryUsage().rss,
    onSignal(signal, listener) {
      Deno.addSignalListener(signal, listener);
      return { [Symbol.dispose]: () => Deno.removeSignalListener(signal, listener) };
    },
    async maySpawn(command) {
      return (await Deno.permissions.query({ name: "run", command })).state === "granted";
    },
    spawn,
  };
}

function spawn(command: string, args: readonly string[]): Child {
  const child = start(command, args);
  let hasEnded = false;
  const exited = child.status.then(({ code, signal }) => {
    hasEnded = true;
    return { code, signal };
  });
  return {
    pid: child.pid,
    exited,
    kill(signal) {
      if (hasEnded) return;
      try {
        child.kill(signal);
      } catch (error) {
        // It ended in this very moment, and `exited` is about to say so.
        if (!(error instanceof TypeError || error instanceof Deno.errors.NotFound)) throw error;
      }
    },
  };
}

function start(command: string, args: readonly string[]): Deno.ChildProcess {
  try {
    const stdio = { stdin: "inherit", stdout: "inherit", stderr: "inherit" } as const;
    return new Deno.Command(command, { args: [...args], ...stdio }).spawn();
  } catch (error) {
    throw spawnError(command, error);
  }
}

interface SyncWriter {
  writeSync(bytes: Uint8Array): number;
}

function writeAll(writer: SyncWriter, text: string): void {
  let bytes: Uint8Array = new TextEncoder().encode(text);
  try {
    while (bytes.length > 0) bytes = bytes.subarray(writer.writeSync(bytes));
  } catch (error) {
    // The reader, such as `head`, has seen enough.
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}
