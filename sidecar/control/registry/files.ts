// A registry made of one file an instance in a shared directory: a mesh on one machine with nothing to install.
import type { Clock } from "../../lib/clock.ts";
import type { Logger } from "../../telemetry/log.ts";
import type { Endpoint } from "../../snapshot/snapshot.ts";
import { ChangeFeed } from "../change_feed.ts";
import type { FileChange, FilesIo } from "../files_io.ts";
import { LatestRun } from "../latest_run.ts";
import { Trouble } from "../trouble.ts";
import { DirectoryView } from "./directory_view.ts";
import { report } from "./endpoints.ts";
import { HeldFile } from "./held_file.ts";
import { keyIn, keyOf } from "./instance_file.ts";
import type { EndpointsListener, Instance, Registration, Registry } from "./registry.ts";
import { Sweeper } from "./sweeper.ts";

export interface FilesRegistryOptions {
  readonly directory: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly io: FilesIo;
  /** Default 2000. */
  readonly heartbeatMs?: number;
  /** Silence after which an instance is dead. Default 8000: four missed heartbeats. */
  readonly staleMs?: number;
  /** Default 900: staleMs plus two polls stay below ten seconds, the promise for a killed sidecar. */
  readonly pollMs?: number;
  /** Tells processes apart; default random. */
  readonly nonce?: string;
}

interface Watch {
  readonly key: string;
  readonly listener: EndpointsListener;
  reported: readonly Endpoint[] | null;
}

const HEARTBEAT_MS = 2000;
const STALE_MS = 8000;
const POLL_MS = 900;
const SWEEP_MS = 20_000;
/** One rewrite is several events and several rewrites come together: one look answers them all. */
const COALESCE_MS = 30;

/**
 * Instances announce themselves by a heartbeat in a file; whose file falls silent for staleMs is gone.
 * Cost: 0.4 % of a core among 4 instances. Among 300 services x 10 instances, all beating: 0.1 % to announce, 2 to 3 % to watch
 * 30 endpoints (most of it the listing of 3000 names), some 15 % to watch all 3000 (a stat is 26 us, a read and parse 25).
 */
export class FilesRegistry implements Registry {
  readonly #options: Required<FilesRegistryOptions>;
  readonly #view: DirectoryView;
  readonly #feed: ChangeFeed;
  readonly #looks = new LatestRun(() => this.#look());
  readonly #sweeps: LatestRun;
  readonly #trouble: Trouble;
  readonly #watches = new Set<Watch>();
  readonly #held = new Map<string, HeldFile>();
  readonly #timers: Disposable[] = [];
  #keys: ReadonlySet<string> | null = null;
  #pendingLook: Disposable | null = null;
  /** Nothing is watched yet, or what was watched went away and a new directory needs a new watcher. */
  #isFeedLost = true;
  #state: "idle" | "running" | "closed" = "idle";

  constructor(options: FilesRegistryOptions) {
    const { directory, clock, log, io } = options;
    const {
      heartbeatMs = HEARTBEAT_MS,
      staleMs = STALE_MS,
      pollMs = POLL_MS,
      nonce = crypto.randomUUID(),
    } = options;
    this.#options = { directory, clock, log, io, heartbeatMs, staleMs, pollMs, nonce };
    this.#view = new DirectoryView(this.#options);
    this.#feed = new ChangeFeed({ directory, io, log, onChange: (c) => this.#onChange(c) });
    const sweeper = new Sweeper({ directory, io, clock, log, everyMs: SWEEP_MS });
    this.#sweeps = new LatestRun(() => sweeper.sweep());
    this.#trouble = new Trouble(log, "reading the registry directory", { directory });
  }

  /**
   * Resolves after the first write; when that fails it is logged and tried again at each heartbeat. Of two live processes
   * with one id the newer holds it. Rejects with RangeError when the instance does not fit in a file.
   */
  async register(instance: Instance): Promise<Registration> {
    const held = new HeldFile(instance, this.#options);
    if (this.#state === "closed") return { deregister: async () => {} };
    const previous = this.#held.get(instance.id);
    this.#held.set(instance.id, held);
    this.#run();
    await (previous?.name === held.name ? previous.stop() : previous?.withdraw());
    await held.start();
    return { deregister: () => this.#deregister(instance.id, held) };
  }

  watch(service: string, listener: EndpointsListener): Disposable {
    const watch: Watch = { key: keyOf(service), listener, reported: null };
    if (this.#state === "closed") return { [Symbol.dispose]: () => {} };
    this.#watches.add(watch);
    this.#keys = null;
    this.#run();
    void this.#looks.run();
    return { [Symbol.dispose]: () => this.#unwatch(watch) };
  }

  /** Looks at the directory now; resolves when whatever changed has been reported. */
  refresh(): Promise<void> {
    return this.#looks.run();
  }

  async close(): Promise<void> {
    this.#state = "closed";
    for (const timer of this.#timers.splice(0)) timer[Symbol.dispose]();
    this.#pendingLook?.[Symbol.dispose]();
    this.#watches.clear();
    await Promise.all([...this.#held.values()].map((held) => held.stop()));
    await Promise.all([this.#feed.close(), this.#looks.idle(), this.#sweeps.idle()]);
  }

  #unwatch(watch: Watch): void {
    this.#watches.delete(watch);
    this.#keys = null;
  }

  async #deregister(id: string, held: HeldFile): Promise<void> {
    if (this.#held.get(id) !== held) return;
    await held.withdraw();
    if (this.#held.get(id) === held) this.#held.delete(id);
  }

  #run(): void {
    if (this.#state !== "idle") return;
    this.#state = "running";
    const { clock, pollMs } = this.#options;
    this.#timers.push(
      clock.every(pollMs, () => this.#poll()),
      clock.every(SWEEP_MS, () => this.#sweep()),
    );
  }

  #poll(): void {
    this.#feed.tick();
    void this.#looks.run();
  }

  /** A fresh watcher now and then heals whatever befell the old one unseen. */
  #sweep(): void {
    if (this.#watches.size > 0) this.#rearm();
    void this.#sweeps.run();
  }

  #rearm(): void {
    this.#isFeedLost = false;
    this.#feed.rearm();
  }

  /** Heartbeats of files we know can wait for the next poll; what comes or goes cannot. */
  #onChange({ kind, name }: FileChange): void {
    if (kind === "removed" && name === "") this.#isFeedLost = true;
    else if (kind !== "overflow" && !this.#isNews(kind, name)) return;
    this.#lookSoon();
  }

  #isNews(kind: FileChange["kind"], name: string): boolean {
    const key = keyIn(name);
    if (key === null || !this.#wanted().has(key)) return false;
    this.#view.touch(name);
    return kind === "removed" || !this.#view.knows(name);
  }

  #lookSoon(): void {
    this.#pendingLook ??= this.#options.clock.after(COALESCE_MS, () => {
      this.#pendingLook = null;
      void this.#looks.run();
    });
  }

  async #look(): Promise<void> {
    if (this.#watches.size === 0) return;
    try {
      const found = await this.#view.look(this.#wanted());
      if (found === "gone" || this.#isFeedLost) this.#rearm();
      this.#trouble.worked();
    } catch (error) {
      this.#trouble.failed(error);
    }
    this.#deliver();
  }

  #deliver(): void {
    for (const watch of [...this.#watches]) {
      const endpoints = this.#view.endpointsOf(watch.key);
      if (endpoints === null || endpoints === watch.reported) continue;
      if (!this.#watches.has(watch)) continue;
      watch.reported = endpoints;
      report(watch.listener, endpoints, this.#options.log);
    }
  }

  #wanted(): ReadonlySet<string> {
    this.#keys ??= new Set([...this.#watches].map((watch) => watch.key));
    return this.#keys;
  }
}
