// The edge listener's whole data path between transports in memory: what an exchange costs without the kernel.
import { AccessLog } from "../../sidecar/filters/access_log.ts";
import { Forwarded } from "../../sidecar/filters/forwarded.ts";
import { RateLimit } from "../../sidecar/filters/rate_limit.ts";
import { RequestMetrics } from "../../sidecar/filters/request_metrics.ts";
import { StripIdentity } from "../../sidecar/filters/strip_identity.ts";
import { Http1ServerConnection } from "../../sidecar/http1/server_connection.ts";
import { DEFAULT_HTTP2_LIMITS } from "../../sidecar/http2/limits.ts";
import { latin1Bytes } from "../../sidecar/lib/bytes.ts";
import { systemClock } from "../../sidecar/lib/clock.ts";
import { Sweeper } from "../../sidecar/lib/sweeper.ts";
import { Timeouts } from "../../sidecar/lib/timeouts.ts";
import type { Transport } from "../../sidecar/net/transport.ts";
import { Forwarder } from "../../sidecar/proxy/forward.ts";
import { Pipeline } from "../../sidecar/proxy/pipeline.ts";
import { EdgeRouter, PathNormalizer } from "../../sidecar/proxy/routers.ts";
import { compileSnapshot } from "../../sidecar/snapshot/compile.ts";
import { SnapshotStore } from "../../sidecar/snapshot/store.ts";
import { Logger } from "../../sidecar/telemetry/log.ts";
import { Metrics } from "../../sidecar/telemetry/metrics.ts";
import { DEFAULT_POOL_LIMITS } from "../../sidecar/upstream/pool.ts";
import { Upstreams } from "../../sidecar/upstream/upstreams.ts";
import { requestHeaders, requestText, WORKLOADS } from "./workloads.ts";

export const LIMITS = {
  requestLineBytes: 16_384,
  headBytes: 65_536,
  headers: 100,
  headTimeoutMs: 10_000,
  idleTimeoutMs: 60_000,
  tunnelIdleTimeoutMs: 3_600_000,
};

const TOKEN =
  "eyJhbGciOiJIUzI1NiJ9.eyJ1c2VyX2lkIjoiMTIzIn0.c2lnbmF0dXJlIG9mIDMyIGJ5dGVzIG9yIHNvLi4";

export const REQUEST: Uint8Array = latin1Bytes(
  requestText(WORKLOADS[0]!, "/api/users/123", requestHeaders(TOKEN)),
);

export const RESPONSE: Uint8Array = latin1Bytes(
  "HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate: Sun, 22 Nov 2026 15:26:31 GMT\r\n" +
    "Content-Type: application/json\r\nContent-Length: 128\r\nConnection: keep-alive\r\n\r\n" +
    "x".repeat(128),
);

/** Gives what it is fed to who reads, and tells of what is written. */
class MemoryTransport implements Transport {
  readonly peer = { host: "127.0.0.1", port: 1 };
  readonly isWriting = false;
  onWrite: () => void = () => {};
  #fed: Uint8Array | undefined;
  #buffer: Uint8Array | undefined;
  #resolve: ((count: number) => void) | undefined;

  feed(bytes: Uint8Array): void {
    this.#fed = bytes;
    this.#give();
  }

  read(buffer: Uint8Array<ArrayBuffer>): Promise<number> {
    return new Promise((resolve) => {
      this.#buffer = buffer;
      this.#resolve = resolve;
      this.#give();
    });
  }

  #give(): void {
    const [fed, resolve] = [this.#fed, this.#resolve];
    if (fed === undefined || resolve === undefined) return;
    this.#fed = this.#resolve = undefined;
    this.#buffer!.set(fed);
    resolve(fed.length);
  }

  write(): Promise<void> {
    this.onWrite();
    return Promise.resolve();
  }

  closeWrite(): void {}

  close(): void {}
}

const UPSTREAM = {
  protocol: "auto",
  loadBalancer: {
    algorithm: "round-robin",
    slowStartMs: 0,
    panicThreshold: 0.5,
    isZoneAware: true,
  },
  timeoutMs: 15_000,
} as const;

function oneRoute() {
  return compileSnapshot({
    policyRevision: "bench",
    upstreams: new Map(),
    defaultUpstream: UPSTREAM,
    endpoints: new Map([
      ["user-service", [{ id: "a", host: "127.0.0.1", port: 1, tags: [], meta: {} }]],
    ]),
    app: undefined,
    home: { trustDomain: "mesh.local", namespace: "default" },
    edge: {
      routes: [{
        match: { path: "/api/users/*", methods: [], headers: new Map() },
        to: "user-service",
        rewrite: "/users/*",
        auth: "none",
      }],
    },
  });
}

/** One client connection to an edge with the default policies, and an upstream that answers at once. */
export class MemoryEdge {
  readonly #client = new MemoryTransport();

  constructor() {
    const clock = systemClock;
    const timeouts = new Timeouts(clock);
    const limits = { ...LIMITS, ...DEFAULT_POOL_LIMITS, http2: DEFAULT_HTTP2_LIMITS };
    const context = { clock, limits, timeouts, sweeper: new Sweeper(clock), dial: dialMemory };
    const log = new Logger({ level: "info", format: "json", write: () => {}, now: () => 0 });
    const handler = new Pipeline({
      listener: "edge",
      stages: [
        new RequestMetrics(new Metrics(), clock),
        new AccessLog(log, clock, "errors"),
        new Forwarded({
          pseudonym: "edge-15006-edge",
          trustedProxies: [],
          newRequestId: () => crypto.randomUUID(),
        }),
        new PathNormalizer(),
        new EdgeRouter(),
        new StripIdentity(),
        new RateLimit(),
      ],
      forwarder: new Forwarder({
        upstreams: new Upstreams(context),
        timeouts,
        clock,
        random: Math.random,
      }),
      store: new SnapshotStore(oneRoute()),
      clock,
      log,
      onRefused: () => {},
    });
    new Http1ServerConnection(this.#client, handler, LIMITS).serve();
  }

  /** Resolves when the response to one request was written. */
  exchange(): Promise<void> {
    return new Promise((resolve) => {
      this.#client.onWrite = resolve;
      this.#client.feed(REQUEST);
    });
  }
}

function dialMemory(): Promise<Transport> {
  const transport = new MemoryTransport();
  transport.onWrite = () => transport.feed(RESPONSE);
  return Promise.resolve(transport);
}
