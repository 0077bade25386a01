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

/** What a port tells its listener. */
export interface PortEvents {
  readonly onConnection: (transport: Transport) => void;
  /** One that may not be served; whoever gets it answers and closes. */
  readonly onRefused: (transport: Transport, error: ProxyError) => void;
  /** The port itself has trouble; it goes on. */
  readonly onError: (error: Error) => void;
}

/** Binds `address`; rejects with ListenError where that cannot be had. */
export type Bind = (address: HostPort, events: PortEvents) => Promise<Listener>;

export class ProxyListener {
  readonly name: string;
  readonly #options: ProxyListenerOptions;
  readonly #listener: Listener;
  readonly #connections = new Map<Served, Promise<void>>();
  #isDraining = false;

  /** Listens at once, for plain TCP unless a `listener` is there already. Throws ListenError. */
  constructor(options: ProxyListenerOptions, listener?: Listener) {
    this.name = options.name;
    this.#options = options;
    this.#listener = listener ?? listenTcp(
      options.address,
      (transport) => this.#accept(transport),
      (error) => reportPort(options, error),
    );
  }

  /** Listens on a port of another kind. Rejects with ListenError. */
  static async open(options: ProxyListenerOptions, bind: Bind): Promise<ProxyListener> {
    let self: ProxyListener | undefined = undefined;
    const listener = await bind(options.address, {
      onConnection: (transport) => self === undefined ? transport.close() : self.#accept(transport),
      onRefused: (transport, error) => options.acceptor.refuse(transport, error),
      onError: (error) => reportPort(options, error),
    });
    self = new ProxyListener(options, listener);
    return self;
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
    transport.onRetired?.(() => connection.drain());
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

function reportPort({ name, log }: ProxyListenerOptions, error: Error): void {
  log.error("cannot accept connections", { listener: name, error });
}
