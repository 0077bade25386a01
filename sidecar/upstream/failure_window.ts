// Outcomes of the last so many milliseconds, counted in slices.

const SLICES = 10;

interface Slice {
  /** Which slice of time it is, counted from 0 of the clock. */
  number: number;
  total: number;
  failures: number;
}

export class FailureWindow {
  readonly #sliceMs: number;
  readonly #slices: readonly Slice[] = Array.from(
    { length: SLICES },
    () => ({ number: -SLICES, total: 0, failures: 0 }),
  );

  constructor(windowMs: number) {
    this.#sliceMs = windowMs / SLICES;
  }

  count(isFailure: boolean, nowMs: number): void {
    const number = Math.floor(nowMs / this.#sliceMs);
    const slice = this.#slices[number % SLICES]!;
    if (slice.number !== number) {
      slice.number = number;
      slice.total = 0;
      slice.failures = 0;
    }
    slice.total++;
    if (isFailure) slice.failures++;
  }

  sum(nowMs: number): { readonly total: number; readonly failures: number } {
    const newest = Math.floor(nowMs / this.#sliceMs);
    let [total, failures] = [0, 0];
    for (const slice of this.#slices) {
      if (slice.number <= newest - SLICES) continue;
      total += slice.total;
      failures += slice.failures;
    }
    return { total, failures };
  }

  clear(): void {
    for (const slice of this.#slices) slice.number = -SLICES;
  }
}
