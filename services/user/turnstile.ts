// Bounds how many costly things happen at once and how many wait for their turn. Each password check takes 16 MiB and a
// good part of a second of processor time, and anybody may ask for one.

interface Bounds {
  readonly atOnce: number;
  readonly waiting: number;
}

/** Lets callers in one by one as leases come back. */
export class Turnstile {
  readonly #bounds: Bounds;
  readonly #queue: (() => void)[] = [];
  #inside = 0;

  constructor(bounds: Bounds) {
    this.#bounds = bounds;
  }

  /** A lease to dispose of when done; null, at once, when too many wait already. */
  async enter(): Promise<Disposable | null> {
    if (this.#inside >= this.#bounds.atOnce) {
      if (this.#queue.length >= this.#bounds.waiting) return null;
      // Whoever leaves hands its place over, so #inside already counts us when this resolves.
      await new Promise<void>((resolve) => this.#queue.push(resolve));
    } else {
      this.#inside++;
    }
    return this.#lease();
  }

  #lease(): Disposable {
    let isHeld = true;
    return {
      [Symbol.dispose]: () => {
        if (!isHeld) return;
        isHeld = false;
        const next = this.#queue.shift();
        if (next === undefined) this.#inside--;
        else next();
      },
    };
  }
}
