// Moves a body into DATA frames as the windows allow, and ends the stream behind it. Pulls the next piece only when the last
// one is in the out buffer; what is there at once leaves without a promise.
import { ProxyError } from "../errors.ts";
import type { Body } from "../http/body.ts";
import { FieldList, type Fields } from "../http/fields.ts";
import type { DataScheduler, Sender } from "./data_scheduler.ts";
import { FRAME_HEADER_BYTES, markEndOfStream, writeData, writeEndOfStream } from "./frame.ts";
import type { HeadWriter } from "./head_writer.ts";

/** What one turn of a stream may write before others have theirs. */
const TURN_BYTES = 16384;

/** The stream as its sender sees it. */
export interface SendingStream {
  readonly id: number;
  /** Bytes that the peer granted; may be below 0 (6.9.2). */
  sendWindow: number;
  /** Bytes went out. */
  moved(): void;
  /** The last frame was written. */
  sentEnd(): void;
  /** The body broke. */
  sendFailed(error: Error): void;
}

/*
 *   writing <---> pulling (waits for the body) | blocked (for the stream's window) | parked (for its turn)
 *      '---> stopped
 */
type State = "writing" | "pulling" | "blocked" | "parked" | "stopped";

export class BodySender implements Sender {
  /** Bytes of the body written. */
  bytes = 0;
  readonly #stream: SendingStream;
  readonly #body: Body;
  readonly #scheduler: DataScheduler;
  readonly #heads: HeadWriter;
  readonly #declared: number | undefined;
  #state: State = "writing";
  #chunk: Uint8Array | undefined;
  #offset = 0;

  constructor(stream: SendingStream, body: Body, scheduler: DataScheduler, heads: HeadWriter) {
    this.#stream = stream;
    this.#body = body;
    this.#scheduler = scheduler;
    this.#heads = heads;
    this.#declared = body.length;
  }

  /** The peer keeps us waiting. */
  get isBlocked(): boolean {
    return this.#state === "blocked" || this.#state === "parked";
  }

  start(): void {
    this.#run();
  }

  /** Its turn has come. */
  resume(): void {
    if (this.#state === "parked") this.#run();
  }

  /** The stream's window opened. */
  unblock(): void {
    if (this.#state === "blocked") this.#run();
  }

  /** Nothing is sent any more; the rest of the body is given up. */
  stop(): void {
    if (this.#state === "stopped") return;
    this.#state = "stopped";
    this.#chunk = undefined;
    this.#body.cancel();
  }

  #run(): void {
    this.#state = "writing";
    try {
      this.#write();
    } catch (error) {
      this.#fail(error);
    }
  }

  #write(): void {
    let written = 0;
    // Where the last frame begins, while it is certain to be in the buffer still.
    let last = -1;
    for (;;) {
      if (this.#chunk === undefined) {
        const chunk = this.#body.take();
        if (chunk === null) return this.#finish(last);
        if (chunk === undefined) return this.#pull();
        if (chunk.length === 0) continue;
        this.#chunk = chunk;
        this.#offset = 0;
      }
      if (written >= TURN_BYTES && this.#scheduler.hasWaiting) return this.#park();
      const left = this.#chunk.length - this.#offset;
      if (this.#stream.sendWindow <= 0) return this.#block();
      const count = this.#scheduler.allowance(Math.min(left, this.#stream.sendWindow));
      if (count <= 0) return this.#park();
      last = this.#writeFrame(this.#chunk, count);
      written += count;
      if (count === left) this.#chunk = undefined;
    }
  }

  #writeFrame(chunk: Uint8Array, count: number): number {
    const out = this.#scheduler.output.open(FRAME_HEADER_BYTES + count);
    const end = this.#offset + count;
    const at = writeData(out, this.#stream.id, chunk, this.#offset, end);
    this.#offset = end;
    this.#stream.sendWindow -= count;
    this.#scheduler.spend(count);
    this.bytes += count;
    this.#stream.moved();
    return at;
  }

  #block(): void {
    this.#state = "blocked";
  }

  #park(): void {
    this.#state = "parked";
    this.#scheduler.park(this);
  }

  #pull(): void {
    this.#state = "pulling";
    // Closures made here and not with the sender: most bodies are there at once.
    this.#body.pull().then(() => {
      if (this.#state === "pulling") this.#run();
    }, (error) => {
      if (this.#state === "pulling") this.#fail(error);
    });
  }

  #fail(error: unknown): void {
    this.#state = "stopped";
    this.#chunk = undefined;
    this.#body.cancel();
    this.#stream.sendFailed(error instanceof Error ? error : new Error(String(error)));
  }

  /** Trailers end the stream, or the last frame does, or an empty one. */
  #finish(last: number): void {
    if (this.#declared !== undefined && this.#declared !== this.bytes) {
      // A body that was cancelled under way must not pass for a whole one.
      throw new ProxyError(
        "internal",
        `a body of ${this.#declared} bytes ended after ${this.bytes}`,
        { side: "local" },
      );
    }
    this.#state = "stopped";
    const { trailers } = this.#body;
    const out = this.#scheduler.output;
    if (trailers !== undefined && !isEmpty(trailers)) {
      this.#heads.trailers(this.#stream.id, trailers);
    } else if (last >= 0) markEndOfStream(out.open(), last);
    else writeEndOfStream(out.open(), this.#stream.id);
    this.#stream.sentEnd();
  }
}

function isEmpty(fields: Fields): boolean {
  if (fields instanceof FieldList) return fields.items.length === 0;
  for (const _ of fields) return false;
  return true;
}
