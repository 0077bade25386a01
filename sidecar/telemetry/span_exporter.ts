// Finished spans on their way to a collector: in batches, one at a time, and never more of them than a bound. A collector that is slow or
// away costs spans, which are counted, and nothing else.
import { type Clock, pause } from "../lib/clock.ts";
import { Backoff } from "../lib/backoff.ts";
import type { Logger } from "./log.ts";
import type { Counter, Metrics } from "./metrics.ts";
import { encodeSpans } from "./otlp.ts";
import type { Attributes, Span } from "./span.ts";

export interface SpanExporterOptions {
  /** Posts an ExportTraceServiceRequest. Rejects with a plain message; with `isFinal`, where trying again is no use. */
  readonly send: (body: Uint8Array<ArrayBuffer>) => Promise<void>;
  readonly resource: Attributes;
  readonly version: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  readonly metrics: Metrics;
}

/** Spans that wait; as OpenTelemetry's batch processor has it. */
const MAX_WAITING = 2048;
const MAX_BATCH = 512;
const EVERY_MS = 1000;
const TRIES = 3;

/** A collector's refusal that another try would meet again. */
export class FinalRefusal extends Error {
  override readonly name = "FinalRefusal";
}

export class SpanExporter {
  readonly #options: SpanExporterOptions;
  readonly #exported: Counter;
  readonly #dropped: Counter;
  readonly #waiting: Span[] = [];
  #timer: Disposable | undefined;
  #sending: Promise<void> | undefined;
  #isAway = false;

  constructor(options: SpanExporterOptions) {
    this.#options = options;
    const spans = options.metrics.counter(
      "mesh_spans_total",
      "Spans of this sidecar, by what became of them.",
    );
    this.#exported = spans.with({ result: "exported" });
    this.#dropped = spans.with({ result: "dropped" });
  }

  add(span: Span): void {
    if (this.#waiting.length >= MAX_WAITING) {
      this.#dropped.add();
      return;
    }
    this.#waiting.push(span);
    if (this.#waiting.length >= MAX_BATCH) void this.#flush();
    else this.#timer ??= this.#options.clock.after(EVERY_MS, () => void this.#flush());
  }

  /** Sends what there is; for the end. */
  async close(): Promise<void> {
    this.#timer?.[Symbol.dispose]();
    await this.#sending;
    await this.#flush();
  }

  #flush(): Promise<void> {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    this.#sending ??= this.#send().finally(() => this.#sending = undefined);
    return this.#sending;
  }

  async #send(): Promise<void> {
    const { resource, version } = this.#options;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, MAX_BATCH);
      const body = encodeSpans(batch, resource, { name: "sidecar", version });
      const isSent = await this.#deliver(body);
      (isSent ? this.#exported : this.#dropped).add(batch.length);
    }
  }

  async #deliver(body: Uint8Array<ArrayBuffer>): Promise<boolean> {
    const { send, clock, random, log } = this.#options;
    const backoff = new Backoff({ minMs: 200, maxMs: 2000, random });
    for (let tries = 1;; tries++) {
      try {
        await send(body);
        if (this.#isAway) log.info("the trace collector takes spans again");
        this.#isAway = false;
        return true;
      } catch (error) {
        const isLast = tries === TRIES || error instanceof FinalRefusal;
        if (!isLast) {
          await pause(clock, backoff.next());
          continue;
        }
        if (!this.#isAway) {
          const { message } = error as Error;
          log.warn("the trace collector does not take spans, dropping them", { error: message });
        }
        this.#isAway = true;
        return false;
      }
    }
  }
}
