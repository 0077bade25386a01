// Who asks the demo to stop: Ctrl-C, kill, or a terminal that closes.

/**
 * One Ctrl-C comes several times: the terminal sends it to the whole foreground, and `deno task` passes on its own.
 * Measured: 1 ms apart. Whoever presses it again means it.
 */
const SAME_MS = 500;

const STOP = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Listens until disposed. */
export class StopSignals implements Disposable {
  /** Resolves to the first signal: an orderly end, please. */
  readonly first: Promise<Deno.Signal>;
  /** Resolves to the next one: at once. */
  readonly again: Promise<Deno.Signal>;
  readonly #listeners = new DisposableStack();

  constructor() {
    const first = Promise.withResolvers<Deno.Signal>();
    const again = Promise.withResolvers<Deno.Signal>();
    let firstAt: number | undefined;
    for (const signal of STOP) {
      const listener = () => {
        const now = performance.now();
        firstAt ??= now;
        first.resolve(signal);
        if (now - firstAt > SAME_MS) again.resolve(signal);
      };
      Deno.addSignalListener(signal, listener);
      this.#listeners.defer(() => Deno.removeSignalListener(signal, listener));
    }
    this.first = first.promise;
    this.again = again.promise;
  }

  [Symbol.dispose](): void {
    this.#listeners.dispose();
  }
}
