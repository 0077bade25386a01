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
/** A new one costs 2 us and more (measured), and keep-alive with read-ahead needs another every few requests. */
const SMALL_BUFFERS = new BufferPool(SMALL, 64);

export interface Received {
  /** The buffer changes hands. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** How much of it, from its start, has been read. */
  readonly count: number;
}

/**
 * Bytes `start` to `end` of `bytes` are unread. While something of the buffer is still referred to (`hold`), it is
 * replaced and not moved.
 */
export class Inbox {
  bytes: Uint8Array<ArrayBuffer>;
  start = 0;
  end = 0;
  /** The peer sent its last byte, or the connection broke. */
  isEnded = false;
  /** Why it broke, where it did. */
  error: Error | undefined;
  readonly #transport: Transport;
  readonly #onEnd: () => void;
  readonly #onNews: () => void;
  #pending: Promise<void> | undefined;
  #isHeld = false;
  /** Replaced while something of it was held: free again at `release`. */
  #retired: Uint8Array<ArrayBuffer> | undefined;

  /**
   * `onEnd` is called once, when the connection ended or broke and nobody can tell otherwise; `onNews` after every read.
   * `received` is what somebody else has read before.
   */
  constructor(
    transport: Transport,
    onEnd: () => void,
    onNews: () => void = () => {},
    received: Received = { bytes: new Uint8Array(SMALL), count: 0 },
  ) {
    this.bytes = received.bytes;
    this.end = received.count;
    this.#transport = transport;
    this.#onEnd = onEnd;
    this.#onNews = onNews;
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
    if (this.#retired === undefined) return;
    // A large one may still be under way in a write that was cut, which the runtime does not end: it is nobody else's.
    SMALL_BUFFERS.release(this.#retired);
    this.#retired = undefined;
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
    this.#onNews();
  };

  #broke = (error: Error): void => {
    this.#pending = undefined;
    this.error = error;
    this.#finish();
    this.#onNews();
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
      else if (this.#isHeld) this.#replace(acquire(size));
      else this.#compact();
    }
  }

  #rewind(wanted: number): void {
    this.start = this.end = 0;
    if (this.bytes.length > SMALL && wanted === 0) this.#replace(SMALL_BUFFERS.acquire());
  }

  #compact(): void {
    this.bytes.copyWithin(0, this.start, this.end);
    this.end -= this.start;
    this.start = 0;
  }

  /** Moves the unread bytes to another buffer; who holds on to the old one keeps it. */
  #replace(buffer: Uint8Array<ArrayBuffer>): void {
    if (this.start < this.end) buffer.set(this.bytes.subarray(this.start, this.end));
    if (this.#isHeld) this.#retired = this.bytes;
    else recycle(this.bytes);
    this.bytes = buffer;
    this.end -= this.start;
    this.start = 0;
    this.#isHeld = false;
  }
}

function acquire(size: number): Uint8Array<ArrayBuffer> {
  if (size <= SMALL) return SMALL_BUFFERS.acquire();
  return size === LARGE ? LARGE_BUFFERS.acquire() : new Uint8Array(size);
}

/** Each pool takes its own size and leaves the others to the collector. */
function recycle(buffer: Uint8Array<ArrayBuffer>): void {
  SMALL_BUFFERS.release(buffer);
  LARGE_BUFFERS.release(buffer);
}
