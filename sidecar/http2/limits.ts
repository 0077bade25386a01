// What one HTTP/2 connection may cost us, and how patient we are with its peer.

export interface Http2Limits {
  /** One header or trailer list, counted as RFC 9113 6.5.2 does; also what we advertise. */
  readonly headBytes: number;
  /** Fields in one list, pseudo-fields included. */
  readonly headFields: number;
  /** Streams open at once, and requests being worked on at once; what a server advertises, and a client's own bound. */
  readonly concurrentStreams: number;
  /** Bytes of one stream that are here and not yet read. */
  readonly streamWindowBytes: number;
  /** The same for all streams of a connection together: the most that a peer can make us hold. */
  readonly connectionWindowBytes: number;
  /** The preface, and a field block that began, must be whole within this time. */
  readonly headTimeoutMs: number;
  /** A connection may stay without streams this long (server role). */
  readonly idleTimeoutMs: number;
  /** A body that is waited for, or a peer that stopped reading one, may stand still this long. */
  readonly streamIdleTimeoutMs: number;
  /** The same for a tunnel, which may have nothing to say for long. */
  readonly tunnelIdleTimeoutMs: number;
  /** A connection with streams that is silent this long is asked by PING whether it lives (client role). */
  readonly keepAliveMs: number;
  /** No answer to a PING of ours within this time: the connection is dead. */
  readonly pingTimeoutMs: number;
  /** Streams that a peer may waste within `floodWindowMs`: reset by it, or by us for its fault. */
  readonly resetsPerWindow: number;
  /** Frames that carry nothing and that a peer may send within `floodWindowMs` beyond those that its traffic explains. */
  readonly controlFramesPerWindow: number;
  readonly floodWindowMs: number;
}

/** Unless told otherwise. */
export const DEFAULT_HTTP2_LIMITS: Http2Limits = {
  /** As for HTTP/1.1: room for several tokens and cookies, and what Envoy and Go are near to (60 KiB, 1 MiB). */
  headBytes: 65536,
  /** As for HTTP/1.1. */
  headFields: 100,
  /** More on one connection gain nothing; a client that wants more opens another, which balances better. */
  concurrentStreams: 1000,
  /** 250 MB/s for one stream at 1 ms of round trip, and 1,000 stalled readers are still bounded by the next number. */
  streamWindowBytes: 262_144,
  /** 32 stalled readers at their full windows before they slow anybody; 8 MiB is what one hostile peer can pin. */
  connectionWindowBytes: 8_388_608,
  /** As for the head of HTTP/1.1. */
  headTimeoutMs: 10_000,
  /** Longer than any pool of clients keeps a connection without use. */
  idleTimeoutMs: 300_000,
  /** What Envoy grants a silent stream: long enough for watches that say something now and then. */
  streamIdleTimeoutMs: 300_000,
  /** As for HTTP/1.1: config/defaults.ts says why. */
  tunnelIdleTimeoutMs: 3_600_000,
  /** Below the idle timeouts of NATs and load balancers (60 s and more), above what gRPC servers call too many pings. */
  keepAliveMs: 30_000,
  /** Three lost packets in a row, with their retransmission timeouts, still fit. */
  pingTimeoutMs: 10_000,
  /** All open streams may be given up at once, as when a deadline strikes; an attack needs thousands a second. */
  resetsPerWindow: 1000,
  /** Far above what any client sends unprompted (gRPC: a PING now and then), far below what hurts. */
  controlFramesPerWindow: 1000,
  /** Long enough that a burst is not a flood, short enough that a busy client is forgiven soon. */
  floodWindowMs: 10_000,
};
