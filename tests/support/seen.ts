// What a test waits on instead of waiting for time to pass.

interface Waiter<T> {
  readonly isIt: (value: T) => boolean;
  readonly resolve: (value: T) => void;
}

/** Only reached by a test that fails. */
const DEADLINE_MS = 20_000;

/** Collects reports; `until` resolves with the latest one as soon as it fits. */
export class Seen<T> {
  readonly all: T[] = [];
  readonly #waiters = new Set<Waiter<T>>();

  /** Bound, so that it can be handed over as a listener. */
  readonly add = (value: T): void => {
    this.all.push(value);
    for (const waiter of [...this.#waiters]) {
      if (!waiter.isIt(value)) continue;
      this.#waiters.delete(waiter);
      waiter.resolve(value);
    }
  };

  async until(isIt: (value: T) => boolean = () => true): Promise<T> {
    const last = this.all.at(-1);
    if (last !== undefined && isIt(last)) return last;
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    this.#waiters.add({ isIt, resolve });
    const timer = setTimeout(() => reject(this.#expired()), DEADLINE_MS);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
    }
  }

  #expired(): Error {
    return new Error(`never came; last of ${this.all.length}: ${JSON.stringify(this.all.at(-1))}`);
  }
}
