// An upstream without a network: a test decides which dials succeed, reads what was sent and writes what comes back.
import type { Transport, TransportPeer } from "../../sidecar/net/transport.ts";
import { latin1, latin1Bytes } from "../../sidecar/lib/bytes.ts";
import { settle } from "./fake_clock.ts";

interface Address {
  readonly host: string;
  readonly port: number;
}

interface PendingRead {
  readonly buffer: Uint8Array<ArrayBuffer>;
  readonly resolve: (count: number) => void;
  readonly reject: (error: Error) => void;
}

/** The upstream's end of one connection, and the transport that the proxy holds of it. */
export class ScriptedTransport implements Transport {
  /** Tells whoever uses it to finish with it. */
  retire: () => void = () => {};
  readonly peer: TransportPeer;
  isClosed = false;
  /** The proxy said that it sends no more. */
  isHalfClosed = false;
  /** While true, writes stay pending, as with a peer that does not read. */
  holdsWrites = false;
  /** Everything that the proxy wrote. */
  #received = "";
  #inbound: Uint8Array = new Uint8Array();
  #end: "open" | "ended" | Error = "open";
  #read: PendingRead | undefined;
  #heldWrite: { readonly resolve: () => void; readonly reject: (error: Error) => void } | undefined;
  readonly #onReceived: (transport: ScriptedTransport) => void;

  constructor(peer: TransportPeer, onReceived: (transport: ScriptedTransport) => void = () => {}) {
    this.peer = peer;
    this.#onReceived = onReceived;
  }

  get received(): string {
    return this.#received;
  }

  get isWriting(): boolean {
    return this.#heldWrite !== undefined;
  }

  /** Takes what was received so far, so that the next request stands alone. */
  takeReceived(): string {
    const text = this.#received;
    this.#received = "";
    return text;
  }

  /** Bytes from the upstream to the proxy. */
  send(text: string): void {
    const bytes = latin1Bytes(text);
    const all = new Uint8Array(this.#inbound.length + bytes.length);
    all.set(this.#inbound);
    all.set(bytes, this.#inbound.length);
    this.#inbound = all;
    this.#serveRead();
  }

  /** The upstream sends no more. */
  end(): void {
    this.#end = "ended";
    this.#serveRead();
  }

  /** The connection breaks. */
  reset(): void {
    this.#end = new Error("connection reset by the script");
    this.#serveRead();
  }

  releaseWrites(): void {
    this.holdsWrites = false;
    const held = this.#heldWrite;
    this.#heldWrite = undefined;
    held?.resolve();
  }

  read(buffer: Uint8Array<ArrayBuffer>): Promise<number> {
    if (this.#read !== undefined) return Promise.reject(new Error("two reads at once"));
    if (this.isClosed) return Promise.reject(new Error("read on a closed connection"));
    return new Promise((resolve, reject) => {
      this.#read = { buffer, resolve, reject };
      this.#serveRead();
    });
  }

  #serveRead(): void {
    const read = this.#read;
    if (read === undefined) return;
    if (this.#inbound.length > 0) {
      const count = Math.min(read.buffer.length, this.#inbound.length);
      read.buffer.set(this.#inbound.subarray(0, count));
      this.#inbound = this.#inbound.slice(count);
      this.#read = undefined;
      read.resolve(count);
    } else if (this.#end !== "open") {
      this.#read = undefined;
      if (this.#end === "ended") read.resolve(0);
      else read.reject(this.#end);
    }
  }

  write(bytes: Uint8Array): Promise<void> {
    if (this.isWriting) return Promise.reject(new Error("two writes at once"));
    if (this.isClosed) return Promise.reject(new Error("write on a closed connection"));
    this.#received += latin1(bytes, 0, bytes.length);
    this.#onReceived(this);
    if (!this.holdsWrites) return Promise.resolve();
    return new Promise((resolve, reject) => this.#heldWrite = { resolve, reject });
  }

  closeWrite(): void {
    this.isHalfClosed = true;
  }

  onRetired(callback: () => void): void {
    this.retire = callback;
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    const closed = new Error("the connection was closed");
    this.#read?.reject(closed);
    this.#read = undefined;
    this.#heldWrite?.reject(closed);
    this.#heldWrite = undefined;
  }
}

/** One dial that the test has not decided yet. */
export interface PendingDial {
  readonly address: Address;
  readonly signal: AbortSignal;
  accept(): ScriptedTransport;
  refuse(message?: string): void;
}

/** What happens to a dial; `hold` leaves it to the test. */
export type DialRule = "accept" | "refuse" | "hold";

/** All endpoints of a test, and their connections in the order in which they were made. */
export class ScriptedUpstream {
  /** By `HOST:PORT`; others follow `rule`. */
  readonly rules = new Map<string, DialRule>();
  rule: DialRule = "accept";
  readonly connections: ScriptedTransport[] = [];
  readonly held: PendingDial[] = [];
  /** Every address that was dialled. */
  readonly dialled: string[] = [];
  /** Answers each whole request by itself; undefined leaves it to the test. */
  respond: ((request: string, transport: ScriptedTransport) => string | undefined) | undefined;

  readonly dial = (address: Address, signal: AbortSignal): Promise<ScriptedTransport> => {
    const key = `${address.host}:${address.port}`;
    this.dialled.push(key);
    const rule = this.rules.get(key) ?? this.rule;
    if (rule === "accept") return Promise.resolve(this.#connect(address));
    if (rule === "refuse") return Promise.reject(new Error("connection refused by the script"));
    const { promise, resolve, reject } = Promise.withResolvers<ScriptedTransport>();
    this.held.push({
      address,
      signal,
      accept: () => {
        const transport = this.#connect(address);
        resolve(transport);
        return transport;
      },
      refuse: (message = "connection refused by the script") => reject(new Error(message)),
    });
    return promise;
  };

  /** The connection made last. */
  get last(): ScriptedTransport {
    const last = this.connections.at(-1);
    if (last === undefined) throw new Error("nothing has been dialled");
    return last;
  }

  get open(): ScriptedTransport[] {
    return this.connections.filter((connection) => !connection.isClosed);
  }

  #connect(address: Address): ScriptedTransport {
    const transport = new ScriptedTransport(address, (one) => this.#answer(one));
    this.connections.push(transport);
    return transport;
  }

  #answer(transport: ScriptedTransport): void {
    if (this.respond === undefined || !isWhole(transport.received)) return;
    const answer = this.respond(transport.received, transport);
    if (answer === undefined) return;
    transport.takeReceived();
    transport.send(answer);
  }
}

/** A head, and as much body as its Content-Length says or up to the last chunk. */
function isWhole(text: string): boolean {
  const end = text.indexOf("\r\n\r\n");
  if (end < 0) return false;
  const head = text.slice(0, end).toLowerCase();
  if (head.includes("transfer-encoding: chunked")) return text.endsWith("\r\n0\r\n\r\n");
  const length = Number(/\ncontent-length: (\d+)/.exec(head)?.[1] ?? 0);
  return text.length - end - 4 >= length;
}

/** A response of 200 with `body`. */
export function ok(body = "ok", fields = ""): string {
  return `HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n${fields}\r\n${body}`;
}

/** Lets everything that can happen without time passing happen, and says how `work` stands. */
export async function outcome<T>(
  work: Promise<T>,
): Promise<{ readonly is: "pending" } | { is: "done"; value: T } | { is: "failed"; error: Error }> {
  let result: Awaited<ReturnType<typeof outcome<T>>> = { is: "pending" };
  work.then(
    (value) => result = { is: "done", value },
    (error) => result = { is: "failed", error },
  );
  await settle();
  return result;
}
