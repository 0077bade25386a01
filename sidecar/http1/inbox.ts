// The receive side of a connection: a buffer with at most one read outstanding, so that reading ahead is bounded and a
// peer that goes away is noticed while its request is being worked on.
import { BufferPool } from "../lib/buffer_pool.ts";
import type { Transport } from "../net/transport.ts";

/** An idle connection pins this much: at 1,000 of them a kilobyte more each is a megabyte. */
const SMALL = 4096;
const LARGE = 65536;
/** Reads into less room than this cost more calls than they save. */
const MIN_ROOM = 1024;

const LARGE_BUFFERS = new BufferPool(LARGE, 64);

/**
 * Bytes `start` to `end` of `bytes` are unread. While something of the buffer is still referred to (`hold`), it is
 * replaced and not moved.
 */
export class Inbox {
  bytes: Uint8Array<ArrayBuffer> = new Uint8Array(SMALL);
  start = 0;
  end = 0;
  /** The peer sent its last byte, or the connection broke. */
  isEnded = false;
  /** Why it broke, where it did. */
  error: Error | undefined;
  readonly #transport: Transport;
  readonly #onEnd: () => void;
  #pending: Promise<void> | undefined;
  #isHeld = false;

  /** `onEnd` is called once, when the connection ended or broke and nobody can tell otherwise. */
  constructor(transport: Transport, onEnd: () => void) {
    this.#transport = transport;
    this.#onEnd = onEnd;
  }

  get available(): number {
    return this.end - this.start;
  }

  /** From now on bytes already there stay where they are until `release`. */
  hold(): void {
    this.#isHeld = true;
  }

  release(): void {
    this.#isHeld = false;
  }

  /**
   * Starts a read unless one is outstanding, and resolves when it is done: there are more bytes, or `isEnded`.
   * Never rejects. `wanted` is how many more bytes are expected; many make for a larger buffer.
   */
  fill(wanted = 0): Promise<void> {
    if (this.#pending !== undefined) return this.#pending;
    if (this.isEnded) return Promise.resolve();
    this.#makeRoom(wanted);
    const { bytes, end } = this;
    this.#pending = this.#transport.read(end === 0 ? bytes : bytes.subarray(end))
      .then(this.#received, this.#broke);
    return this.#pending;
  }

  #received = (count: number | null): void => {
    this.#pending = undefined;
    if (count) this.end += count;
    else this.#finish();
  };

  #broke = (error: Error): void => {
    this.#pending = undefined;
    this.error = error;
    this.#finish();
  };

  #finish(): void {
    this.isEnded = true;
    this.#onEnd();
  }

  /** Only called while no read is outstanding. */
  #makeRoom(wanted: number): void {
    const { available } = this;
    const size = this.bytes.length;
    if (wanted > size && size < LARGE && available <= LARGE / 2) {
      this.#replace(LARGE_BUFFERS.acquire());
    } else if (available === 0 && !this.#isHeld) this.#rewind(wanted);
    else if (size - this.end < MIN_ROOM) {
      if (available > size / 2) this.#replace(new Uint8Array(size * 2));
      else if (this.#isHeld) this.#replace(new Uint8Array(Math.max(SMALL, size)));
      else this.#compact();
    }
  }

  #rewind(wanted: number): void {
    this.start = this.end = 0;
    if (this.bytes.length > SMALL && wanted === 0) this.#replace(new Uint8Array(SMALL));
  }

  #compact(): void {
    this.bytes.copyWithin(0, this.start, this.end);
    this.end -= this.start;
    this.start = 0;
  }

  /** Moves the unread bytes to another buffer; who holds on to the old one keeps it. */
  #replace(buffer: Uint8Array<ArrayBuffer>): void {
    buffer.set(this.bytes.subarray(this.start, this.end));
    if (!this.#isHeld) LARGE_BUFFERS.release(this.bytes);
    this.bytes = buffer;
    this.end -= this.start;
    this.start = 0;
    this.#isHeld = false;
  }
}
