// Failure made to order: some requests to an upstream are delayed or answered with an error, as policy says, to see what callers do.
import { ProxyError } from "../errors.ts";
import type { ExchangeView } from "../filters/filter.ts";
import type { Timeouts } from "../lib/timeouts.ts";
import type { FaultSettings } from "../snapshot/resilience_settings.ts";

export interface FaultsParts {
  readonly timeouts: Timeouts;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly onInjected: (upstream: string, what: "delay" | "abort") => void;
}

export class Faults {
  readonly #parts: FaultsParts;

  constructor(parts: FaultsParts) {
    this.#parts = parts;
  }

  /** Undefined: the request goes on at once. Resolves when it may go on; rejects with what it is answered. */
  inject(
    exchange: ExchangeView,
    upstream: string,
    { delay, abort, headers }: FaultSettings,
  ): Promise<void> | undefined {
    for (const [name, value] of headers) {
      const found = exchange.request.headers.get(name);
      if (found === undefined || value !== "*" && found !== value) return undefined;
    }
    const { random, onInjected } = this.#parts;
    const isDelayed = delay !== undefined && random() < delay.share;
    const isAborted = abort !== undefined && random() < abort.share;
    if (isDelayed) onInjected(upstream, "delay");
    if (isAborted) onInjected(upstream, "abort");
    if (!isDelayed) return isAborted ? Promise.reject(injected(abort.status)) : undefined;
    return this.#wait(exchange, delay.timeMs).then(() => {
      if (isAborted) throw injected(abort.status);
    });
  }

  #wait({ incoming: { cancellation } }: ExchangeView, ms: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const cancel = (reason: Error): void => {
        timeout.clear();
        reject(reason);
      };
      const timeout = this.#parts.timeouts.after(ms, () => {
        cancellation.off(cancel);
        resolve();
      });
      cancellation.onCancel(cancel);
    });
  }
}

function injected(status: number): ProxyError {
  return new ProxyError("fault-injected", "a fault that policy asks for", {
    side: "local",
    status,
  });
}
