// A connection without a network: the test is its other end. Holds its user to the contract of Transport.
import { latin1, latin1Bytes } from "../../sidecar/lib/bytes.ts";
import type { Transport } from "../../sidecar/net/transport.ts";
import { settle } from "./fake_clock.ts";

interface PendingRead {
  readonly buffer: Uint8Array<ArrayBuffer>;
  readonly resolve: (count: number) => void;
  readonly reject: (error: Error) => void;
}

interface PendingWrite {
  readonly lent: Uint8Array;
  /** What it held when it was lent. */
  readonly copy: Uint8Array;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** `send`, `end`, `reset`, `stall` and `resume` are the other end's; `received` is what it got. */
export class MemoryTransport implements Transport {
  readonly peer = { host: "192.0.2.7", port: 4711 };
  isClosed = false;
  /** Our side said that no more will come. */
  isWriteClosed = false;
  /** Bytes that were read off the line: what back-pressure bounds. */
  bytesRead = 0;
  /** Goes up with everything that happens. */
  activity = 0;
  /** At most this much comes with one read. */
  maxRead = Infinity;
  readonly #inbound: Uint8Array[] = [];
  #ending: "none" | "end" | "reset" = "none";
  #read: PendingRead | undefined;
  #write: PendingWrite | undefined;
  #isStalled = false;
  #failWrites = false;
  #received = "";

  get isWriting(): boolean {
    return this.#write !== undefined;
  }

  get isReading(): boolean {
    return this.#read !== undefined;
  }

  /** Everything written so far, one character a byte. */
  get received(): string {
    return this.#received;
  }

  /** What was written since the last call. */
  take(): string {
    const text = this.#received;
    this.#received = "";
    return text;
  }

  send(data: string | Uint8Array): void {
    const bytes = typeof data === "string" ? latin1Bytes(data) : data.slice();
    if (bytes.length > 0) this.#inbound.push(bytes);
    this.#deliver();
  }

  /** FIN behind what was sent. */
  end(): void {
    this.#ending = "end";
    this.#deliver();
  }

  /** RST: what was sent and not read is lost. */
  reset(): void {
    this.#ending = "reset";
    this.#inbound.length = 0;
    this.#failWrites = true;
    this.#deliver();
    this.#endWrite(new Error("connection reset by peer"));
  }

  /** The peer takes no more: writes stay pending. */
  stall(): void {
    this.#isStalled = true;
  }

  resume(): void {
    this.#isStalled = false;
    this.#endWrite();
  }

  /** Writes fail from now on, as when the peer has closed its reading side. */
  refuseWrites(): void {
    this.#failWrites = true;
    this.#endWrite(new Error("broken pipe"));
  }

  read(buffer: Uint8Array<ArrayBuffer>): Promise<number> {
    if (this.#read !== undefined) throw new Error("two reads at once");
    if (buffer.length === 0) {
      throw new Error("a read into no room: 0 bytes would look like the end");
    }
    if (this.isClosed) return Promise.reject(new Error("read on a closed connection"));
    return new Promise((resolve, reject) => {
      this.#read = { buffer, resolve, reject };
      this.#deliver();
    });
  }

  write(bytes: Uint8Array): Promise<void> {
    if (this.#write !== undefined) throw new Error("two writes at once");
    if (this.isClosed) return Promise.reject(new Error("write on a closed connection"));
    if (this.isWriteClosed) return Promise.reject(new Error("write behind the last byte"));
    if (this.#failWrites) return Promise.reject(new Error("broken pipe"));
    return new Promise((resolve, reject) => {
      this.#write = { lent: bytes, copy: bytes.slice(), resolve, reject };
      if (!this.#isStalled) queueMicrotask(() => this.#endWrite());
    });
  }

  closeWrite(): void {
    this.isWriteClosed = true;
    this.activity++;
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.activity++;
    this.#read?.reject(new Error("closed while reading"));
    this.#read = undefined;
    this.#endWrite(new Error("closed while writing"));
  }

  #deliver(): void {
    const read = this.#read;
    if (read === undefined) return;
    const next = this.#inbound.shift();
    if (next !== undefined) {
      const count = Math.min(next.length, read.buffer.length, this.maxRead);
      read.buffer.set(next.subarray(0, count));
      if (count < next.length) this.#inbound.unshift(next.subarray(count));
      this.bytesRead += count;
      this.#endRead(() => read.resolve(count));
    } else if (this.#ending === "end") this.#endRead(() => read.resolve(0));
    else if (this.#ending === "reset") {
      this.#endRead(() => read.reject(new Error("connection reset by peer")));
    }
  }

  #endRead(settleRead: () => void): void {
    this.#read = undefined;
    this.activity++;
    settleRead();
  }

  #endWrite(error?: Error): void {
    const write = this.#write;
    if (write === undefined) return;
    this.#write = undefined;
    this.activity++;
    if (error !== undefined) return write.reject(error);
    if (!sameBytes(write.lent, write.copy)) {
      return write.reject(new Error("bytes lent to write were changed before it was done"));
    }
    this.#received += latin1(write.copy, 0, write.copy.length);
    write.resolve();
  }
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** Resolves when nothing moves on these connections any more. */
export async function quiet(...transports: readonly MemoryTransport[]): Promise<void> {
  const activity = () => transports.reduce((sum, transport) => sum + transport.activity, 0);
  for (let before = -1; before !== activity();) {
    before = activity();
    await settle();
  }
}
