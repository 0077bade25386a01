// The word that work is no longer wanted. A tenth of the price of an AbortController, which the hot path cannot pay.

export type CancelListener = (reason: Error) => void;

/** Cancelled at most once; listeners run synchronously, in order, and late ones run at once. */
export class Cancellation {
  #reason: Error | undefined;
  readonly #listeners: CancelListener[] = [];

  get reason(): Error | undefined {
    return this.#reason;
  }

  get isCancelled(): boolean {
    return this.#reason !== undefined;
  }

  /** The first reason stays. */
  cancel(reason: Error): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    // One at a time, so that a listener can still take off one behind it.
    for (let next = this.#listeners.shift(); next !== undefined; next = this.#listeners.shift()) {
      next(reason);
    }
  }

  onCancel(listener: CancelListener): void {
    if (this.#reason !== undefined) listener(this.#reason);
    else this.#listeners.push(listener);
  }

  /** Forgets a listener; unknown ones are ignored. */
  off(listener: CancelListener): void {
    const at = this.#listeners.lastIndexOf(listener);
    if (at >= 0) this.#listeners.splice(at, 1);
  }

  throwIfCancelled(): void {
    if (this.#reason !== undefined) throw this.#reason;
  }
}
