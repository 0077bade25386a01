// How long something has been so, measured by looking now and then.

export class Stopwatch {
  #sinceMs: number | undefined;
  #mark = 0;

  /** Milliseconds since `isSo` first was true without a break, and `mark` the same; 0 while it is not. */
  look(nowMs: number, isSo: boolean, mark = 0): number {
    if (!isSo) {
      this.#sinceMs = undefined;
      return 0;
    }
    if (this.#sinceMs === undefined || mark !== this.#mark) {
      this.#sinceMs = nowMs;
      this.#mark = mark;
    }
    return nowMs - this.#sinceMs;
  }
}
