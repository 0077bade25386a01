// The word that work is no longer wanted. A tenth of the price of an AbortController, which the hot path cannot pay.

export type CancelListener = (reason: Error) => void;

/** Cancelled at most once; listeners run synchronously, in order, and late ones run at once. */
export class Cancellation {
  #reason: Error | undefined;
  /** The first listener, nearly always the only one, needs no list. */
  #listener: CancelListener | undefined;
  #others: CancelListener[] | undefined;

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
    for (let next = this.#take(); next !== undefined; next = this.#take()) next(reason);
  }

  #take(): CancelListener | undefined {
    const listener = this.#listener;
    this.#listener = this.#others?.shift();
    return listener;
  }

  onCancel(listener: CancelListener): void {
    if (this.#reason !== undefined) listener(this.#reason);
    else if (this.#listener === undefined) this.#listener = listener;
    else (this.#others ??= []).push(listener);
  }

  /** Forgets a listener; unknown ones are ignored. */
  off(listener: CancelListener): void {
    const at = this.#others?.lastIndexOf(listener) ?? -1;
    if (at >= 0) this.#others!.splice(at, 1);
    else if (this.#listener === listener) this.#take();
  }

  throwIfCancelled(): void {
    if (this.#reason !== undefined) throw this.#reason;
  }
}
