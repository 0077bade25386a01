// One try at one endpoint, counted while it is under way; how it went is told to whoever learns from it, once.
import type { ProxyError } from "../errors.ts";
import type { Breaker } from "./breaker.ts";
import type { EndpointState } from "./endpoint_state.ts";
import { breakageOf } from "./failures.ts";
import type { Verdicts } from "./verdicts.ts";

/** Counts that attempts are part of. */
export interface Counted {
  inFlight: number;
  /** Of these, retries that policy asked for. */
  retries: number;
}

export interface AttemptOptions {
  readonly endpoint: EndpointState;
  /** What else counts it. */
  readonly cluster: Counted;
  readonly verdicts: Verdicts;
  /** The one that let it through, and its permit. */
  readonly breaker: Breaker | undefined;
  readonly permit: number;
  /** Clock milliseconds; 0 where nobody asks how long it takes. */
  readonly startedAt: number;
  readonly isRetry: boolean;
}

export class Attempt implements Disposable {
  readonly endpoint: EndpointState;
  readonly breaker: Breaker | undefined;
  readonly permit: number;
  readonly startedAt: number;
  /** Until the head of the answer, once that is known. */
  tookMs: number | undefined = undefined;
  readonly #cluster: Counted;
  readonly #verdicts: Verdicts;
  readonly #isRetry: boolean;
  #isJudged = false;
  #isOver = false;

  constructor(options: AttemptOptions) {
    this.endpoint = options.endpoint;
    this.breaker = options.breaker;
    this.permit = options.permit;
    this.startedAt = options.startedAt;
    this.#cluster = options.cluster;
    this.#verdicts = options.verdicts;
    this.#isRetry = options.isRetry;
    this.endpoint.inFlight++;
    this.#cluster.inFlight++;
    if (this.#isRetry) this.#cluster.retries++;
  }

  /** The head of an answer came whose end is going to tell how it went. */
  began(): void {
    if (!this.#isJudged) this.#verdicts.ofHead(this);
  }

  /** An answer came; `grpcStatus` as its head or its trailers have it. */
  answered(status: number, grpcStatus?: string): void {
    if (this.#isJudged) return;
    this.#isJudged = true;
    this.#verdicts.ofAnswer(this, status, grpcStatus === undefined ? 0 : Number(grpcStatus));
  }

  failed(error: ProxyError): void {
    if (this.#isJudged) return;
    this.#isJudged = true;
    const breakage = breakageOf(error);
    if (breakage === undefined) this.breaker?.release(this.permit);
    else this.#verdicts.ofBreakage(this, breakage);
  }

  /** It is over; without a verdict until now it says nothing of the endpoint. */
  [Symbol.dispose](): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.endpoint.inFlight--;
    this.#cluster.inFlight--;
    if (this.#isRetry) this.#cluster.retries--;
    if (this.#isJudged) return;
    this.#isJudged = true;
    this.breaker?.release(this.permit);
  }
}
