// The send side of a connection: frames gather in one buffer, and all that one turn of the program produced leaves in one
// write. While a write is under way the next buffer fills. Idle connections hold no buffer.
import { BufferPool } from "../lib/buffer_pool.ts";
import { ByteWriter } from "../lib/byte_writer.ts";
import type { Transport } from "../net/transport.ts";
import { FRAME_HEADER_BYTES } from "./frame.ts";

/** One write of this size keeps the kernel busy; a larger one only keeps other streams waiting. */
const BUFFER_BYTES = 65536;

const BUFFERS = new BufferPool(BUFFER_BYTES, 32);

/** Most turns write little; a thousand connections that begin at once must not take a large buffer each. */
const SMALL_BYTES = 4096;

const SMALL_BUFFERS = new BufferPool(SMALL_BYTES, 64);

/** Room for a head of usual size; a larger one makes the writer grow by itself. */
const HEAD_BYTES = 1024;

const NO_BUFFER = new Uint8Array(0);

export interface OutputEvents {
  /** A write is done: there is room. */
  onWritten(): void;
  /** The transport takes no more. Called once. */
  onBroken(): void;
}

export class Output {
  /** Bytes that were given to the transport. */
  handed = 0;
  readonly #transport: Transport;
  readonly #events: OutputEvents;
  readonly #writer = new ByteWriter(0);
  #lent: Uint8Array<ArrayBuffer> = NO_BUFFER;
  #state: "open" | "broken" = "open";
  #isWriting = false;
  #isScheduled = false;

  constructor(transport: Transport, events: OutputEvents) {
    this.#transport = transport;
    this.#events = events;
  }

  /** The bytes under way are still not with the kernel, or more wait behind them. */
  get isBusy(): boolean {
    return this.#isWriting || this.#writer.length > 0;
  }

  /** The transport takes no more. */
  get isBroken(): boolean {
    return this.#state === "broken";
  }

  get isWriting(): boolean {
    return this.#isWriting;
  }

  /** Bytes that wait for the write under way. */
  get pending(): number {
    return this.#writer.length;
  }

  /** Bytes ever appended. */
  get appended(): number {
    return this.handed + this.#writer.length;
  }

  /** How much DATA may be appended; may be below 0, as heads and control frames do not ask. */
  get room(): number {
    return BUFFER_BYTES - this.#writer.length - FRAME_HEADER_BYTES;
  }

  /** Where to append, best not more than `bytes`; what is appended leaves at the end of this turn. */
  open(bytes = HEAD_BYTES): ByteWriter {
    const writer = this.#writer;
    if (this.#state === "broken") writer.reset();
    if (writer.length + bytes > writer.bytes.length) this.#enlarge(bytes);
    if (!this.#isScheduled && !this.#isWriting) {
      this.#isScheduled = true;
      queueMicrotask(this.#turnEnded);
    }
    return writer;
  }

  #enlarge(bytes: number): void {
    const writer = this.#writer;
    const { length, bytes: before } = writer;
    // Heads and control frames may go beyond it; then the writer grows by itself.
    if (before.length >= BUFFER_BYTES) return;
    writer.bytes = length + bytes > SMALL_BYTES ? BUFFERS.acquire() : SMALL_BUFFERS.acquire();
    writer.bytes.set(before.subarray(0, length));
    release(before);
  }

  /** Nothing is written any more. */
  close(): void {
    this.#state = "broken";
    this.#writer.reset();
    this.#writer.bytes = NO_BUFFER;
  }

  #turnEnded = (): void => {
    this.#isScheduled = false;
    this.#write();
  };

  #write(): void {
    const writer = this.#writer;
    if (this.#isWriting || this.#state === "broken" || writer.length === 0) return;
    const bytes = writer.view();
    this.#lent = writer.bytes;
    this.handed += writer.length;
    writer.bytes = NO_BUFFER;
    writer.reset();
    this.#isWriting = true;
    this.#transport.write(bytes).then(this.#wrote, this.#broke);
  }

  #wrote = (): void => {
    this.#isWriting = false;
    release(this.#lent);
    this.#lent = NO_BUFFER;
    this.#events.onWritten();
    this.#write();
  };

  #broke = (): void => {
    this.#isWriting = false;
    // Not given back: a write that was cut may still be reading from it.
    this.#lent = NO_BUFFER;
    if (this.#state === "broken") return;
    this.close();
    this.#events.onBroken();
  };
}

/** Each pool takes what is of its size. */
function release(buffer: Uint8Array<ArrayBuffer>): void {
  if (buffer.length === SMALL_BYTES) SMALL_BUFFERS.release(buffer);
  else BUFFERS.release(buffer);
}
