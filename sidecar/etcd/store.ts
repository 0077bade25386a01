// What the mesh does with etcd. Types only.

export interface StoredValue {
  readonly key: string;
  readonly text: string;
  /** When it was last written, in etcd's own counting. */
  readonly revision: number;
}

/** What one revision of etcd says of some keys. */
export interface Reading {
  readonly revision: number;
  /** In the order that was asked for; undefined: there is no such key. */
  readonly values: readonly (StoredValue | undefined)[];
}

export interface WatchListener {
  /** Some key may have changed. */
  changed(): void;
  /** Nothing more will come: whoever wants to go on reads and watches anew. */
  ended(error: Error): void;
}

/** One key to write; undefined text deletes it. */
export interface Write {
  readonly key: string;
  readonly text: string | undefined;
}

/** A connection to a cluster of etcd. Every call ends within seconds, and rejects with EtcdError where it fails. */
export interface EtcdStore {
  read(keys: readonly string[]): Promise<Reading>;
  list(prefix: string): Promise<readonly StoredValue[]>;
  /** Tells of changes after `revision` until disposed. */
  watch(keys: readonly string[], revision: number, listener: WatchListener): Disposable;
  /** Writes under a lease, so that the key goes when this process does not renew it for LEASE_SECONDS. */
  announce(key: string, text: string): Promise<void>;
  /** Announces a key that nobody has; resolves to the revision of the write, undefined where somebody has it. */
  claim(key: string, text: string): Promise<number | undefined>;
  /** Keeps what was announced; rejects when it has to be announced anew. */
  renew(): Promise<void>;
  /** Takes back what was announced. */
  withdraw(): Promise<void>;
  /**
   * Writes all or nothing, while `key` is still as it was at `revision` (0: absent). Resolves to the revision of the write;
   * undefined: somebody else has written.
   */
  writeIf(key: string, revision: number, writes: readonly Write[]): Promise<number | undefined>;
  close(): void;
}

/** Opens a connection, which does not wait for etcd. Rejects where a file of TLS cannot be read. */
export type OpenEtcd = () => Promise<EtcdStore>;
