// Many timeouts of few durations, at the price of a list append. Timeouts of one duration expire in the order they
// were set, so each duration is one queue with one real timer, which only ever waits for the head of its queue.
import type { Clock } from "./clock.ts";

/** One pending timeout; `clear` it when what it guards is done. */
export class Timeout {
  readonly #queue: Queue;
  readonly expiresAt: number;
  /** Undefined once it was cleared or called. */
  callback: (() => void) | undefined;
  /** It has expired and is about to be called. */
  isDue = false;

  constructor(queue: Queue, expiresAt: number, callback: () => void) {
    this.#queue = queue;
    this.expiresAt = expiresAt;
    this.callback = callback;
  }

  /** May be called twice, and after it fired. */
  clear(): void {
    if (this.callback === undefined) return;
    this.callback = undefined;
    if (!this.isDue) this.#queue.cleared();
  }
}

class Queue {
  readonly #clock: Clock;
  readonly #durationMs: number;
  readonly #onEmpty: () => void;
  #items: Timeout[] = [];
  #live = 0;
  #timer: Disposable | undefined;

  constructor(clock: Clock, durationMs: number, onEmpty: () => void) {
    this.#clock = clock;
    this.#durationMs = durationMs;
    this.#onEmpty = onEmpty;
  }

  push(callback: () => void, nowMs: number): Timeout {
    const timeout = new Timeout(this, nowMs + this.#durationMs, callback);
    this.#items.push(timeout);
    this.#live++;
    this.#timer ??= this.#clock.after(this.#durationMs, this.#expire);
    return timeout;
  }

  /** Cleared entries are swept out once they outnumber the live ones, so the list stays bounded by its use. */
  cleared(): void {
    this.#live--;
    if (this.#items.length > 64 && this.#live < this.#items.length / 2) {
      this.#items = this.#items.filter((item) => item.callback !== undefined);
    }
  }

  #expire = (): void => {
    this.#timer = undefined;
    const now = this.#clock.now();
    let next = 0;
    const due: Timeout[] = [];
    for (; next < this.#items.length; next++) {
      const item = this.#items[next]!;
      if (item.callback === undefined) continue;
      if (item.expiresAt > now) break;
      item.isDue = true;
      due.push(item);
      this.#live--;
    }
    this.#items.splice(0, next);
    const head = this.#items[0];
    if (head !== undefined) {
      this.#timer = this.#clock.after(Math.max(1, head.expiresAt - now), this.#expire);
    } else this.#onEmpty();
    for (const item of due) {
      const { callback } = item; // one that was called before it may have cleared it
      item.callback = undefined;
      callback?.();
    }
  };

  dispose(): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    this.#items = [];
    this.#live = 0;
  }
}

/** Sets timeouts. A queue lives as long as it has entries, so any number of different durations is fine. */
export class Timeouts {
  readonly #clock: Clock;
  readonly #queues = new Map<number, Queue>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `nowMs` is the clock's, for a caller that has just read it. */
  after(durationMs: number, callback: () => void, nowMs: number = this.#clock.now()): Timeout {
    let queue = this.#queues.get(durationMs);
    if (queue === undefined) {
      queue = new Queue(this.#clock, durationMs, () => this.#queues.delete(durationMs));
      this.#queues.set(durationMs, queue);
    }
    return queue.push(callback, nowMs);
  }

  /** Forgets everything; nothing fires afterwards. */
  dispose(): void {
    for (const queue of this.#queues.values()) queue.dispose();
    this.#queues.clear();
  }
}
