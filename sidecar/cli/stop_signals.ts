// SIGTERM and SIGINT: the first asks for an orderly end, the second for an end at once.
import { type Signal, signalExit } from "./exit_codes.ts";
import type { Host } from "./host.ts";
import type { RunningSidecar } from "../app.ts";

const STOP: readonly Signal[] = ["SIGTERM", "SIGINT"];

/** Listens until disposed. */
export class StopSignals implements Disposable {
  readonly #first = Promise.withResolvers<Signal>();
  readonly #second = Promise.withResolvers<Signal>();
  readonly #listeners = new DisposableStack();
  #count = 0;

  constructor(host: Pick<Host, "onSignal">) {
    for (const signal of STOP) {
      this.#listeners.use(host.onSignal(signal, () => this.#take(signal)));
    }
  }

  get hasFirst(): boolean {
    return this.#count > 0;
  }

  get first(): Promise<Signal> {
    return this.#first.promise;
  }

  get second(): Promise<Signal> {
    return this.#second.promise;
  }

  [Symbol.dispose](): void {
    this.#listeners.dispose();
  }

  #take(signal: Signal): void {
    this.#count++;
    (this.#count === 1 ? this.#first : this.#second).resolve(signal);
  }
}

/** The exit code of `work`, or after a second signal `abort` and 128 + n. */
export async function unlessAborted(
  stops: StopSignals,
  work: Promise<number>,
  abort: () => void,
): Promise<number> {
  const aborted = stops.second.then((signal) => {
    abort();
    return signalExit(signal);
  });
  return await Promise.race([work, aborted]);
}

/** Drains and closes; outbound works until the drain is over. */
export async function shutDown(running: RunningSidecar, reason: string): Promise<void> {
  await running.drain(reason);
  await running.close();
}
