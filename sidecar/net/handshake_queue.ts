// How many TLS handshakes may be under way at once, and how many may wait: each is 2 ms of CPU that a stranger can ask for.

export interface HandshakeQueueOptions {
  readonly maxRunning: number;
  readonly maxWaiting: number;
}

/** What strangers can make us compute and keep at once. */
export const HANDSHAKE_LIMITS = { maxRunning: 64, maxWaiting: 1024 } as const;

export class HandshakeQueue {
  readonly #options: HandshakeQueueOptions;
  readonly #waiting: (() => Promise<void>)[] = [];
  #running = 0;

  constructor(options: HandshakeQueueOptions) {
    this.#options = options;
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Runs `task`, now or in its turn; false when there is no room even to wait. A task must not reject. */
  offer(task: () => Promise<void>): boolean {
    if (this.#running < this.#options.maxRunning) {
      this.#start(task);
      return true;
    }
    if (this.#waiting.length >= this.#options.maxWaiting) return false;
    this.#waiting.push(task);
    return true;
  }

  #start(task: () => Promise<void>): void {
    this.#running++;
    task().finally(this.#next);
  }

  #next = (): void => {
    this.#running--;
    const task = this.#waiting.shift();
    if (task !== undefined) this.#start(task);
  };
}
