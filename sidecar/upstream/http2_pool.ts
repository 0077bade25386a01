// HTTP/2 connections to one endpoint: one as long as it has room for another stream, more only when all are full.
import { ProxyError } from "../errors.ts";
import { Http2ClientConnection } from "../http2/client_connection.ts";
import { Cancellation } from "../lib/cancellation.ts";
import type { Transport } from "../net/transport.ts";
import { dialInTime } from "./dial.ts";
import { type Address, type Pool, type PoolContext, type PoolSize, shuttingDown } from "./pool.ts";
import { WaitingLine } from "./waiting_line.ts";

/** What a peer lets in before it has said how much: RFC 9113 6.5.2 recommends no less. */
const EXPECTED_STREAMS = 100;

export class Http2Pool implements Pool {
  readonly address: Address;
  readonly name: string;
  readonly #context: PoolContext;
  /** Those that take streams. */
  readonly #connections: Http2ClientConnection[] = [];
  /** Those whose peer takes no new streams (GOAWAY), until their last one is over. */
  readonly #leaving = new Set<Http2ClientConnection>();
  readonly #line: WaitingLine<Http2ClientConnection>;
  #dialing = 0;
  #state: "open" | "draining" | "closed" = "open";

  constructor(address: Address, context: PoolContext) {
    this.address = address;
    this.name = `${address.host}:${address.port}`;
    this.#context = context;
    this.#line = new WaitingLine(context.limits.pending);
  }

  get size(): PoolSize {
    const busy = this.#connections.filter((connection) => connection.streams > 0).length;
    return {
      idle: this.#connections.length - busy,
      busy: busy + this.#leaving.size,
      pending: this.#line.length,
    };
  }

  get isOpen(): boolean {
    return this.#state === "open";
  }

  get isEmpty(): boolean {
    return this.#connections.length + this.#leaving.size + this.#dialing + this.#line.length === 0;
  }

  take(): Http2ClientConnection | undefined {
    for (const connection of this.#connections) if (connection.isUsable) return connection;
    return undefined;
  }

  async connect(cancellation: Cancellation): Promise<Http2ClientConnection> {
    for (;;) {
      cancellation.throwIfCancelled();
      if (this.#state !== "open") throw this.#ending();
      const usable = this.take();
      if (usable !== undefined) return usable;
      const turn = this.#line.join(cancellation);
      this.#dialForWaiters();
      const connection = await turn;
      // Others may have filled it in the meantime.
      if (connection.isUsable) return connection;
    }
  }

  giveBack(): void {
    // Nothing was taken: a connection is shared.
  }

  #dialForWaiters(): void {
    const { connections } = this.#context.limits;
    if (this.#state !== "open") return;
    if (this.#dialing * EXPECTED_STREAMS >= this.#line.length) return;
    if (this.#connections.length + this.#dialing >= connections) return;
    this.#dialing++;
    const options = { cancellation: NEVER, protocol: "http2" } as const;
    dialInTime(this.address, this.#context, options).then(this.#adopt, this.#cannotDial);
  }

  #adopt = (transport: Transport): void => {
    this.#dialing--;
    if (this.#state !== "open") return transport.close();
    const { limits, sweeper } = this.#context;
    const connection = new Http2ClientConnection(transport, limits.http2, {
      onFree: this.#serve,
      onGoaway: this.#leave,
      onClosed: this.#forget,
    });
    sweeper.add(connection);
    this.#connections.push(connection);
    transport.onRetired?.(() => connection.drain());
    this.#serve(connection);
  };

  /** Whoever waits would have met the same. */
  #cannotDial = (error: Error): void => {
    this.#dialing--;
    if (this.#dialing === 0 && this.take() === undefined) this.#line.failAll(error);
  };

  /** As many of those who wait as there is room for. */
  #serve = (connection: Http2ClientConnection): void => {
    for (let room = connection.room; room > 0; room--) {
      let waiter = this.#line.next();
      while (waiter !== undefined && !waiter.give(connection)) waiter = this.#line.next();
      if (waiter === undefined) break;
    }
    this.#dialForWaiters();
  };

  #leave = (connection: Http2ClientConnection): void => {
    if (this.#remove(connection)) this.#leaving.add(connection);
    this.#dialForWaiters();
  };

  #forget = (connection: Http2ClientConnection): void => {
    this.#context.sweeper.delete(connection);
    this.#leaving.delete(connection);
    if (this.#remove(connection)) this.#dialForWaiters();
  };

  #remove(connection: Http2ClientConnection): boolean {
    const at = this.#connections.indexOf(connection);
    if (at >= 0) this.#connections.splice(at, 1);
    return at >= 0;
  }

  /** Whoever comes late may go to another endpoint. */
  #ending(): ProxyError {
    if (this.#state === "closed") return shuttingDown();
    return new ProxyError("connect-failed", `${this.name} has left the mesh`, {
      side: "upstream",
      retry: "yes",
    });
  }

  drain(): void {
    if (this.#state === "open") this.#state = "draining";
    this.#line.failAll(this.#ending());
    for (const connection of [...this.#connections]) connection.drain();
  }

  close(): void {
    this.#state = "closed";
    this.#line.failAll(shuttingDown());
    for (const connection of [...this.#connections, ...this.#leaving]) {
      connection.abort(shuttingDown());
    }
  }
}

/** A dial is for everybody who waits: none of them alone can call it off. */
const NEVER = new Cancellation();
