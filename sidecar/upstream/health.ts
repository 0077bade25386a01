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
  /** How many answers in a row it takes to change its mind; default 1. */
  readonly healthyThreshold?: number;
  readonly unhealthyThreshold?: number;
  /** How long after the start nobody is told that there is no good answer yet; default 0. */
  readonly startupGraceMs?: number;
  /** What is believed until it was asked; default false. */
  readonly isHealthyAtFirst?: boolean;
  readonly clock: Clock;
  /** Must settle by itself within its timeout and never reject. */
  readonly check: () => Promise<CheckResult>;
  readonly onChange: (result: CheckResult) => void;
}

/** While unhealthy it asks at least this often, so that an app that comes up is not kept waiting. */
const EAGER_MS = 500;

/** That there was no answer in time may say more of the machine: it must be so as often as this. */
const LATE_THRESHOLD = 2;

/** A change takes as many answers in a row as its threshold says. */
export class Health {
  readonly #options: HealthOptions;
  readonly #startedAt: number;
  #last: CheckResult;
  #hasAnswer = false;
  /** Answers in a row that say otherwise than the last state. */
  #doubts = 0;
  #timer: Disposable | undefined;
  #running: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(options: HealthOptions) {
    const { isHealthyAtFirst: isHealthy = false } = options;
    this.#options = options;
    this.#last = { isHealthy, detail: "not checked yet" };
    this.#startedAt = options.clock.now();
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
    if (result.isHealthy === this.#last.isHealthy) {
      this.#doubts = 0;
      this.#last = result;
      if (!this.#hasAnswer && !this.#isStarting) this.#tell();
    } else if (++this.#doubts >= this.#neededFor(result)) {
      this.#doubts = 0;
      this.#last = result;
      this.#tell();
    }
    const isSettled = this.#last.isHealthy && this.#doubts === 0;
    this.#askAgain(isSettled ? Infinity : EAGER_MS);
  }

  /** An app that is still coming up has its time. */
  get #isStarting(): boolean {
    const { startupGraceMs = 0, clock } = this.#options;
    return clock.now() - this.#startedAt < startupGraceMs;
  }

  #neededFor({ isHealthy, isLate }: CheckResult): number {
    const { healthyThreshold = 1, unhealthyThreshold = 1 } = this.#options;
    if (isHealthy) return healthyThreshold;
    return isLate ? Math.max(LATE_THRESHOLD, unhealthyThreshold) : unhealthyThreshold;
  }

  #tell(): void {
    this.#hasAnswer = true;
    this.#options.onChange(this.#last);
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
