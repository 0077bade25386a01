// Virtual time: things happen in order of their time, as fast as the machine can, and the same way each run.
import { seeded } from "../../../sidecar/upstream/balancer/test_candidates.ts";

interface Event {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

/** A binary heap of what is to come. */
export class Simulation {
  #now = 0;
  #order = 0;
  readonly #heap: Event[] = [];
  /** Uniform in [0, 1). */
  readonly random: () => number;

  constructor(seed = 1) {
    this.random = seeded(seed);
  }

  /** Milliseconds. */
  get now(): number {
    return this.#now;
  }

  /** Exponential, as times between independent events are. */
  exponential(mean: number): number {
    return -mean * Math.log(1 - this.random());
  }

  after(ms: number, run: () => void): void {
    const heap = this.#heap;
    heap.push({ at: this.#now + ms, order: this.#order++, run });
    for (let child = heap.length - 1; child > 0;) {
      const parent = (child - 1) >> 1;
      if (!isEarlier(heap[child]!, heap[parent]!)) break;
      [heap[child], heap[parent]] = [heap[parent]!, heap[child]!];
      child = parent;
    }
  }

  /** Lets happen what falls due until then. */
  runUntil(end: number): void {
    for (let next = this.#heap[0]; next !== undefined && next.at <= end; next = this.#heap[0]) {
      this.#pop();
      this.#now = next.at;
      next.run();
    }
    this.#now = end;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    heap[0] = last;
    for (let parent = 0;;) {
      const left = 2 * parent + 1;
      if (left >= heap.length) return;
      const right = left + 1;
      const least = right < heap.length && isEarlier(heap[right]!, heap[left]!) ? right : left;
      if (!isEarlier(heap[least]!, heap[parent]!)) return;
      [heap[least], heap[parent]] = [heap[parent]!, heap[least]!];
      parent = least;
    }
  }
}

function isEarlier(a: Event, b: Event): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

/** A server with some workers and a queue without end; each piece of work takes as long as `time` says. */
export class Server {
  readonly #simulation: Simulation;
  readonly #workers: number;
  readonly #time: () => number;
  /** Those before `#first` have been served. */
  #queue: (() => void)[] = [];
  #first = 0;
  #busy = 0;

  constructor(simulation: Simulation, workers: number, time: () => number) {
    this.#simulation = simulation;
    this.#workers = workers;
    this.#time = time;
  }

  /** Runs `done` when the work is done; nobody can call it off. */
  work(done: () => void): void {
    if (this.#busy === this.#workers) {
      this.#queue.push(done);
      return;
    }
    this.#busy++;
    this.#simulation.after(this.#time(), () => {
      this.#busy--;
      done();
      const next = this.#next();
      if (next !== undefined) this.work(next);
    });
  }

  #next(): (() => void) | undefined {
    if (this.#first > 1000 && this.#first > this.#queue.length / 2) {
      this.#queue = this.#queue.slice(this.#first);
      this.#first = 0;
    }
    return this.#first < this.#queue.length ? this.#queue[this.#first++] : undefined;
  }
}
