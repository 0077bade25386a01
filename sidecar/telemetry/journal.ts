// The last failures in memory, and every exchange for whoever watches: what people look at when something goes wrong.

/** One exchange that is over. No secret is in it: paths come without their query. */
export interface JournalEntry {
  /** When it ended, as ISO 8601 in UTC. */
  readonly time: string;
  readonly requestId: string;
  readonly traceId: string | undefined;
  readonly listener: string;
  readonly method: string;
  readonly path: string;
  readonly host: string;
  /** 0: nothing was answered. */
  readonly status: number;
  readonly durationMs: number;
  readonly client: string;
  /** The caller's SPIFFE id. */
  readonly from: string | undefined;
  readonly upstream: string | undefined;
  readonly endpoint: string | undefined;
  readonly attempts: number;
  readonly user: string | undefined;
  /** Our reason, where the answer was our own, and what exactly it was about. */
  readonly reason: string | undefined;
  readonly detail: string | undefined;
  /** Why the answer did not reach the client whole. */
  readonly error: string | undefined;
}

/** Failures kept; some 500 bytes each. */
const MAX_FAILURES = 200;

export interface Follower {
  entry(entry: JournalEntry): void;
  /** Nothing more will come. */
  end(): void;
}

export class Journal {
  /** Written round and round. */
  readonly #failures: JournalEntry[] = [];
  #next = 0;
  readonly #followers = new Set<Follower>();

  /** Whether anybody wants to hear of what went well. */
  get isFollowed(): boolean {
    return this.#followers.size > 0;
  }

  record(entry: JournalEntry, isFailure: boolean): void {
    if (isFailure) {
      this.#failures[this.#next] = entry;
      this.#next = (this.#next + 1) % MAX_FAILURES;
    }
    for (const follower of this.#followers) follower.entry(entry);
  }

  /** Newest first. */
  failures(): JournalEntry[] {
    const { length } = this.#failures;
    return Array.from(
      { length },
      (_, back) => this.#failures[(this.#next - 1 - back + 2 * length) % length]!,
    );
  }

  /** Sends all followers away. */
  end(): void {
    const followers = [...this.#followers];
    this.#followers.clear();
    for (const follower of followers) follower.end();
  }

  /** Until disposed. */
  follow(follower: Follower): Disposable {
    this.#followers.add(follower);
    return { [Symbol.dispose]: () => void this.#followers.delete(follower) };
  }
}
