// A body still on the wire: pulls from the connection's inbox as its framing says.
import { ProxyError } from "../errors.ts";
import type { Body } from "../http/body.ts";
import type { Fields } from "../http/fields.ts";
import { ChunkedDecoder } from "./chunked_decoder.ts";
import type { Framing } from "./framing.ts";
import type { Inbox } from "./inbox.ts";
import type { HeadLimits } from "./limits.ts";

/** What asking for more of a chunked or close-delimited body may bring. */
const UNKNOWN_BYTES = 16384;

/** A connection that brings less at a time lies idle in between, and 64 KiB pinned for each tunnel are 64 MB for 1,000. */
const BUSY_BYTES = 1024;

export interface WireBodyOptions {
  /** Who sends the body. */
  readonly side: "downstream" | "upstream";
  readonly limits: HeadLimits;
  /** Called once: the last byte was taken, or the body was given up with bytes still to come. */
  readonly onEnd: (isComplete: boolean) => void;
  /** Why the connection was cut, where it was our doing. */
  readonly failure?: () => ProxyError | undefined;
}

type Reader =
  | { readonly kind: "length"; remaining: number }
  | { readonly kind: "chunked"; readonly decoder: ChunkedDecoder }
  | { readonly kind: "close" };

/** A body being read off a connection. */
export class WireBody implements Body {
  readonly length: number | undefined;
  /** A pull is under way: the sender is being waited for. */
  isWaiting = false;
  /** Pulls done, for telling a slow sender from a silent one. */
  pulls = 0;
  readonly #inbox: Inbox;
  readonly #reader: Reader;
  readonly #options: WireBodyOptions;
  /** What the last pull brought. */
  #brought = 0;
  #state: "untouched" | "open" | "ended" | "cancelled" = "untouched";

  constructor(inbox: Inbox, reader: Reader, options: WireBodyOptions) {
    this.#inbox = inbox;
    this.#reader = reader;
    this.#options = options;
    this.length = reader.kind === "length" ? reader.remaining : undefined;
  }

  get isEnded(): boolean {
    return this.#state === "ended" || this.#state === "cancelled";
  }

  /** The last byte was taken. */
  get isComplete(): boolean {
    return this.#state === "ended";
  }

  get trailers(): Fields | undefined {
    return this.#reader.kind === "chunked" ? this.#reader.decoder.trailers : undefined;
  }

  /** Throws away what nobody began to read and is here already. What makes no sense matters to nobody then. */
  skipUntouched(): void {
    if (this.#state !== "untouched") return;
    try {
      while (this.take());
    } catch {
      // The body is over: what follows on the connection cannot be told apart.
    }
  }

  take(): Uint8Array | null | undefined {
    if (this.isEnded) return null;
    this.#state = "open";
    let chunk: Uint8Array | null | undefined;
    try {
      chunk = this.#read();
    } catch (error) {
      this.#end(false);
      throw error;
    }
    if (chunk === null) this.#end(true);
    return chunk;
  }

  #read(): Uint8Array | null | undefined {
    const reader = this.#reader;
    if (reader.kind === "chunked") return reader.decoder.take(this.#inbox);
    if (reader.kind === "close") {
      return this.#takeUpTo(Infinity) ?? (this.#isAtEnd() ? null : undefined);
    }
    if (reader.remaining === 0) return null;
    const chunk = this.#takeUpTo(reader.remaining);
    if (chunk !== undefined) reader.remaining -= chunk.length;
    return chunk;
  }

  #takeUpTo(count: number): Uint8Array | undefined {
    const inbox = this.#inbox;
    const length = Math.min(count, inbox.available);
    if (length === 0) return undefined;
    const chunk = inbox.bytes.subarray(inbox.start, inbox.start + length);
    inbox.start += length;
    return chunk;
  }

  /** A reset is no end: what came may have been cut. */
  #isAtEnd(): boolean {
    return this.#inbox.isEnded && this.#inbox.error === undefined;
  }

  whole(): Uint8Array | undefined {
    const reader = this.#reader;
    if (this.#state !== "untouched" || reader.kind !== "length") return undefined;
    if (this.#inbox.available < reader.remaining) return undefined;
    const bytes = this.take()!;
    this.take();
    return bytes;
  }

  async pull(): Promise<void> {
    if (this.isEnded) return;
    const inbox = this.#inbox;
    const before = inbox.available;
    this.isWaiting = true;
    await inbox.fill(this.#expected());
    this.isWaiting = false;
    this.pulls++;
    this.#brought = inbox.available - before;
    if (inbox.available > before || !inbox.isEnded) return;
    if (this.#reader.kind === "close" && this.#isAtEnd()) return;
    const { side, failure } = this.#options;
    const kind = side === "upstream" ? "upstream-reset" : "downstream-gone";
    this.#end(false);
    throw failure?.() ?? new ProxyError(kind, `the ${side} closed the connection within a body`, {
      side,
      cause: inbox.error,
    });
  }

  #expected(): number {
    const reader = this.#reader;
    if (reader.kind === "length") return reader.remaining;
    if (reader.kind === "chunked") return Math.max(reader.decoder.expected, UNKNOWN_BYTES);
    return this.#brought < BUSY_BYTES ? 0 : UNKNOWN_BYTES;
  }

  cancel(): void {
    this.#end(false);
  }

  #end(isComplete: boolean): void {
    if (this.isEnded) return;
    this.#state = isComplete ? "ended" : "cancelled";
    this.#options.onEnd(isComplete);
  }
}

/** The body that `framing` announces; undefined where it announces none, or an empty one. */
export function wireBody(
  inbox: Inbox,
  framing: Framing,
  options: WireBodyOptions,
): WireBody | undefined {
  switch (framing.kind) {
    case "none":
      return undefined;
    case "length":
      if (framing.bytes === 0) return undefined;
      return new WireBody(inbox, { kind: "length", remaining: framing.bytes }, options);
    case "chunked": {
      const decoder = new ChunkedDecoder(options.side, options.limits);
      return new WireBody(inbox, { kind: "chunked", decoder }, options);
    }
    case "close":
      return new WireBody(inbox, { kind: "close" }, options);
  }
}
