// Active health checks: asks on a schedule and says when the answer changes.
import type { Clock } from "../lib/clock.ts";

/** How a check went; `detail` is for people. */
export interface CheckResult {
  readonly isHealthy: boolean;
  readonly detail: string;
  /** There was no answer in time, which may say more of the machine than of what was asked. */
  readonly isLate?: boolean;
}

export interface HealthOptions {
  readonly intervalMs: number;
  readonly clock: Clock;
  /** Must settle by itself within its timeout and never reject. */
  readonly check: () => Promise<CheckResult>;
  readonly onChange: (result: CheckResult) => void;
}

/** While unhealthy it asks at least this often, so that an app that comes up is not kept waiting. */
const EAGER_MS = 500;

/** One answer decides, and so does a refusal; that there was none in time must be so twice in a row. */
export class Health {
  readonly #options: HealthOptions;
  #last: CheckResult = { isHealthy: false, detail: "not checked yet" };
  #hasAnswer = false;
  #isInDoubt = false;
  #timer: Disposable | undefined;
  #running: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(options: HealthOptions) {
    this.#options = options;
  }

  get last(): CheckResult {
    return this.#last;
  }

  /** Checks now and from now on. */
  start(): void {
    this.#running = this.#run();
  }

  async #run(): Promise<void> {
    const result = await this.#options.check();
    if (this.#isClosed) return;
    const wasInDoubt = this.#isInDoubt;
    this.#isInDoubt = result.isLate === true && this.#last.isHealthy;
    if (this.#isInDoubt && !wasInDoubt) return this.#askAgain(EAGER_MS);
    const isChange = !this.#hasAnswer || result.isHealthy !== this.#last.isHealthy;
    this.#hasAnswer = true;
    this.#last = result;
    if (isChange) this.#options.onChange(result);
    this.#askAgain(result.isHealthy ? Infinity : EAGER_MS);
  }

  #askAgain(withinMs: number): void {
    const { intervalMs, clock } = this.#options;
    this.#timer = clock.after(Math.min(intervalMs, withinMs), () => this.start());
  }

  /** Resolves when no check is under way. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#timer?.[Symbol.dispose]();
    await this.#running;
  }
}
