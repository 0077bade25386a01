// What keeps retries from multiplying a failure: each request pays in a share of one, each retry takes out a whole one
// (as Finagle's RetryBudget does, but by count alone).

/** Saved up at most: a burst of failures after a quiet hour must not be answered by an hour's worth of retries. */
const MAX_SAVED = 100;
/** There from the start, so that a service that is called rarely can be retried at all. */
const RESERVE = 10;

export class RetryBudget {
  /** Of the requests that may be made once more: 0.2 is one in five. */
  readonly share: number;
  #balance = RESERVE;

  constructor(share: number) {
    this.share = share;
  }

  deposit(): void {
    this.#balance = Math.min(MAX_SAVED, this.#balance + this.share);
  }

  /** Whether a retry may be made; it is paid for then. */
  withdraw(): boolean {
    if (this.#balance < 1) return false;
    this.#balance--;
    return true;
  }
}
