// A connection over node:net, plain or under TLS: bytes that come unasked become reads, and are held back where nobody reads.
import type { Socket } from "node:net";
import { FlowGate } from "./node_socket.ts";
import type { AlpnProtocol, Transport, TransportPeer } from "./transport.ts";

/** What may wait here for a reader before the kernel is told to hold the rest; one more chunk (64 KiB) can be under way. */
const MAX_WAITING = 16 * 1024;

export interface NodeTransportOptions {
  readonly peer: TransportPeer;
  readonly protocol?: AlpnProtocol | undefined;
  /** The TCP socket under a TLSSocket; `socket` itself where absent. */
  readonly underlying?: Socket;
  /** What was read off the socket before this took over. */
  readonly first?: Uint8Array;
}

/** Takes the socket over: nobody else may listen to it. Reading starts at once. */
export class NodeTransport implements Transport {
  readonly peer: TransportPeer;
  readonly protocol: AlpnProtocol | undefined;
  isWriting = false;
  readonly #socket: Socket;
  readonly #gate: FlowGate;
  /** What came and was not read, oldest first; `#offset` bytes of the first are read. */
  readonly #waiting: Uint8Array[] = [];
  #offset = 0;
  #waitingBytes = 0;
  #isStopped = false;
  /** Null: the peer's last byte has come. */
  #ending: Error | null | undefined;
  #isClosed = false;
  #isWriteClosed = false;
  #lent: Uint8Array | undefined;
  #endRead: (count: number | null) => void = doNothing;
  #failRead: (error: Error) => void = doNothing;
  #endWrite: () => void = doNothing;
  #failWrite: (error: Error) => void = doNothing;
  #onClosed: () => void = doNothing;
  #onRetired: () => void = doNothing;
  #isRetired = false;

  constructor(socket: Socket, options: NodeTransportOptions) {
    this.#socket = socket;
    this.peer = options.peer;
    this.protocol = options.protocol;
    this.#gate = new FlowGate(options.underlying ?? socket);
    if (options.first !== undefined) this.#keep(options.first, 0);
    socket.on("data", this.#arrived);
    socket.on("end", this.#ended);
    socket.on("error", this.#broke);
    socket.on("close", this.#gone);
    if (socket.destroyed) this.#broke(new Error("the connection was closed before it was used"));
    else socket.resume();
  }

  /** Called once when nothing is left of the connection; at most one callback. */
  onClosed(callback: () => void): void {
    this.#onClosed = callback;
  }

  onRetired(callback: () => void): void {
    if (this.#isRetired) callback();
    else this.#onRetired = callback;
  }

  /** Tells whoever uses the connection to finish with it. */
  retire(): void {
    if (this.#isRetired) return;
    this.#isRetired = true;
    this.#onRetired();
  }

  read(buffer: Uint8Array<ArrayBuffer>): Promise<number | null> {
    if (this.#lent !== undefined) {
      return Promise.reject(new Error("two reads at once on one connection"));
    }
    if (this.#isClosed) return Promise.reject(new Error("the connection is closed"));
    if (this.#waiting.length > 0) return Promise.resolve(this.#take(buffer));
    if (this.#ending === null) return Promise.resolve(null);
    if (this.#ending !== undefined) return Promise.reject(this.#ending);
    this.#lent = buffer;
    return new Promise(this.#startRead);
  }

  #startRead = (resolve: (count: number | null) => void, reject: (error: Error) => void): void => {
    this.#endRead = resolve;
    this.#failRead = reject;
  };

  #arrived = (chunk: Uint8Array): void => {
    const lent = this.#lent;
    if (lent === undefined) return this.#keep(chunk, 0);
    this.#lent = undefined;
    const fits = chunk.length <= lent.length;
    lent.set(fits ? chunk : chunk.subarray(0, lent.length));
    if (!fits) this.#keep(chunk, lent.length);
    this.#endRead(fits ? chunk.length : lent.length);
  };

  /** Keeps what nobody has asked for. Only an empty list is begun in the middle of a chunk. */
  #keep(chunk: Uint8Array, from: number): void {
    if (from > 0) this.#offset = from;
    this.#waiting.push(chunk);
    this.#waitingBytes += chunk.length - from;
    if (this.#waitingBytes < MAX_WAITING || this.#isStopped) return;
    this.#isStopped = true;
    this.#gate.stop();
  }

  #take(buffer: Uint8Array): number {
    const chunk = this.#waiting[0]!;
    const count = Math.min(buffer.length, chunk.length - this.#offset);
    buffer.set(chunk.subarray(this.#offset, this.#offset + count));
    this.#waitingBytes -= count;
    this.#offset += count;
    if (this.#offset === chunk.length) {
      this.#waiting.shift();
      this.#offset = 0;
    }
    if (this.#isStopped && this.#waiting.length === 0) {
      this.#isStopped = false;
      this.#gate.start();
    }
    return count;
  }

  #ended = (): void => {
    if (!this.#isWriteClosed && this.#gate.wasReset) {
      return this.#broke(new Error("the connection was reset by the peer"));
    }
    this.#ending ??= null;
    if (this.#lent === undefined) return;
    this.#lent = undefined;
    this.#endRead(null);
  };

  write(bytes: Uint8Array): Promise<void> {
    if (this.isWriting) return Promise.reject(new Error("two writes at once on one connection"));
    if (this.#isClosed) return Promise.reject(new Error("the connection is closed"));
    this.isWriting = true;
    const written = new Promise<void>(this.#startWrite);
    this.#socket.write(bytes, this.#wrote);
    return written;
  }

  #startWrite = (resolve: () => void, reject: (error: Error) => void): void => {
    this.#endWrite = resolve;
    this.#failWrite = reject;
  };

  #wrote = (error?: Error | null): void => {
    if (!this.isWriting) return;
    this.isWriting = false;
    if (error === undefined || error === null) this.#endWrite();
    else this.#failWrite(error);
  };

  closeWrite(): void {
    if (this.#isClosed) return;
    this.#isWriteClosed = true;
    this.#socket.end();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#waiting.length = 0;
    this.#socket.destroy();
    this.#settle(new Error("the connection was closed"));
  }

  /** What the socket reports of itself. It is destroyed by then, or about to be. */
  #broke = (error: Error): void => {
    this.#ending = error;
    this.#settle(error);
  };

  #gone = (): void => {
    this.#ending ??= new Error("the connection was closed");
    this.#settle(this.#ending ?? new Error("the connection was closed"));
    this.#onClosed();
  };

  #settle(error: Error): void {
    if (this.#lent !== undefined) {
      this.#lent = undefined;
      this.#failRead(error);
    }
    this.#wrote(error);
  }
}

function doNothing(): void {}
