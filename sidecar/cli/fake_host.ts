// A host for tests: files, variables and signals in memory, and children that end when told.
import { FakeClock } from "../../tests/support/fake_clock.ts";
import { MemoryEtcd } from "../../tests/support/memory_etcd.ts";
import { MemoryIdentityFiles } from "../../tests/support/memory_identity_files.ts";
import type { EtcdAccess } from "../etcd/access.ts";
import type { EtcdStore } from "../etcd/store.ts";
import type { AdminAnswer } from "../net/admin_client.ts";
import type { FetchedJson } from "../net/fetch_json.ts";
import { SpawnError } from "./errors.ts";
import type { Signal } from "./exit_codes.ts";
import type { Child, ChildStatus, Host } from "./host.ts";
import type { RunningSidecar } from "../app.ts";

/** Records what it was told; `end` ends it. */
export class FakeChild implements Child {
  readonly pid = 42;
  readonly signals: string[] = [];
  readonly #exited = Promise.withResolvers<ChildStatus>();
  readonly exited = this.#exited.promise;
  readonly #events: string[];
  /** The signals it obeys. */
  readonly obeys: ReadonlySet<string>;
  #hasEnded = false;

  constructor(events: string[], obeys: readonly string[] = ["SIGTERM", "SIGKILL"]) {
    this.#events = events;
    this.obeys = new Set(obeys);
  }

  end(code: number, signal: string | null = null): void {
    this.#hasEnded = true;
    this.#exited.resolve({ code, signal });
  }

  kill(signal: Signal | "SIGKILL"): void {
    if (this.#hasEnded) return;
    this.signals.push(signal);
    this.#events.push(`app ${signal}`);
    if (this.obeys.has(signal)) this.end(signal === "SIGKILL" ? 137 : 143, signal);
  }
}

export class FakeHost implements Host {
  runtime = "2.9.3";
  readonly clock = new FakeClock();
  readonly files = new Map<string, string>();
  readonly identityFiles = new MemoryIdentityFiles();
  readonly variables = new Map<string, string>();
  /** By URL. */
  readonly documents = new Map<string, unknown>();
  readonly admin = new Map<string, AdminAnswer>();
  readonly pages = new Map<string, readonly string[]>();
  hangs = false;
  readonly events: string[] = [];
  readonly spawned: string[][] = [];
  stdin = "";
  stdout = "";
  stderr = "";
  logged = "";
  child: FakeChild | SpawnError = new FakeChild(this.events);
  isSpawnAllowed = true;
  readonly etcd = new MemoryEtcd();
  /** What etcd was opened with. */
  readonly accesses: EtcdAccess[] = [];
  isInteractive = false;
  hasColour = false;
  /** What the person will answer. */
  readonly answers: string[] = [];
  readonly #listeners = new Map<Signal, Set<() => void>>();

  out(text: string): void {
    this.stdout += text;
  }

  err(text: string): void {
    this.stderr += text;
  }

  log(line: string): void {
    this.logged += line;
  }

  flush(): Promise<void> {
    this.events.push("flush");
    return Promise.resolve();
  }

  readText(path: string): Promise<string> {
    const text = this.files.get(path);
    if (text !== undefined) return Promise.resolve(text);
    const error = new Error(`readfile '${path}'`);
    error.name = "NotFound";
    return Promise.reject(error);
  }

  readStdin(): Promise<string> {
    return Promise.resolve(this.stdin);
  }

  ask(question: string): string | null {
    this.stdout += question;
    return this.answers.shift() ?? null;
  }

  openEtcd(access: EtcdAccess): Promise<EtcdStore> {
    this.accesses.push(access);
    return this.etcd.open();
  }

  /** Of `documents`. */
  fetchJson(url: string): Promise<FetchedJson> {
    const value = this.documents.get(url);
    return value === undefined
      ? Promise.reject(new Error("connection refused"))
      : Promise.resolve({ value, maxAgeMs: undefined });
  }

  /** Of `admin`, by method and URL. */
  callAdmin(method: "GET" | "POST", url: string): Promise<AdminAnswer> {
    const answer = this.admin.get(`${method} ${url}`);
    return answer === undefined
      ? Promise.reject(new Error("connection refused"))
      : Promise.resolve(answer);
  }

  /** Of `pages`, by URL; then it hangs until it is cut, if it `hangs`. */
  async *followAdmin(url: string, signal: AbortSignal): AsyncGenerator<string> {
    const lines = this.pages.get(url);
    if (lines === undefined) throw new Error("connection refused");
    yield* lines;
    if (!this.hangs) return;
    await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  }

  residentBytes(): number {
    return 0;
  }

  environment(name: string): string | undefined {
    return this.variables.get(name);
  }

  onSignal(signal: Signal, listener: () => void): Disposable {
    const listeners = this.#listeners.get(signal) ?? new Set();
    this.#listeners.set(signal, listeners.add(listener));
    return { [Symbol.dispose]: () => void listeners.delete(listener) };
  }

  maySpawn(): Promise<boolean> {
    return Promise.resolve(this.isSpawnAllowed);
  }

  spawn(command: string, args: readonly string[]): Child {
    this.spawned.push([command, ...args]);
    if (this.child instanceof SpawnError) throw this.child;
    this.events.push("app started");
    return this.child;
  }

  /** Sends a signal to the process; false when nobody took it over, and it would have died of it. */
  signal(signal: Signal): boolean {
    const listeners = [...this.#listeners.get(signal) ?? []];
    for (const listener of listeners) listener();
    return listeners.length > 0;
  }

  /** Signals that somebody still listens to. */
  get listenedTo(): Signal[] {
    return [...this.#listeners].flatMap(([signal, { size }]) => size === 0 ? [] : [signal]);
  }
}

/** Records its end; a drain lasts until `finishDrain` where it is told to hang. */
export class FakeSidecar implements RunningSidecar {
  readonly #events: string[];
  readonly #drained = Promise.withResolvers<void>();
  readonly #draining = Promise.withResolvers<void>();

  constructor(events: string[], { isHanging = false } = {}) {
    this.#events = events;
    if (!isHanging) this.#drained.resolve();
  }

  /** Resolves when a drain has begun. */
  get draining(): Promise<void> {
    return this.#draining.promise;
  }

  finishDrain(): void {
    this.#drained.resolve();
  }

  async drain(reason: string): Promise<void> {
    this.#events.push(`drain: ${reason}`);
    this.#draining.resolve();
    await this.#drained.promise;
    this.#events.push("drained");
  }

  close(): Promise<void> {
    this.#events.push("closed");
    return Promise.resolve();
  }

  abort(): void {
    this.#events.push("aborted");
  }
}

/** Lets everything that promises have made ready happen. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await Promise.resolve();
}
