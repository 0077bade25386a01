// Where the current snapshot is: one reference, swapped whole. Control publishes, the data path reads.
import type { Snapshot } from "./snapshot.ts";

export type SnapshotListener = (snapshot: Snapshot, previous: Snapshot | undefined) => void;

export class SnapshotStore {
  #current: Snapshot;
  readonly #listeners = new Set<SnapshotListener>();

  constructor(initial: Snapshot) {
    this.#current = initial;
  }

  get current(): Snapshot {
    return this.#current;
  }

  publish(snapshot: Snapshot): void {
    const previous = this.#current;
    this.#current = snapshot;
    for (const listener of this.#listeners) listener(snapshot, previous);
  }

  /** Called after every swap. */
  subscribe(listener: SnapshotListener): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }
}
