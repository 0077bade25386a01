// Bounds how many costly things happen at once and how many wait for their turn: what strangers may ask for is a lever.

export interface TurnstileBounds {
  readonly atOnce: number;
  readonly waiting: number;
}

/** Lets callers in one by one as leases come back. */
export class Turnstile {
  readonly #bounds: TurnstileBounds;
  readonly #queue: (() => void)[] = [];
  #inside = 0;

  constructor(bounds: TurnstileBounds) {
    this.#bounds = bounds;
  }

  /** A lease to dispose of when done; null, at once, when too many wait already. */
  async enter(): Promise<Disposable | null> {
    if (this.#inside < this.#bounds.atOnce) this.#inside++;
    else if (this.#queue.length >= this.#bounds.waiting) return null;
    // Whoever leaves hands its place over, so #inside already counts us when this resolves.
    else await new Promise<void>((resolve) => this.#queue.push(resolve));
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
