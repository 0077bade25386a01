// etcd in memory: one counter of revisions, keys, watches, leases that a test ends, and absence on demand.
import { EtcdError } from "../../sidecar/etcd/errors.ts";
import type {
  EtcdStore,
  Reading,
  StoredValue,
  WatchListener,
  Write,
} from "../../sidecar/etcd/store.ts";

interface MemoryWatch {
  readonly keys: readonly string[];
  readonly listener: WatchListener;
}

/** What several pretended processes share. Calls of connections fail while `isAway`; watches say nothing while `isMute`. */
export class MemoryEtcd {
  isAway = false;
  isMute = false;
  revision = 1;
  /** Connections that are open. */
  connections = 0;
  reads = 0;
  /** Runs before each write of `writeIf`: where another author comes between. */
  beforeWrite: (() => void) | undefined;
  readonly #values = new Map<string, StoredValue>();
  readonly #watches = new Set<MemoryWatch>();

  get watches(): number {
    return this.#watches.size;
  }

  text(key: string): string | undefined {
    return this.#values.get(key)?.text;
  }

  /** When a key was last written; 0 where it is not there. */
  revisionOf(key: string): number {
    return this.#values.get(key)?.revision ?? 0;
  }

  /** Somebody writes; undefined deletes. Returns the revision of the write. */
  put(key: string, text: string | undefined): number {
    return this.#commit([{ key, text }]);
  }

  keys(prefix: string): string[] {
    return [...this.#values.keys()].filter((key) => key.startsWith(prefix)).sort();
  }

  /** As after a compaction, or when a member goes. */
  endWatches(error: Error): void {
    const watches = [...this.#watches];
    this.#watches.clear();
    for (const { listener } of watches) listener.ended(error);
  }

  open = (): Promise<EtcdStore> => {
    this.connections++;
    const announced = new Set<string>();
    let isOpen = true;
    const store: EtcdStore = {
      read: (keys) => this.#call(() => this.#read(keys)),
      list: (prefix) => this.#call(() => this.keys(prefix).map((key) => this.#values.get(key)!)),
      watch: (keys, _revision, listener) => this.#watch(keys, listener),
      announce: (key, text) =>
        this.#call(() => {
          announced.add(key);
          this.put(key, text);
        }),
      claim: (key, text) =>
        this.#call(() => {
          if (this.#values.has(key)) return undefined;
          announced.add(key);
          return this.put(key, text);
        }),
      renew: () =>
        this.#call(() => {
          const isThere = [...announced].every((key) => this.#values.has(key));
          if (announced.size === 0 || !isThere) throw new EtcdError("etcd: no such lease");
        }),
      withdraw: () => this.#call(() => announced.forEach((key) => this.put(key, undefined))),
      writeIf: (key, revision, writes) => this.#call(() => this.#writeIf(key, revision, writes)),
      close: () => {
        if (isOpen) this.connections--;
        isOpen = false;
      },
    };
    return Promise.resolve(store);
  };

  async #call<T>(run: () => T): Promise<T> {
    await Promise.resolve();
    if (this.isAway) throw new EtcdError("etcd: connection refused");
    return run();
  }

  #read(keys: readonly string[]): Reading {
    this.reads++;
    return { revision: this.revision, values: keys.map((key) => this.#values.get(key)) };
  }

  #watch(keys: readonly string[], listener: WatchListener): Disposable {
    const watch = { keys, listener };
    this.#watches.add(watch);
    return { [Symbol.dispose]: () => void this.#watches.delete(watch) };
  }

  #writeIf(key: string, revision: number, writes: readonly Write[]): number | undefined {
    this.beforeWrite?.();
    if ((this.#values.get(key)?.revision ?? 0) !== revision) return undefined;
    return this.#commit(writes);
  }

  #commit(writes: readonly Write[]): number {
    const revision = ++this.revision;
    for (const { key, text } of writes) {
      if (text === undefined) this.#values.delete(key);
      else this.#values.set(key, { key, text, revision });
    }
    if (this.isMute) return revision;
    for (const { keys, listener } of [...this.#watches]) {
      if (writes.some(({ key }) => keys.includes(key))) listener.changed();
    }
    return revision;
  }
}
