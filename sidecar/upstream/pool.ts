// What a pool of connections to one endpoint is, whatever they speak, and what it is made of. Types and limits only.
import { ProxyError } from "../errors.ts";
import type { ClientLimits } from "../http1/client_connection.ts";
import type { Http2Limits } from "../http2/limits.ts";
import type { Clock } from "../lib/clock.ts";
import type { Cancellation } from "../lib/cancellation.ts";
import type { Sweeper } from "../lib/sweeper.ts";
import type { Timeouts } from "../lib/timeouts.ts";
import type { Transport } from "../net/transport.ts";
import type { ClientConnection } from "./client_connection.ts";

export interface PoolLimits extends ClientLimits {
  /** Connections of one endpoint, idle and busy. */
  readonly connections: number;
  /** Exchanges waiting for one of them. */
  readonly pending: number;
  readonly connectTimeoutMs: number;
  readonly http2: Http2Limits;
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

/** Who must answer: a service of the mesh by mTLS, the owner of the host's name by TLS as in the web, or anybody. */
export type Security =
  | { readonly kind: "mesh"; readonly service: string }
  | { readonly kind: "origin" }
  | { readonly kind: "plain" };

/** Where to connect, and who must answer there; without `security`, anybody. */
export interface Address {
  readonly host: string;
  readonly port: number;
  readonly security?: Security;
}

/** What a connection is going to be used for. */
export type DialProtocol = "http1" | "http2" | "tcp";

export interface PoolContext {
  readonly clock: Clock;
  readonly limits: PoolLimits;
  readonly timeouts: Timeouts;
  readonly sweeper: Sweeper;
  /** `signal` is aborted when the connection is not wanted any more, so that what cannot be reached piles up nothing. */
  dial(address: Address, signal: AbortSignal, protocol: DialProtocol): Promise<Transport>;
  /** Which endpoints are met by mTLS: all of the mesh, those that announce it, or none. */
  readonly mtls?: "strict" | "permissive" | "off";
}

export interface PoolSize {
  readonly idle: number;
  readonly busy: number;
  readonly pending: number;
}

export interface Pool {
  /** The address as `HOST:PORT`. */
  readonly name: string;
  readonly address: Address;
  readonly size: PoolSize;
  readonly isOpen: boolean;
  /** No connection is left, none is being made and nobody waits for one. */
  readonly isEmpty: boolean;
  /** A connection with room for an exchange, without waiting; undefined when there is none. */
  take(): ClientConnection | undefined;
  /**
   * A new connection, or the next with room when their number is used up.
   * Throws ProxyError `connect-failed`, `connect-timeout`, `overloaded` or `draining`, or the reason of a cancellation.
   */
  connect(cancellation: Cancellation): Promise<ClientConnection>;
  /** Takes back a connection on which nothing was sent. */
  giveBack(connection: ClientConnection): void;
  /** Closes what is idle now, and what is busy as it comes free. */
  drain(): void;
  /** Cuts everything. */
  close(): void;
}

export function shuttingDown(): ProxyError {
  return new ProxyError("draining", "the sidecar is shutting down", { side: "local" });
}
