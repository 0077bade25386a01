// HTTP/1.1 connections to one endpoint: idle ones kept warm, their number bounded, callers queued for the next free one.
import { Http1ClientConnection } from "../http1/client_connection.ts";
import { Cancellation } from "../lib/cancellation.ts";
import type { Transport } from "../net/transport.ts";
import type { ClientConnection } from "./client_connection.ts";
import { dialInTime } from "./dial.ts";
import { type Address, type Pool, type PoolContext, type PoolSize, shuttingDown } from "./pool.ts";
import { WaitingLine } from "./waiting_line.ts";

/** As many as a port takes connections unless told otherwise; further tunnels stay among the busy. */
const MAX_TUNNELS = 10_000;

export class Http1Pool implements Pool {
  readonly address: Address;
  readonly name: string;
  readonly #context: PoolContext;
  /** Idle and busy ones: a set that changed with every request would cost it 0.1 us (measured). */
  readonly #open = new Set<Http1ClientConnection>();
  /** Of those. The most recently used last: it is the warmest, and the others may age out. */
  readonly #idle: Http1ClientConnection[] = [];
  /** A thousand clients that listen must not keep the next request waiting: they are not of what `connections` bounds. */
  readonly #tunnels = new Set<Http1ClientConnection>();
  readonly #line: WaitingLine<Http1ClientConnection>;
  #dialing = 0;
  #state: "open" | "draining" | "closed" = "open";

  constructor(address: Address, context: PoolContext) {
    this.address = address;
    this.name = `${address.host}:${address.port}`;
    this.#context = context;
    this.#line = new WaitingLine(context.limits.pending);
  }

  get size(): PoolSize {
    const idle = this.#idle.length;
    const busy = this.#open.size - idle + this.#tunnels.size;
    return { idle, busy, pending: this.#line.length };
  }

  get isOpen(): boolean {
    return this.#state === "open";
  }

  get isEmpty(): boolean {
    const { idle, busy, pending } = this.size;
    return idle + busy + this.#dialing + pending === 0;
  }

  take(): Http1ClientConnection | undefined {
    for (;;) {
      const connection = this.#idle.pop();
      if (connection === undefined || connection.isUsable) return connection;
      connection.close();
    }
  }

  async connect(cancellation: Cancellation): Promise<Http1ClientConnection> {
    const { limits } = this.#context;
    cancellation.throwIfCancelled();
    if (this.#state === "closed") throw shuttingDown();
    if (this.#open.size + this.#dialing < limits.connections) {
      return await this.#dial(cancellation);
    }
    // Whoever retries comes here first; nobody would wake it for a connection that is idle already.
    return this.take() ?? await this.#line.join(cancellation);
  }

  async #dial(cancellation: Cancellation): Promise<Http1ClientConnection> {
    this.#dialing++;
    try {
      const transport = await dialInTime(this.address, this.#context, {
        cancellation,
        protocol: "http1",
      });
      if (this.#state !== "closed") return this.#adopt(transport);
      transport.close();
      throw shuttingDown();
    } catch (error) {
      this.#dialMoreForWaiters();
      throw error;
    } finally {
      this.#dialing--;
    }
  }

  #adopt(transport: Transport): Http1ClientConnection {
    const { limits, sweeper } = this.#context;
    const connection = new Http1ClientConnection(transport, limits, {
      onIdle: (idle) => this.#release(idle),
      onTunnel: (tunnel) => this.#setApart(tunnel),
      onClosed: (closed) => this.#forget(closed),
    });
    sweeper.add(connection);
    this.#open.add(connection);
    transport.onRetired?.(() => connection.drain());
    return connection;
  }

  giveBack(connection: ClientConnection): void {
    const own = connection as Http1ClientConnection;
    if (own.isUsable) this.#release(own);
    else own.close();
  }

  #release(connection: Http1ClientConnection): void {
    if (this.#line.next()?.give(connection)) return;
    if (this.#state === "open") this.#idle.push(connection);
    else connection.close();
  }

  /** Its place among the busy ones is another exchange's. */
  #setApart(tunnel: Http1ClientConnection): void {
    if (this.#tunnels.size >= MAX_TUNNELS) return;
    this.#open.delete(tunnel);
    this.#tunnels.add(tunnel);
    this.#dialMoreForWaiters();
  }

  #forget(connection: Http1ClientConnection): void {
    this.#context.sweeper.delete(connection);
    if (this.#tunnels.delete(connection)) return;
    this.#open.delete(connection);
    const at = this.#idle.indexOf(connection);
    if (at >= 0) this.#idle.splice(at, 1);
    else this.#dialMoreForWaiters();
  }

  /** A place came free without a connection to give. */
  #dialMoreForWaiters(): void {
    const waiter = this.#line.next();
    if (waiter === undefined) return;
    this.#dial(NEVER).then(
      (connection) => void (waiter.give(connection) || this.#release(connection)),
      waiter.fail,
    );
  }

  drain(): void {
    if (this.#state === "open") this.#state = "draining";
    for (const connection of this.#idle.splice(0)) connection.close();
  }

  close(): void {
    this.#state = "closed";
    this.drain();
    this.#line.failAll(shuttingDown());
    for (const connection of [...this.#open, ...this.#tunnels]) connection.abort(shuttingDown());
  }
}

/** For a dial on behalf of a waiter, which has its own way to leave. */
const NEVER = new Cancellation();
