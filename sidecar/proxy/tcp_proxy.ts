// Raw TCP to one upstream: what comes in on its dedicated port goes to an endpoint as it is, and back. Nobody looks inside.
import { ProxyError } from "../errors.ts";
import { Cancellation } from "../lib/cancellation.ts";
import type { Clock } from "../lib/clock.ts";
import type { Transport } from "../net/transport.ts";
import type { Endpoint } from "../snapshot/snapshot.ts";
import type { SnapshotStore } from "../snapshot/store.ts";
import { dialInTime } from "../upstream/dial.ts";
import type { PoolContext } from "../upstream/pool.ts";
import type { Upstreams } from "../upstream/upstreams.ts";
import { MAX_ENDPOINTS, noEndpoints } from "./refusals.ts";
import type { Acceptor, Served } from "./listener.ts";
import { toProxyError } from "./rescue.ts";
import { carry } from "./tcp_lane.ts";
import type { TcpBytes, TcpJournal } from "./tcp_journal.ts";

export interface TcpProxyOptions {
  /** Of the port, for logs. */
  readonly listener: string;
  readonly upstream: string;
  readonly store: SnapshotStore;
  readonly upstreams: Upstreams;
  readonly context: PoolContext;
  readonly clock: Clock;
  readonly journal: TcpJournal;
}

/** Pipes each connection to an endpoint of one upstream. */
export class TcpProxy implements Acceptor {
  readonly #options: TcpProxyOptions;
  readonly #bytes: TcpBytes;

  constructor(options: TcpProxyOptions) {
    this.#options = options;
    this.#bytes = options.journal.bytesOf(options.upstream);
  }

  accept(transport: Transport): TcpConnection {
    return new TcpConnection(transport, this.#options, this.#bytes);
  }

  /** Without a word: there is none that every protocol knows. */
  refuse(transport: Transport, error: ProxyError): void {
    transport.close();
    const { listener, upstream, journal } = this.#options;
    const { peer } = transport;
    const nothing = { endpoint: undefined, durationMs: 0, sent: 0, received: 0 };
    journal.write({ listener, upstream, peer, error, ...nothing });
  }
}

/*
 *  dialing --connected--> open --one half ends--> open --the other ends--> closed
 *     '--- nobody there, abort ---> closed <--- reset, idle timeout, abort ---'
 */
class TcpConnection implements Served {
  readonly #client: Transport;
  readonly #options: TcpProxyOptions;
  readonly #bytes: TcpBytes;
  readonly #startedAt: number;
  readonly #cancellation = new Cancellation();
  #upstream: Transport | undefined;
  #endpoint: string | undefined;
  #sent = 0;
  #received = 0;
  #failure: ProxyError | undefined;
  /** Goes up with whatever moves; a sweep compares. */
  #ticks = 0;
  #seenTicks = -1;
  #quietSince = 0;

  constructor(client: Transport, options: TcpProxyOptions, bytes: TcpBytes) {
    this.#client = client;
    this.#options = options;
    this.#bytes = bytes;
    this.#startedAt = options.clock.now();
  }

  async serve(): Promise<void> {
    try {
      this.#upstream = await this.#connect();
      await this.#carry(this.#upstream);
    } catch (error) {
      this.#fail(toProxyError(error));
    }
    this.#close();
    this.#report();
  }

  /** The next endpoint is tried when one cannot be reached: no byte was sent yet. Throws ProxyError. */
  async #connect(): Promise<Transport> {
    const { store, upstream, upstreams, context } = this.#options;
    const cluster = store.current.clusters.get(upstream);
    if (cluster === undefined) throw noEndpoints(upstream);
    const picker = upstreams.state(cluster).pickerOf(cluster);
    const unreachable: Endpoint[] = [];
    let failure = noEndpoints(upstream);
    while (unreachable.length < MAX_ENDPOINTS) {
      const endpoint = picker.pick(unreachable);
      if (endpoint === undefined) break;
      this.#endpoint = `${endpoint.host}:${endpoint.port}`;
      try {
        return await dialInTime({ host: endpoint.host, port: endpoint.port }, context, {
          cancellation: this.#cancellation,
          protocol: "tcp",
        });
      } catch (error) {
        this.#cancellation.throwIfCancelled();
        failure = toProxyError(error);
        unreachable.push(endpoint);
      }
    }
    throw failure;
  }

  /** Resolves when both halves are over, each in its own time. */
  async #carry(upstream: Transport): Promise<void> {
    this.#ticks++;
    await Promise.all([
      carry(this.#client, upstream, {
        onMoved: (bytes) => this.#onSent(bytes),
        onBroken: (side, cause) => this.#onBroken(side === "sender", cause),
      }),
      carry(upstream, this.#client, {
        onMoved: (bytes) => this.#onReceived(bytes),
        onBroken: (side, cause) => this.#onBroken(side === "receiver", cause),
      }),
    ]);
  }

  #onSent(bytes: number): void {
    this.#ticks++;
    this.#sent += bytes;
    this.#bytes.sent.add(bytes);
  }

  #onReceived(bytes: number): void {
    this.#ticks++;
    this.#received += bytes;
    this.#bytes.received.add(bytes);
  }

  #onBroken(isClient: boolean, cause: unknown): void {
    const [kind, side] = isClient
      ? ["downstream-gone", "downstream"] as const
      : ["upstream-reset", "upstream"] as const;
    this.#fail(new ProxyError(kind, `the ${side} broke the connection`, { side, cause }));
  }

  /** The first reason stays: what breaks because of it is no news. */
  #fail(error: ProxyError): void {
    this.#failure ??= error;
    this.#cancellation.cancel(error);
    this.#close();
  }

  #close(): void {
    this.#client.close();
    this.#upstream?.close();
  }

  #report(): void {
    const { listener, upstream, clock, journal } = this.#options;
    journal.write({
      listener,
      upstream,
      endpoint: this.#endpoint,
      peer: this.#client.peer,
      durationMs: clock.now() - this.#startedAt,
      sent: this.#sent,
      received: this.#received,
      error: this.#failure,
    });
  }

  /** Only its two ends know when it is done. */
  drain(): void {}

  abort(): void {
    const message = "the connection was cut by shutdown";
    this.#fail(new ProxyError("draining", message, { side: "local" }));
  }

  /** Making a connection has its own timeout. */
  sweep(nowMs: number): void {
    if (this.#upstream === undefined) return;
    if (this.#ticks !== this.#seenTicks) {
      this.#seenTicks = this.#ticks;
      this.#quietSince = nowMs;
      return;
    }
    const { tunnelIdleTimeoutMs } = this.#options.context.limits;
    if (nowMs - this.#quietSince < tunnelIdleTimeoutMs) return;
    this.#fail(new ProxyError("deadline", "the connection lay idle", { side: "local" }));
  }
}
