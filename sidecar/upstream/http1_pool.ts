// Connections to one endpoint: idle ones kept warm, their number bounded, callers queued for the next free one.
import { ProxyError } from "../errors.ts";
import { type ClientLimits, Http1ClientConnection } from "../http1/client_connection.ts";
import { Cancellation } from "../lib/cancellation.ts";
import type { Sweeper } from "../lib/sweeper.ts";
import type { Timeouts } from "../lib/timeouts.ts";
import type { Transport } from "../net/transport.ts";

export interface PoolLimits extends ClientLimits {
  /** Connections of one endpoint, idle and busy. */
  readonly connections: number;
  /** Exchanges waiting for one of them. */
  readonly pending: number;
  readonly connectTimeoutMs: number;
}

/** What a pool may hold unless told otherwise. */
export const DEFAULT_POOL_LIMITS = {
  /** An app that cannot serve a thousand at once is not helped by more; the rest waits here, where it costs little. */
  connections: 1024,
  /** As many again may wait; beyond that an early 503 is kinder than a late 504. */
  pending: 1024,
  /** A SYN is repeated after one second and again after two: this lets one of them be lost. */
  connectTimeoutMs: 3000,
} as const;

export interface PoolContext {
  readonly limits: PoolLimits;
  readonly timeouts: Timeouts;
  readonly sweeper: Sweeper;
  /** `signal` is aborted when the connection is not wanted any more, so that what cannot be reached piles up nothing. */
  dial(
    address: { readonly host: string; readonly port: number },
    signal: AbortSignal,
  ): Promise<Transport>;
}

interface Waiter {
  /** False when it has left meanwhile. */
  readonly give: (connection: Http1ClientConnection) => boolean;
  readonly fail: (error: Error) => void;
}

export class Pool {
  readonly address: { readonly host: string; readonly port: number };
  /** The address as `HOST:PORT`. */
  readonly name: string;
  readonly #context: PoolContext;
  /** The most recently used last: it is the warmest, and the others may age out. */
  readonly #idle: Http1ClientConnection[] = [];
  readonly #busy = new Set<Http1ClientConnection>();
  readonly #waiters: Waiter[] = [];
  #dialing = 0;
  #state: "open" | "draining" | "closed" = "open";

  constructor(address: { readonly host: string; readonly port: number }, context: PoolContext) {
    this.address = address;
    this.name = `${address.host}:${address.port}`;
    this.#context = context;
  }

  get size(): { readonly idle: number; readonly busy: number; readonly pending: number } {
    return { idle: this.#idle.length, busy: this.#busy.size, pending: this.#waiters.length };
  }

  get isOpen(): boolean {
    return this.#state === "open";
  }

  /** No connection is left, none is being made and nobody waits for one. */
  get isEmpty(): boolean {
    return this.#idle.length + this.#busy.size + this.#dialing + this.#waiters.length === 0;
  }

  /** An idle connection, without waiting; undefined when there is none. */
  takeIdle(): Http1ClientConnection | undefined {
    for (;;) {
      const connection = this.#idle.pop();
      if (connection === undefined) return undefined;
      if (connection.isUsable) {
        this.#busy.add(connection);
        return connection;
      }
      connection.close();
    }
  }

  /**
   * A new connection, or the next that comes free when their number is used up.
   * Throws ProxyError `connect-failed`, `connect-timeout`, `overloaded` or `draining`, or the reason of a cancellation.
   */
  async connect(cancellation: Cancellation): Promise<Http1ClientConnection> {
    const { limits } = this.#context;
    cancellation.throwIfCancelled();
    if (this.#state === "closed") throw shuttingDown();
    if (this.#busy.size + this.#idle.length + this.#dialing < limits.connections) {
      return await this.#dial(cancellation);
    }
    // Whoever retries comes here first; nobody would wake it for a connection that is idle already.
    const idle = this.takeIdle();
    if (idle !== undefined) return idle;
    if (this.#waiters.length >= limits.pending) {
      throw new ProxyError(
        "overloaded",
        `${limits.pending} requests wait for a connection already`,
        { side: "local" },
      );
    }
    return await this.#wait(cancellation);
  }

  async #dial(cancellation: Cancellation): Promise<Http1ClientConnection> {
    this.#dialing++;
    try {
      const transport = await this.#dialInTime(cancellation);
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

  /** A connection that comes after the caller left is closed: nobody knows how old it is when it is wanted. */
  #dialInTime(cancellation: Cancellation): Promise<Transport> {
    const { limits, timeouts } = this.#context;
    return new Promise((resolve, reject) => {
      const dialing = new AbortController();
      let isOver = false;
      const end = (): boolean => {
        if (isOver) return false;
        isOver = true;
        timeout.clear();
        cancellation.off(onCancel);
        return true;
      };
      const fail = (error: Error): void => {
        if (!end()) return;
        reject(error);
        dialing.abort();
      };
      const onCancel = (reason: Error): void => fail(reason);
      const timeout = timeouts.after(limits.connectTimeoutMs, () => {
        fail(
          this.#connectError(
            "connect-timeout",
            `no connection within ${limits.connectTimeoutMs} ms`,
          ),
        );
      });
      cancellation.onCancel(onCancel);
      this.#context.dial(this.address, dialing.signal).then(
        (transport) => end() ? resolve(transport) : transport.close(),
        (error) => fail(this.#connectError("connect-failed", "no connection", error)),
      );
    });
  }

  #connectError(
    kind: "connect-failed" | "connect-timeout",
    message: string,
    cause?: unknown,
  ): ProxyError {
    const { host, port } = this.address;
    return new ProxyError(kind, `${message} to ${host}:${port}`, {
      side: "upstream",
      retry: "yes",
      cause,
    });
  }

  #adopt(transport: Transport): Http1ClientConnection {
    const { limits, sweeper } = this.#context;
    const connection = new Http1ClientConnection(transport, limits, {
      onIdle: (idle) => this.#release(idle),
      onClosed: (closed) => this.#forget(closed),
    });
    sweeper.add(connection);
    this.#busy.add(connection);
    return connection;
  }

  #wait(cancellation: Cancellation): Promise<Http1ClientConnection> {
    return new Promise((resolve, reject) => {
      let hasLeft = false;
      const leave = (reason: Error): void => {
        hasLeft = true;
        const at = this.#waiters.indexOf(waiter);
        if (at >= 0) this.#waiters.splice(at, 1);
        reject(reason);
      };
      const waiter: Waiter = {
        give: (connection) => {
          if (hasLeft) return false;
          cancellation.off(leave);
          resolve(connection);
          return true;
        },
        fail: (error) => {
          cancellation.off(leave);
          reject(error);
        },
      };
      this.#waiters.push(waiter);
      cancellation.onCancel(leave);
    });
  }

  #release(connection: Http1ClientConnection): void {
    if (this.#waiters.shift()?.give(connection)) return;
    this.#busy.delete(connection);
    if (this.#state === "open") this.#idle.push(connection);
    else connection.close();
  }

  #forget(connection: Http1ClientConnection): void {
    this.#context.sweeper.delete(connection);
    if (this.#busy.delete(connection)) this.#dialMoreForWaiters();
    else {
      const at = this.#idle.indexOf(connection);
      if (at >= 0) this.#idle.splice(at, 1);
    }
  }

  /** A place came free without a connection to give. */
  #dialMoreForWaiters(): void {
    const waiter = this.#waiters.shift();
    if (waiter === undefined) return;
    this.#dial(NEVER).then(
      (connection) => void (waiter.give(connection) || this.#release(connection)),
      waiter.fail,
    );
  }

  /** Closes what is idle now, and what is busy as it comes free. */
  drain(): void {
    if (this.#state === "open") this.#state = "draining";
    for (const connection of this.#idle.splice(0)) connection.close();
  }

  /** Cuts everything. */
  close(): void {
    this.#state = "closed";
    this.drain();
    for (const waiter of this.#waiters.splice(0)) waiter.fail(shuttingDown());
    for (const connection of [...this.#busy]) connection.abort(shuttingDown());
  }
}

function shuttingDown(): ProxyError {
  return new ProxyError("draining", "the sidecar is shutting down", { side: "local" });
}

/** For a dial on behalf of a waiter, which has its own way to leave. */
const NEVER = new Cancellation();
