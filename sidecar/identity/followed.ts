// The newest answer to a question that an authority answers late, when there is something newer (a blocking query).
import { Backoff } from "../lib/backoff.ts";
import type { Clock } from "../lib/clock.ts";

/** An answer, and the number to ask for a newer one with. */
export interface Indexed {
  readonly index: number;
}

/** Answers at once where `index` is 0, else when there is something newer or after minutes. Rejects when `cut` is aborted. */
export type Ask<T extends Indexed> = (index: number, cut: AbortSignal) => Promise<T>;

export interface FollowOptions {
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Another answer came. */
  readonly onAnswer: () => void;
}

const RETRY = { minMs: 500, maxMs: 30_000 };
/** Between two questions, whatever the other side does. */
const PAUSE_MS = 500;

/** Asks from the moment it is made until it is closed, one question at a time. */
export class Followed<T extends Indexed> {
  readonly #ask: Ask<T>;
  readonly #options: FollowOptions;
  readonly #backoff: Backoff;
  readonly #cut = new AbortController();
  readonly #closed = Promise.withResolvers<void>();
  readonly #run: Promise<void>;
  #latest: T;
  #index: number;
  #failure: string | undefined;

  /** `first` with index 0 is something remembered: what there is now is asked for at once. */
  constructor(first: T, ask: Ask<T>, options: FollowOptions) {
    this.#latest = first;
    this.#index = first.index;
    this.#ask = ask;
    this.#options = options;
    this.#backoff = new Backoff({ ...RETRY, random: options.random });
    this.#run = this.#loop();
  }

  get latest(): T {
    return this.#latest;
  }

  /** Why the last question was not answered; undefined when it was. */
  get failure(): string | undefined {
    return this.#failure;
  }

  async close(): Promise<void> {
    this.#cut.abort();
    this.#closed.resolve();
    await this.#run;
  }

  async #loop(): Promise<void> {
    while (!this.#cut.signal.aborted) await this.#pause(await this.#turn());
  }

  /** One question; resolves to how long to wait before the next. */
  async #turn(): Promise<number> {
    try {
      const answer = await this.#ask(this.#index, this.#cut.signal);
      this.#backoff.reset();
      this.#failure = undefined;
      // Consul's own advice: an index that went backwards means to start over, and below 1 a query would not block.
      this.#index = answer.index < this.#index ? 0 : Math.max(1, answer.index);
      this.#latest = answer;
      this.#options.onAnswer();
      return PAUSE_MS;
    } catch (error) {
      // Whatever number we had may be ahead of a server that started anew.
      this.#index = 0;
      this.#failure = error instanceof Error ? error.message : String(error);
      return this.#backoff.next();
    }
  }

  async #pause(ms: number): Promise<void> {
    if (this.#cut.signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    using _timer = this.#options.clock.after(ms, resolve);
    await Promise.race([promise, this.#closed.promise]);
  }
}
