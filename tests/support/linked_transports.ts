// Both ends of one connection without a network: what one writes the other reads, in its own time.
import type { Transport, TransportPeer } from "../../sidecar/net/transport.ts";

interface PendingRead {
  readonly buffer: Uint8Array<ArrayBuffer>;
  readonly resolve: (count: number) => void;
  readonly reject: (error: Error) => void;
}

class End implements Transport {
  readonly peer: TransportPeer = { host: "192.0.2.1", port: 40000 };
  readonly isWriting = false;
  isClosed = false;
  other!: End;
  readonly #inbound: Uint8Array[] = [];
  #isEnded = false;
  #read: PendingRead | undefined;

  read(buffer: Uint8Array<ArrayBuffer>): Promise<number> {
    if (this.isClosed) return Promise.reject(new Error("read on a closed connection"));
    return new Promise((resolve, reject) => {
      this.#read = { buffer, resolve, reject };
      this.#serve();
    });
  }

  write(bytes: Uint8Array): Promise<void> {
    if (this.isClosed) return Promise.reject(new Error("write on a closed connection"));
    this.other.#inbound.push(bytes.slice());
    this.other.#serve();
    return Promise.resolve();
  }

  closeWrite(): void {
    this.other.#isEnded = true;
    this.other.#serve();
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.#read?.reject(new Error("the connection was closed"));
    this.#read = undefined;
    this.closeWrite();
  }

  #serve(): void {
    const read = this.#read;
    const chunk = this.#inbound[0];
    if (read === undefined || (chunk === undefined && !this.#isEnded)) return;
    this.#read = undefined;
    if (chunk === undefined) return read.resolve(0);
    const count = Math.min(chunk.length, read.buffer.length);
    read.buffer.set(chunk.subarray(0, count));
    if (count === chunk.length) this.#inbound.shift();
    else this.#inbound[0] = chunk.subarray(count);
    read.resolve(count);
  }
}

export type LinkedEnd = Transport & { readonly isClosed: boolean };

/** Two ends of one connection. */
export function linkedTransports(): readonly [LinkedEnd, LinkedEnd] {
  const [one, two] = [new End(), new End()];
  one.other = two;
  two.other = one;
  return [one, two];
}
