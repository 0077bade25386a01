// Runs one job at a time, however often it is asked for.

/** Calls that come while the job runs share exactly one more run. The job must not throw. */
export class LatestRun {
  readonly #job: () => Promise<void>;
  #current: Promise<void> | null = null;
  #next: Promise<void> | null = null;

  constructor(job: () => Promise<void>) {
    this.#job = job;
  }

  /** Resolves when a run that began after this call has ended. */
  run(): Promise<void> {
    if (this.#next !== null) return this.#next;
    if (this.#current === null) return this.#start();
    this.#next = this.#current.then(() => {
      this.#next = null;
      return this.#start();
    });
    return this.#next;
  }

  /** Resolves when nothing runs and nothing waits to. */
  async idle(): Promise<void> {
    for (;;) {
      const last = this.#next ?? this.#current;
      if (last === null) return;
      await last;
    }
  }

  #start(): Promise<void> {
    const run = this.#job().finally(() => {
      if (this.#current === run) this.#current = null;
    });
    this.#current = run;
    return run;
  }
}
