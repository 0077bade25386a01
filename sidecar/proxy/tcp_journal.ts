// What is told of raw TCP connections: a count by how they ended, the bytes both ways, and a line each where wanted.
import type { ProxyError } from "../errors.ts";
import type { TransportPeer } from "../net/transport.ts";
import type { Logger } from "../telemetry/log.ts";
import type { Counter, Family, Metrics } from "../telemetry/metrics.ts";

/** How one connection went. */
export interface TcpRecord {
  readonly listener: string;
  readonly upstream: string;
  readonly endpoint: string | undefined;
  readonly peer: TransportPeer;
  readonly durationMs: number;
  /** Bytes toward the upstream, and back. */
  readonly sent: number;
  readonly received: number;
  /** Why it did not end well. */
  readonly error: ProxyError | undefined;
}

/** The bytes of one upstream. */
export interface TcpBytes {
  readonly sent: Counter;
  readonly received: Counter;
}

/** Shared by all dedicated ports; made once a process. */
export class TcpJournal {
  readonly #log: Logger;
  readonly #access: "off" | "errors" | "all";
  readonly #connections: Family<Counter>;
  readonly #bytes: Family<Counter>;

  constructor(metrics: Metrics, log: Logger, access: "off" | "errors" | "all") {
    this.#log = log;
    this.#access = access;
    this.#connections = metrics.counter(
      "mesh_tcp_connections_total",
      "Raw TCP connections that ended, by upstream and by why.",
    );
    this.#bytes = metrics.counter(
      "mesh_tcp_bytes_total",
      "Bytes of raw TCP connections: sent to the upstream, received from it.",
    );
  }

  bytesOf(upstream: string): TcpBytes {
    return {
      sent: this.#bytes.with({ upstream, direction: "sent" }),
      received: this.#bytes.with({ upstream, direction: "received" }),
    };
  }

  /** That an upstream cannot be had is said also where nobody asked for lines. */
  write(record: TcpRecord): void {
    const { listener, upstream, endpoint, peer, durationMs, sent, received, error } = record;
    const reason = error?.kind ?? "none";
    this.#connections.with({ upstream, reason }).add();
    const about = { listener, upstream, endpoint, reason: error?.kind };
    const cause = error?.cause;
    if (error?.side === "upstream") this.#log.warn(error.message, { ...about, cause });
    if (this.#access === "off" || (this.#access === "errors" && error === undefined)) return;
    this.#log.info("connection", {
      ...about,
      durationMs: Math.round(durationMs * 100) / 100,
      sent,
      received,
      peer: `${peer.host}:${peer.port}`,
      error: error?.message,
    });
  }
}
