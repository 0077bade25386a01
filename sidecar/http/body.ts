// A message body as its reader sees it: pulled, never pushed, so an unread byte stays with the peer that sent it.
import type { Fields } from "./fields.ts";

/**
 * Reading goes `take` until it returns undefined, then `pull`, then `take` again. A codec's body has one reader.
 * Whoever holds a body either reads it to its end or cancels it; both may be done twice.
 */
export interface Body {
  /** Bytes from here to the end where the sender declared it; undefined when only the end will tell. */
  readonly length: number | undefined;
  /** Nothing is left to read: the end was reached, or the body was cancelled. */
  readonly isEnded: boolean;
  /** What is there: bytes, valid until the next `take` or `pull`; null at the end; undefined when one must wait. */
  take(): Uint8Array | null | undefined;
  /** All of the body, where nobody began to read it and it is here already; valid to the end of its exchange. */
  whole(): Uint8Array | undefined;
  /** Resolves when `take` has something else to say. Throws ProxyError when the sender broke. */
  pull(): Promise<void>;
  /** The rest is not wanted. */
  cancel(): void;
  /** Fields behind the body, once `take` returned null. */
  readonly trailers: Fields | undefined;
}

const NOTHING = new Uint8Array();

class EmptyBody implements Body {
  readonly length = 0;
  readonly isEnded = true;
  readonly trailers = undefined;

  take(): null {
    return null;
  }

  whole(): Uint8Array {
    return NOTHING;
  }

  pull(): Promise<void> {
    return Promise.resolve();
  }

  cancel(): void {}
}

/** The body of a message that has none. Shared: it has no state. */
export const EMPTY_BODY: Body = new EmptyBody();

/** A body that is in memory. */
export class BytesBody implements Body {
  readonly length: number;
  readonly trailers = undefined;
  #bytes: Uint8Array | null;

  constructor(bytes: Uint8Array) {
    this.length = bytes.length;
    this.#bytes = bytes;
  }

  get isEnded(): boolean {
    return this.#bytes === null;
  }

  take(): Uint8Array | null {
    const bytes = this.#bytes;
    this.#bytes = null;
    return bytes;
  }

  whole(): Uint8Array {
    return this.take() ?? NOTHING;
  }

  pull(): Promise<void> {
    return Promise.resolve();
  }

  cancel(): void {
    this.#bytes = null;
  }
}

/** Reads a whole body of at most `maxBytes`; null when it is longer (the rest is cancelled). */
export async function readBody(body: Body, maxBytes: number): Promise<Uint8Array | null> {
  const parts: Uint8Array[] = [];
  let total = 0;
  for (;;) {
    const chunk = body.take();
    if (chunk === null) break;
    if (chunk === undefined) {
      await body.pull();
      continue;
    }
    total += chunk.length;
    if (total > maxBytes) {
      body.cancel();
      return null;
    }
    parts.push(chunk.slice());
  }
  const whole = new Uint8Array(total);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
