// The lines that say who was let in and who was not: so many a second at most, because whoever knocks often enough
// could else fill the disk. What was left out is counted.
import { type BucketMeasure, TokenBucket } from "../lib/token_bucket.ts";
import type { LogFields, Logger } from "../telemetry/log.ts";
import type { Counter, Metrics } from "../telemetry/metrics.ts";

/** 50 lines a second are 15 KB: more than anybody reads, less than any disk notices. */
const MEASURE: BucketMeasure = { tokensPerMs: 50 / 1000, burst: 100 };

/** Each kind has lines of its own: a flood of calls that are let in hides none that was refused. */
class Kind {
  readonly #bucket = new TokenBucket(MEASURE, 0);
  readonly #unlogged: Counter;
  /** Left out since the last line. */
  #suppressed = 0;

  constructor(unlogged: Counter) {
    this.#unlogged = unlogged;
  }

  /** How many lines were left out before this one; undefined where this one is left out too. */
  admit(nowMs: number): number | undefined {
    if (!this.#bucket.take(MEASURE, nowMs)) {
      this.#suppressed++;
      this.#unlogged.add();
      return undefined;
    }
    const count = this.#suppressed;
    this.#suppressed = 0;
    return count;
  }
}

export class AuditLog {
  readonly #log: Logger;
  readonly #allowed: Kind;
  readonly #refused: Kind;

  constructor(log: Logger, metrics: Metrics) {
    const unlogged = metrics.counter(
      "mesh_authorization_unlogged_total",
      "Audit lines that were left out because there were too many a second.",
    );
    this.#log = log;
    this.#allowed = new Kind(unlogged.with({ decision: "allowed" }));
    this.#refused = new Kind(unlogged.with({ decision: "refused" }));
  }

  /** `fields` is asked for only where the line is written. */
  write(isAllowed: boolean, nowMs: number, fields: () => LogFields): void {
    if (!this.#log.isEnabled("info")) return;
    const suppressed = (isAllowed ? this.#allowed : this.#refused).admit(nowMs);
    if (suppressed === undefined) return;
    this.#log.info("authorization", {
      ...fields(),
      ...(suppressed === 0 ? {} : { suppressed }),
    });
  }
}
