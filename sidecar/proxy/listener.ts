// One proxy port: accepts, counts and bounds its connections, and drains them.
import { ProxyError } from "../errors.ts";
import type { Handler } from "../http/message.ts";
import { writeResponseHead } from "../http1/serialize.ts";
import { Http1ServerConnection, type ServerLimits } from "../http1/server_connection.ts";
import { ByteWriter } from "../lib/byte_writer.ts";
import type { Sweeper } from "../lib/sweeper.ts";
import { type HostPort, type Listener, listenTcp } from "../net/tcp.ts";
import type { Transport } from "../net/transport.ts";
import type { Logger } from "../telemetry/log.ts";

export interface ListenerLimits extends ServerLimits {
  /** Open connections; more are answered 503 and closed. */
  readonly connections: number;
}

export interface ProxyListenerOptions {
  readonly name: string;
  readonly address: HostPort;
  readonly handler: Handler;
  readonly limits: ListenerLimits;
  readonly sweeper: Sweeper;
  readonly log: Logger;
}

export class ProxyListener {
  readonly name: string;
  readonly #options: ProxyListenerOptions;
  readonly #listener: Listener;
  readonly #connections = new Map<Http1ServerConnection, Promise<void>>();
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

  #accept(transport: Transport): void {
    const { handler, limits, sweeper } = this.#options;
    if (this.#connections.size >= limits.connections) return this.#turnAway(transport);
    const connection = new Http1ServerConnection(transport, handler, limits);
    sweeper.add(connection);
    const served = connection.serve().finally(() => {
      sweeper.delete(connection);
      this.#connections.delete(connection);
    });
    this.#connections.set(connection, served);
    if (this.#isDraining) connection.drain();
  }

  /** One small write, which an empty socket buffer always takes, and no wait for a client that may not read it. */
  #turnAway(transport: Transport): void {
    const { handler, limits } = this.#options;
    const error = new ProxyError(
      "too-many-connections",
      `${limits.connections} connections are open already`,
      {
        side: "local",
      },
    );
    const response = handler.refuse(error, transport.peer);
    const out = new ByteWriter(512);
    writeResponseHead(out, response, { method: "GET", version: "1.1", keepAlive: false });
    const body = response.body.take();
    if (body) out.copy(body);
    transport.write(out.view()).catch(() => {}).finally(() => transport.close());
  }

  /** Stops accepting, lets exchanges finish, and resolves when every connection is closed. */
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
