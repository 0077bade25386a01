// The receive side of a connection: the bytes of frames that are not whole yet, in a small buffer while little comes and
// a large one while much does.
import { BufferPool } from "../lib/buffer_pool.ts";
import type { Transport } from "../net/transport.ts";
import { FRAME_HEADER_BYTES, MAX_FRAME_BYTES } from "./frame.ts";

/** What a connection pins while it waits: a pending read keeps its buffer (4 KB: 11 KB a connection, measured). */
const SMALL_BYTES = 4096;
/** Several full frames in one read. */
const LARGE_BYTES = 65536;

const LARGE_BUFFERS = new BufferPool(LARGE_BYTES, 32);

/** Bytes `start` to `end` of `bytes` are there and not dealt with. */
export class Inbox {
  bytes: Uint8Array<ArrayBuffer>;
  start = 0;
  end = 0;
  readonly #transport: Transport;
  readonly #small: Uint8Array<ArrayBuffer>;
  #lastCount = 0;

  /** `received` is what was read already; the buffer behind it changes hands, or it is copied. */
  constructor(transport: Transport, received: Uint8Array<ArrayBuffer>) {
    this.#transport = transport;
    if (received.byteOffset === 0 && received.buffer.byteLength === SMALL_BYTES) {
      this.bytes = this.#small = new Uint8Array(received.buffer);
      this.end = received.length;
      return;
    }
    this.#small = new Uint8Array(SMALL_BYTES);
    const isLarge = received.length > SMALL_BYTES;
    this.bytes = isLarge ? new Uint8Array(received.length + LARGE_BYTES) : this.#small;
    this.bytes.set(received);
    this.end = received.length;
  }

  /** Reads once behind what is there. False at the end. `needed` is how many bytes one needs at `start` to go on. */
  async fill(needed: number): Promise<boolean> {
    this.#makeRoom(needed);
    const { bytes, end } = this;
    const count = await this.#transport.read(end === 0 ? bytes : bytes.subarray(end));
    if (!count) return false;
    this.#lastCount = count;
    this.end += count;
    return true;
  }

  /** Forgets what is there. */
  discard(): void {
    this.start = this.end = 0;
  }

  /** Gives the buffer back when nothing will be read any more. */
  close(): void {
    this.discard();
    this.#moveTo(this.#small);
  }

  #makeRoom(needed: number): void {
    const wantsLarge = needed > SMALL_BYTES || this.#lastCount >= SMALL_BYTES;
    if (wantsLarge) {
      if (this.bytes.length !== LARGE_BYTES) this.#moveTo(LARGE_BUFFERS.acquire());
      else if (LARGE_BYTES - this.end < FRAME_HEADER_BYTES + MAX_FRAME_BYTES) this.#compact();
    } else if (this.bytes !== this.#small && this.end - this.start < SMALL_BYTES) {
      this.#moveTo(this.#small);
    } else this.#compact();
  }

  #compact(): void {
    if (this.start === 0) return;
    if (this.start < this.end) this.bytes.copyWithin(0, this.start, this.end);
    this.end -= this.start;
    this.start = 0;
  }

  #moveTo(buffer: Uint8Array<ArrayBuffer>): void {
    if (buffer === this.bytes) return;
    buffer.set(this.bytes.subarray(this.start, this.end));
    LARGE_BUFFERS.release(this.bytes);
    this.bytes = buffer;
    this.end -= this.start;
    this.start = 0;
  }
}
