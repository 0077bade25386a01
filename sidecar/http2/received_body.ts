// A body as its DATA frames come (RFC 9113 8.1): a bounded queue between the connection and the one reader. What the reader
// takes, and what it will never take, goes back to the windows.
import type { ProxyError } from "../errors.ts";
import type { Body } from "../http/body.ts";
import type { Fields } from "../http/fields.ts";
import { ChunkQueue } from "./chunk_queue.ts";

export interface ReceivedBodyEvents {
  /** The reader took this many bytes, or will never: their share of the windows is free. */
  onTaken(bytes: number): void;
  /** The reader wants no more; called once, and not when the end had been received. */
  onCancelled(): void;
}

/*
 *   coming --last frame--> received --last byte taken--> ended
 *     |--- sender broke --> failed        '--- cancel ---> cancelled <-- cancel, from all but ended
 */
type State = "coming" | "received" | "ended" | "cancelled" | { readonly error: ProxyError };

export class ReceivedBody implements Body {
  readonly length: number | undefined;
  /** Somebody waits for the sender. */
  isWaiting = false;
  readonly #events: ReceivedBodyEvents;
  readonly #queue = new ChunkQueue();
  #state: State = "coming";
  #isTouched = false;
  #receivedBytes = 0;
  /** Bytes in the queue. */
  #unreadBytes = 0;
  #trailers: Fields | undefined;
  #wake: (() => void) | undefined;
  #break: ((error: ProxyError) => void) | undefined;

  /** `length` is what the sender declared. */
  constructor(length: number | undefined, events: ReceivedBodyEvents) {
    this.length = length;
    this.#events = events;
  }

  get isEnded(): boolean {
    if (this.#state === "received") return this.#queue.isEmpty && this.#trailers === undefined;
    return this.#state === "ended" || this.#state === "cancelled";
  }

  get trailers(): Fields | undefined {
    return this.#state === "ended" ? this.#trailers : undefined;
  }

  /** Bytes came. False when they are more than was declared. */
  push(bytes: Uint8Array, start: number, end: number): boolean {
    this.#receivedBytes += end - start;
    if (this.length !== undefined && this.#receivedBytes > this.length) return false;
    if (this.#state !== "coming") this.#events.onTaken(end - start);
    else if (end > start) {
      this.#unreadBytes += end - start;
      this.#queue.push(bytes, start, end);
      this.#wakeUp();
    }
    return true;
  }

  /** The last frame came. False when the bytes are fewer than was declared. */
  finish(trailers: Fields | undefined): boolean {
    if (this.length !== undefined && this.#receivedBytes !== this.length) return false;
    if (this.#state === "coming") {
      this.#state = "received";
      this.#trailers = trailers;
      this.#wakeUp();
    }
    return true;
  }

  /** The sender broke: what is unread is void, as the whole will never be. */
  fail(error: ProxyError): void {
    if (this.#state === "ended" || this.#state === "cancelled") return;
    this.#state = { error };
    this.#drop();
    this.#break?.(error);
    this.#wakeUp();
  }

  take(): Uint8Array | null | undefined {
    this.#isTouched = true;
    const chunk = this.#queue.take();
    if (chunk !== undefined) {
      this.#unreadBytes -= chunk.length;
      this.#events.onTaken(chunk.length);
      return chunk;
    }
    switch (this.#state) {
      case "coming":
        return undefined;
      case "received":
        this.#state = "ended";
        return null;
      case "ended":
      case "cancelled":
        return null;
      default:
        throw this.#state.error;
    }
  }

  whole(): Uint8Array | undefined {
    if (this.#isTouched || this.#state !== "received" || this.#trailers !== undefined) {
      return undefined;
    }
    if (!this.#queue.isOnePiece) return this.#joined();
    const bytes = this.#queue.takeForGood() ?? NOTHING;
    this.#tookAll(bytes.length);
    return bytes;
  }

  #joined(): Uint8Array {
    const whole = new Uint8Array(this.#unreadBytes);
    let at = 0;
    for (let chunk = this.#queue.take(); chunk !== undefined; chunk = this.#queue.take()) {
      whole.set(chunk, at);
      at += chunk.length;
    }
    this.#tookAll(at);
    return whole;
  }

  #tookAll(bytes: number): void {
    this.#isTouched = true;
    this.#unreadBytes = 0;
    this.#state = "ended";
    this.#events.onTaken(bytes);
  }

  pull(): Promise<void> {
    if (this.#state !== "coming" || !this.#queue.isEmpty) {
      return typeof this.#state === "object"
        ? Promise.reject(this.#state.error)
        : Promise.resolve();
    }
    this.isWaiting = true;
    return new Promise((resolve, reject) => {
      this.#wake = resolve;
      this.#break = reject;
    });
  }

  cancel(): void {
    if (this.#state === "ended" || this.#state === "cancelled") return;
    const wasComing = this.#state === "coming";
    this.#state = "cancelled";
    this.#drop();
    this.#wakeUp();
    if (wasComing) this.#events.onCancelled();
  }

  #drop(): void {
    this.#queue.clear();
    const bytes = this.#unreadBytes;
    this.#unreadBytes = 0;
    if (bytes > 0) this.#events.onTaken(bytes);
  }

  #wakeUp(): void {
    this.isWaiting = false;
    const wake = this.#wake;
    this.#wake = this.#break = undefined;
    wake?.();
  }
}

const NOTHING = new Uint8Array();
