// A clock that stands still until a test moves it.
import type { Clock } from "../../sidecar/lib/clock.ts";

interface Timer {
  readonly order: number;
  readonly callback: () => void;
  /** Absent: fires once. */
  readonly everyMs?: number;
  dueAt: number;
}

/** Promise turns granted after each timer, so that what it started gets as far as it can without I/O. */
const TURNS = 100;

/** `advance` fires what falls due, in order; timers set meanwhile take part. */
export class FakeClock implements Clock {
  readonly #timers = new Set<Timer>();
  #now = 0;
  #epoch: number;
  #order = 0;

  constructor(epoch = Date.UTC(2026, 0, 1)) {
    this.#epoch = epoch;
  }

  /** Timers not yet fired or disposed; a test that ends at 0 has leaked none. */
  get pending(): number {
    return this.#timers.size;
  }

  now(): number {
    return this.#now;
  }

  epoch(): number {
    return this.#epoch;
  }

  after(ms: number, callback: () => void): Disposable {
    return this.#add({ order: this.#order++, callback, dueAt: this.#now + Math.max(0, ms) });
  }

  every(ms: number, callback: () => void): Disposable {
    if (!(ms > 0)) throw new RangeError(`a repeating timer of ${ms} ms`);
    return this.#add({ order: this.#order++, callback, everyMs: ms, dueAt: this.#now + ms });
  }

  /** Steps the wall clock alone, as an operator or a time daemon does. */
  stepEpoch(ms: number): void {
    this.#epoch += ms;
  }

  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settle();
    for (let timer = this.#next(end); timer !== undefined; timer = this.#next(end)) {
      this.#moveTo(timer.dueAt);
      if (timer.everyMs === undefined) this.#timers.delete(timer);
      else timer.dueAt += timer.everyMs;
      timer.callback();
      await settle();
    }
    this.#moveTo(end);
  }

  #add(timer: Timer): Disposable {
    this.#timers.add(timer);
    return { [Symbol.dispose]: () => void this.#timers.delete(timer) };
  }

  #next(end: number): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.dueAt > end) continue;
      if (first === undefined || isEarlier(timer, first)) first = timer;
    }
    return first;
  }

  #moveTo(time: number): void {
    this.#epoch += time - this.#now;
    this.#now = time;
  }
}

/** Lets pending promise callbacks run. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn++) await Promise.resolve();
}

function isEarlier(a: Timer, b: Timer): boolean {
  return a.dueAt < b.dueAt || (a.dueAt === b.dueAt && a.order < b.order);
}
