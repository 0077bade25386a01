// One proxy port: accepts, counts and bounds its connections, and drains them. What they speak is its acceptor's.
import { ProxyError } from "../errors.ts";
import type { Sweepable, Sweeper } from "../lib/sweeper.ts";
import { type HostPort, type Listener, listenTcp } from "../net/tcp.ts";
import type { Transport } from "../net/transport.ts";
import type { Logger } from "../telemetry/log.ts";

/** One connection being served. */
export interface Served extends Sweepable {
  /** Resolves when the connection is closed. Never rejects. */
  serve(): Promise<void>;
  /** Lets what is under way finish and then closes. */
  drain(): void;
  /** Cuts the connection. */
  abort(): void;
}

/** What a port does with its connections. */
export interface Acceptor {
  accept(transport: Transport): Served;
  /** Turns a connection away, without a wait for whoever made it. */
  refuse(transport: Transport, error: ProxyError): void;
}

export interface ProxyListenerOptions {
  readonly name: string;
  readonly address: HostPort;
  readonly acceptor: Acceptor;
  /** Open connections; more are turned away. */
  readonly connections: number;
  readonly sweeper: Sweeper;
  readonly log: Logger;
}

export class ProxyListener {
  readonly name: string;
  readonly #options: ProxyListenerOptions;
  readonly #listener: Listener;
  readonly #connections = new Map<Served, Promise<void>>();
  #isDraining = false;

  /** Listens at once. Throws ListenError. */
  constructor(options: ProxyListenerOptions) {
    this.name = options.name;
    this.#options = options;
    this.#listener = listenTcp(options.address, (transport) => this.#accept(transport), (error) => {
      options.log.error("cannot accept connections", { listener: options.name, error });
    });
  }

  get address(): HostPort {
    return this.#listener.address;
  }

  get connections(): number {
    return this.#connections.size;
  }

  /** Resolves when the address is free for another listener, which is after the call that closed this one. */
  get released(): Promise<void> {
    return this.#listener.finished;
  }

  #accept(transport: Transport): void {
    const { acceptor, connections, sweeper } = this.#options;
    if (this.#connections.size >= connections) {
      const message = `${connections} connections are open already`;
      const error = new ProxyError("too-many-connections", message, { side: "local" });
      return acceptor.refuse(transport, error);
    }
    const connection = acceptor.accept(transport);
    sweeper.add(connection);
    const served = connection.serve().finally(() => {
      sweeper.delete(connection);
      this.#connections.delete(connection);
    });
    this.#connections.set(connection, served);
    if (this.#isDraining) connection.drain();
  }

  /** Stops accepting, lets what is under way finish, and resolves when every connection is closed. */
  async drain(): Promise<void> {
    this.#isDraining = true;
    this.#listener.close();
    for (const connection of this.#connections.keys()) connection.drain();
    await Promise.all(this.#connections.values());
    await this.#listener.finished;
  }

  /** Cuts what is left. */
  abort(): void {
    this.#listener.close();
    for (const connection of this.#connections.keys()) connection.abort();
  }
}
