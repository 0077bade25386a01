// One downstream connection: finds out which version of HTTP it speaks, and hands it to that codec.
import type { Handler } from "../http/message.ts";
import { Http1ServerConnection, type ServerLimits } from "../http1/server_connection.ts";
import { PREFACE } from "../http2/frame_reader.ts";
import type { Http2Limits } from "../http2/limits.ts";
import { Http2ServerConnection } from "../http2/server_connection.ts";
import { equals } from "../lib/bytes.ts";
import type { Sweepable } from "../lib/sweeper.ts";
import type { Transport } from "../net/transport.ts";

export interface DownstreamLimits extends ServerLimits {
  readonly http2: Http2Limits;
}

export interface DownstreamOptions {
  readonly limits: DownstreamLimits;
  /** How the client names what it gets here; default: http. */
  readonly scheme?: "http" | "https";
}

/** The first read: a head of HTTP/1.1, or the preface with its settings, and the first request behind it. */
const FIRST_BYTES = 4096;

/*
 *  silent --first byte--> undecided --enough bytes--> http1 or http2 --> closed
 *    '--- end, timeout, drain ---> closed <---'
 */
type State = "silent" | "undecided" | "served" | "closed";

export class Downstream implements Sweepable {
  readonly #transport: Transport;
  readonly #handler: Handler;
  readonly #limits: DownstreamLimits;
  readonly #scheme: "http" | "https";
  #state: State = "silent";
  #connection: Http1ServerConnection | Http2ServerConnection | undefined;
  #isDraining = false;
  #since: number | undefined;

  constructor(
    transport: Transport,
    handler: Handler,
    { limits, scheme = "http" }: DownstreamOptions,
  ) {
    this.#transport = transport;
    this.#handler = handler;
    this.#limits = limits;
    this.#scheme = scheme;
  }

  /** Resolves when the connection is closed. Never rejects. */
  async serve(): Promise<void> {
    const connection = await this.#open();
    await connection?.serve();
  }

  /** The codec's connection; a function of its own, or its buffer would be kept alive by whoever waits for the end. */
  async #open(): Promise<Http1ServerConnection | Http2ServerConnection | undefined> {
    const buffer = new Uint8Array(FIRST_BYTES);
    const count = await this.#readFirst(buffer);
    if (count === 0 || this.#isClosed) return void this.abort();
    const isHttp2 = isPreface(buffer, count);
    // SETTINGS and GOAWAY in one flight hang grpc-js on Deno for good; a close makes it dial elsewhere (measured on 2.9.3).
    if (isHttp2 && this.#isDraining) return void this.abort();
    this.#state = "served";
    const connection = isHttp2 ? this.#openHttp2(buffer, count) : this.#openHttp1(buffer, count);
    this.#connection = connection;
    if (this.#isDraining) connection.drain();
    return connection;
  }

  /** The getter hides from the compiler that an await may change it. */
  get #isClosed(): boolean {
    return this.#state === "closed";
  }

  #openHttp1(buffer: Uint8Array<ArrayBuffer>, count: number): Http1ServerConnection {
    const received = { bytes: buffer, count };
    return new Http1ServerConnection(
      this.#transport,
      this.#handler,
      this.#limits,
      received,
      this.#scheme,
    );
  }

  #openHttp2(buffer: Uint8Array<ArrayBuffer>, count: number): Http2ServerConnection {
    const { http2 } = this.#limits;
    return new Http2ServerConnection(
      this.#transport,
      this.#handler,
      http2,
      buffer.subarray(0, count),
      this.#scheme,
    );
  }

  /** Bytes read, as soon as they tell the version; 0 when none came. */
  async #readFirst(buffer: Uint8Array<ArrayBuffer>): Promise<number> {
    let count = 0;
    try {
      for (;;) {
        const read = await this.#transport.read(count === 0 ? buffer : buffer.subarray(count));
        if (!read) return count;
        count += read;
        if (this.#state === "silent") this.#enter("undecided");
        if (count >= PREFACE.length || !isPreface(buffer, count)) return count;
      }
    } catch {
      // It broke before it said anything, or was closed: nobody is there to be answered.
      return 0;
    }
  }

  #enter(state: State): void {
    if (this.#state === "closed") return;
    this.#state = state;
    this.#since = undefined;
  }

  sweep(nowMs: number): void {
    if (this.#connection !== undefined) return this.#connection.sweep(nowMs);
    this.#since ??= nowMs;
    const { idleTimeoutMs, headTimeoutMs } = this.#limits;
    const patience = this.#state === "silent" ? idleTimeoutMs : headTimeoutMs;
    if (nowMs - this.#since >= patience) this.abort();
  }

  /** Lets what is under way finish and then closes; an idle connection closes now. */
  drain(): void {
    this.#isDraining = true;
    if (this.#connection !== undefined) this.#connection.drain();
    else if (this.#state === "silent") this.abort();
  }

  /** Cuts the connection; what is under way is cancelled. */
  abort(): void {
    if (this.#connection !== undefined) return this.#connection.abort();
    this.#state = "closed";
    this.#transport.close();
  }
}

/** Whether the first `count` bytes agree with the preface, as far as both reach: no request of HTTP/1.1 can begin so. */
function isPreface(bytes: Uint8Array, count: number): boolean {
  const end = Math.min(count, PREFACE.length);
  return equals(bytes, 0, end, PREFACE.subarray(0, end));
}
