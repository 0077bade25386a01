// Log lines to a slow file or pipe without making anybody wait: a bounded queue, and a count of what did not fit.
import type { Clock } from "../lib/clock.ts";

/** About 4000 lines; a reader that is this far behind is not reading. */
const MAX_QUEUED = 1024 * 1024;

/** Writes in the background, many lines at once. What does not fit is dropped and counted in the next line. */
export class LineWriter {
  readonly #write: (bytes: Uint8Array) => Promise<number>;
  readonly #maxQueued: number;
  #queue: string[] = [];
  #queued = 0;
  #dropped = 0;
  #work: Promise<void> | undefined;

  /** `write` resolves to the number of bytes taken. */
  constructor(write: (bytes: Uint8Array) => Promise<number>, maxQueued = MAX_QUEUED) {
    this.#write = write;
    this.#maxQueued = maxQueued;
  }

  push(line: string): void {
    if (this.#queued + line.length > this.#maxQueued) {
      this.#dropped++;
      return;
    }
    this.#queue.push(line);
    this.#queued += line.length;
    this.#work ??= this.#drain();
  }

  /** Resolves when everything pushed is written, or after `ms`. */
  async flushed(clock: Clock, ms: number): Promise<void> {
    if (this.#work === undefined) return;
    const waited = Promise.withResolvers<void>();
    using _timer = clock.after(ms, waited.resolve);
    await Promise.race([this.#work, waited.promise]);
  }

  async #drain(): Promise<void> {
    // Lines of the same turn leave in one write.
    await Promise.resolve();
    while (this.#queue.length > 0) {
      const text = this.#take();
      try {
        await this.#writeAll(new TextEncoder().encode(text));
      } catch {
        // stderr is closed: there is nobody to tell.
        this.#dropped = 0;
      }
    }
    this.#work = undefined;
  }

  #take(): string {
    const lost = this.#dropped === 0
      ? ""
      : `{"level":"warn","message":"${this.#dropped} log lines dropped: stderr is not read"}\n`;
    const text = this.#queue.join("") + lost;
    this.#queue = [];
    this.#queued = 0;
    this.#dropped = 0;
    return text;
  }

  async #writeAll(bytes: Uint8Array): Promise<void> {
    let rest = bytes;
    while (rest.length > 0) rest = rest.subarray(await this.#write(rest));
  }
}
