// A body made of another body's bytes, a piece at a time: what the reader does not pull is not read from the sender.
import type { Body } from "../http/body.ts";
import type { Fields } from "../http/fields.ts";

/** What turns one body into another. `feed`, then `next` until it returns undefined; `end` once, at the sender's end. */
export interface Stage {
  /** Takes bytes over; they stay valid until the next `feed`. */
  feed(chunk: Uint8Array): void;
  /** The next piece; undefined when more must be fed. Throws ProxyError where the bytes make no sense. */
  next(): Uint8Array | undefined;
  /** The sender is done: the last bytes, which may be none. Throws where it should not have been. */
  end(trailers: Fields | undefined): Uint8Array;
  /** The sender broke off, or sent what made the stage throw: last bytes that say so. Rethrows where there are no words for it. */
  fail(error: unknown): Uint8Array;
  /** Fields behind the new body, after `end`. */
  readonly trailers: Fields | undefined;
}

/** For stages that can only pass a failure on. */
export function rethrow(error: unknown): never {
  throw error;
}

export class MappedBody implements Body {
  readonly length = undefined;
  readonly #source: Body;
  readonly #stage: Stage;
  /** `last` = the stage has ended, and the piece it ended with was handed over. */
  #state: "open" | "last" | "ended" = "open";
  /** Why there is no more to read; the source may look like it had ended well. */
  #failure: { readonly error: unknown } | undefined;

  constructor(source: Body, stage: Stage) {
    this.#source = source;
    this.#stage = stage;
  }

  get isEnded(): boolean {
    return this.#state === "ended";
  }

  get trailers(): Fields | undefined {
    return this.#state === "ended" ? this.#stage.trailers : undefined;
  }

  take(): Uint8Array | null | undefined {
    if (this.#state !== "open") {
      this.#state = "ended";
      return null;
    }
    try {
      return this.#advance();
    } catch (error) {
      this.cancel();
      throw error;
    }
  }

  /** Throws only what the stage has no words for. */
  #advance(): Uint8Array | null | undefined {
    if (this.#failure === undefined) {
      try {
        return this.#step();
      } catch (error) {
        this.#failure = { error };
        this.#source.cancel();
      }
    }
    return this.#finish(this.#stage.fail(this.#failure.error));
  }

  #step(): Uint8Array | null | undefined {
    for (;;) {
      const piece = this.#stage.next();
      if (piece !== undefined && piece.length > 0) return piece;
      if (piece !== undefined) continue;
      const chunk = this.#source.take();
      if (chunk === undefined) return undefined;
      if (chunk === null) return this.#finish(this.#stage.end(this.#source.trailers));
      this.#stage.feed(chunk);
    }
  }

  #finish(last: Uint8Array): Uint8Array | null {
    this.#state = last.length > 0 ? "last" : "ended";
    return last.length > 0 ? last : null;
  }

  whole(): undefined {
    return undefined;
  }

  /** A failure to read is told by `take`, where the stage may still find words for it. */
  async pull(): Promise<void> {
    if (this.#state !== "open" || this.#failure !== undefined) return;
    try {
      await this.#source.pull();
    } catch (error) {
      this.#failure = { error };
    }
  }

  cancel(): void {
    this.#state = "ended";
    this.#source.cancel();
  }
}
