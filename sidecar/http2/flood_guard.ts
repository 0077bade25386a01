// What a peer may do to us for nothing, in numbers (RFC 9113 10.5): streams wasted and frames that carry nothing. Beyond them
// the connection ends with ENHANCE_YOUR_CALM.
import { Budget } from "./budget.ts";
import type { Http2Limits } from "./limits.ts";
import { ConnectionError, REASON } from "./reason.ts";

/** What a DATA frame of ours may be answered with: an update of either window, and a PING or two that measure it. */
const EXPLAINED_BY_DATA = 4;

export class FloodGuard {
  readonly #resets: Budget;
  readonly #ignored: Budget;
  /** DATA frames of ours that were counted for the peer already. */
  #explained = 0;

  constructor(limits: Http2Limits) {
    this.#resets = new Budget(limits.resetsPerWindow, limits.floodWindowMs);
    this.#ignored = new Budget(limits.controlFramesPerWindow, limits.floodWindowMs);
  }

  /**
   * The peer wasted a stream: reset it (rapid reset, CVE-2023-44487), made us reset it (CVE-2025-8671), or opened one more
   * than it was told. Throws ConnectionError when that was one too many.
   */
  wasted(): void {
    if (!this.#resets.spend()) calmDown("too many streams wasted");
  }

  /**
   * A frame that carries nothing came: one by one nearly free, in floods CVE-2019-9511 to 9518. `dataFrames` is how many
   * DATA frames we ever sent; they explain some. Throws as `wasted`.
   */
  ignored(dataFrames: number): void {
    if (this.#ignored.spend()) return;
    this.#ignored.earn((dataFrames - this.#explained) * EXPLAINED_BY_DATA);
    this.#explained = dataFrames;
    if (!this.#ignored.spend()) calmDown("too many frames that carry nothing");
  }

  /** A stream was opened, which some clients do with a frame or two more. */
  opened(): void {
    this.#ignored.earn(1);
  }

  sweep(nowMs: number): void {
    this.#resets.refill(nowMs);
    this.#ignored.refill(nowMs);
  }
}

function calmDown(message: string): never {
  throw new ConnectionError(REASON.ENHANCE_YOUR_CALM, message);
}
