// Part of the composition root: puts each proxy port together, its stages in the order of DESIGN section 6.
import type { Mesh } from "./app_identity.ts";
import type { EdgeParts } from "./app_edge.ts";
import type { Tokens } from "./app_jwt.ts";
import type { Address, Bootstrap } from "./config/bootstrap.ts";
import { AccessLog } from "./filters/access_log.ts";
import { Authorize } from "./filters/authorization.ts";
import { ClientCertificate } from "./filters/client_certificate.ts";
import type { Filter, ListenerKind } from "./filters/filter.ts";
import { Forwarded, type ForwardedOptions } from "./filters/forwarded.ts";
import { Hsts } from "./filters/hsts.ts";
import { InboundRateLimit } from "./filters/inbound_rate_limit.ts";
import { RateLimit } from "./filters/rate_limit.ts";
import { AdaptiveConcurrency } from "./filters/concurrency.ts";
import type { Tracing } from "./filters/tracing.ts";
import type { SharedCounter } from "./filters/rate_counter.ts";
import type { Journal } from "./telemetry/journal.ts";
import { JournalFilter } from "./filters/journal.ts";
import { RequestMetrics, type Traffic } from "./filters/request_metrics.ts";
import { StripIdentity } from "./filters/strip_identity.ts";
import { identityFiles } from "./identity/files_io.ts";
import { DEFAULT_HTTP2_LIMITS } from "./http2/limits.ts";
import type { Clock } from "./lib/clock.ts";
import { newRequestId } from "./lib/request_id.ts";
import type { Sweeper } from "./lib/sweeper.ts";
import type { Forwarder } from "./proxy/forward.ts";
import { GrpcEdge, type TranscoderOf } from "./proxy/grpc_edge.ts";
import type { DownstreamLimits } from "./proxy/downstream.ts";
import { HttpAcceptor } from "./proxy/http_acceptor.ts";
import { type Acceptor, ProxyListener, type ProxyListenerOptions } from "./proxy/listener.ts";
import { Pipeline, type Stage } from "./proxy/pipeline.ts";
import { HttpsRedirect } from "./proxy/redirect.ts";
import {
  DedicatedRouter,
  type Discover,
  EdgeRouter,
  InboundRouter,
  OutboundRouter,
  PathNormalizer,
} from "./proxy/routers.ts";
import { TcpJournal } from "./proxy/tcp_journal.ts";
import { TcpProxy } from "./proxy/tcp_proxy.ts";
import type { Cluster } from "./snapshot/snapshot.ts";
import type { SnapshotStore } from "./snapshot/store.ts";
import type { Logger } from "./telemetry/log.ts";
import type { Counter, Family, Metrics } from "./telemetry/metrics.ts";
import type { PoolContext } from "./upstream/pool.ts";
import type { Upstreams } from "./upstream/upstreams.ts";

export interface ListenerParts {
  readonly bootstrap: Bootstrap;
  readonly store: SnapshotStore;
  readonly forwarder: Forwarder;
  readonly upstreams: Upstreams;
  readonly poolContext: PoolContext;
  readonly transcoderOf: TranscoderOf;
  readonly discover: Discover;
  readonly tokens: Tokens;
  readonly edge: EdgeParts;
  readonly sharedLimit: SharedCounter | undefined;
  /** Undefined: nobody collects traces. */
  readonly tracing: Tracing | undefined;
  readonly journal: Journal;
  readonly metrics: Metrics;
  readonly sweeper: Sweeper;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Opens the proxy ports of one sidecar. Every method throws ListenError where its address cannot be had. */
export class ListenerFactory {
  readonly #parts: ListenerParts;
  readonly #tail = crypto.randomUUID().slice(0, 8);
  readonly #requestMetrics: RequestMetrics;
  readonly #authorize: Authorize;
  readonly #concurrency: AdaptiveConcurrency;
  readonly #refused: Family<Counter>;
  readonly #tcpJournal: TcpJournal;

  constructor(parts: ListenerParts) {
    this.#parts = parts;
    this.#requestMetrics = new RequestMetrics(parts.metrics, parts.clock);
    this.#authorize = new Authorize(parts.log, parts.metrics);
    this.#concurrency = new AdaptiveConcurrency(parts.metrics, parts.clock);
    this.#refused = parts.metrics.counter(
      "mesh_refused_total",
      "Connections and bytes that never became a request, by reason.",
    );
    this.#tcpJournal = new TcpJournal(parts.metrics, parts.log, parts.bootstrap.log.access);
  }

  /** What has become of requests at all ports. */
  get traffic(): Traffic {
    return { ...this.#requestMetrics.traffic };
  }

  /** With a `mesh`, callers prove who they are; a plain one, where it may come at all, says nothing about users. */
  openInbound(mesh: Mesh | undefined): ProxyListener | Promise<ProxyListener> {
    const { bootstrap: { listeners: { inbound } } } = this.#parts;
    const stages = [
      this.#forwarded("inbound", { hasProof: mesh !== undefined }),
      this.#parts.tokens.inbound,
      this.#authorize,
      new InboundRateLimit(this.#parts.sharedLimit),
      this.#concurrency,
      new InboundRouter(),
    ];
    if (mesh === undefined) return this.#open("inbound", "inbound", inbound, stages);
    const proven = [new StripIdentity({ from: "anonymous" }), ...stages];
    const acceptor = this.#acceptor("inbound", proven);
    return ProxyListener.open(
      this.#options("inbound", inbound, acceptor),
      (address, events) => mesh.listen(address, events),
    );
  }

  openOutbound(): ProxyListener {
    const { bootstrap, store, discover } = this.#parts;
    const stages = [this.#forwarded("outbound"), new OutboundRouter(store, discover)];
    return this.#open("outbound", "outbound", bootstrap.listeners.outbound, stages);
  }

  /** The port that policy dedicates to one upstream. */
  openDedicated({ name, protocol }: Cluster, address: Address): ProxyListener {
    const listener = `outbound to ${name}`;
    if (protocol === "tcp") return this.#listen(listener, address, this.#tcpProxy(listener, name));
    const stages = [this.#forwarded("outbound"), new DedicatedRouter(name)];
    return this.#open(listener, "outbound", address, stages);
  }

  #tcpProxy(listener: string, upstream: string): TcpProxy {
    const { store, upstreams, poolContext: context, clock } = this.#parts;
    const journal = this.#tcpJournal;
    return new TcpProxy({ listener, upstream, store, upstreams, context, clock, journal });
  }

  async openEdge(gateway: NonNullable<Bootstrap["gateway"]>): Promise<ProxyListener> {
    const { bind, tls } = gateway;
    const stages = this.#edgeStages();
    if (tls === undefined) return this.#open("edge", "edge", bind, stages);
    const { clock, log, metrics } = this.#parts;
    const secure = tls.hsts === undefined ? stages : [new Hsts(tls.hsts), ...stages];
    const { listenEdge } = await import("./app_tls.ts");
    const handshakes = metrics.counter(
      "mesh_edge_handshakes_total",
      "Connections to the edge under TLS: tls, plain, or why they were refused.",
    );
    return await ProxyListener.open(
      this.#options("edge", bind, this.#acceptor("edge", secure, "https")),
      (address, events) =>
        listenEdge(address, events, { tls, files: identityFiles, clock, log, handshakes }),
    );
  }

  /** The plain port beside an edge under TLS; it sends clients to `httpsPort`. */
  openRedirect(address: Address, httpsPort: number): ProxyListener {
    const stages = [this.#forwarded("edge"), new HttpsRedirect(httpsPort)];
    return this.#open("redirect", "edge", address, stages);
  }

  /** CORS, JWT, rate limit, route. The table is asked before the rules, because the route holds them. */
  #edgeStages(): Stage[] {
    const { transcoderOf, tokens, edge, sharedLimit } = this.#parts;
    return [
      this.#forwarded("edge"),
      new ClientCertificate(),
      edge.cors,
      new PathNormalizer(),
      edge.login,
      new EdgeRouter(),
      tokens.edge,
      new RateLimit(sharedLimit),
      new GrpcEdge(transcoderOf),
    ];
  }

  #forwarded(listener: ListenerKind, more: Pick<ForwardedOptions, "hasProof"> = {}): Filter {
    const { service, gateway } = this.#parts.bootstrap;
    return new Forwarded({
      // The tail tells this process from one of the same name and port on another host.
      pseudonym: `${service.id}-${listener}-${this.#tail}`,
      trustedProxies: listener === "edge" ? gateway?.trustedProxies ?? [] : [],
      ...more,
      newRequestId,
    });
  }

  #open(
    name: string,
    kind: ListenerKind,
    address: Address,
    stages: readonly Stage[],
  ): ProxyListener {
    return this.#listen(name, address, this.#acceptor(kind, stages));
  }

  #acceptor(
    kind: ListenerKind,
    stages: readonly Stage[],
    scheme: "http" | "https" = "http",
  ): HttpAcceptor {
    const { bootstrap, store, forwarder, clock, log, tracing, journal } = this.#parts;
    const { access } = bootstrap.log;
    const first: Stage[] = [
      this.#requestMetrics,
      new JournalFilter(journal, clock),
      ...(access === "off" ? [] : [new AccessLog(log, clock, access)]),
      ...(tracing === undefined ? [] : [tracing]),
    ];
    const handler = new Pipeline({
      listener: kind,
      stages: [...first, ...stages],
      forwarder,
      store,
      clock,
      log,
      onRefused: (reason) => this.#refused.with({ listener: kind, reason }).add(),
    });
    return new HttpAcceptor(handler, listenerLimits(bootstrap), scheme);
  }

  #listen(name: string, address: Address, acceptor: Acceptor): ProxyListener {
    return new ProxyListener(this.#options(name, address, acceptor));
  }

  #options(name: string, address: Address, acceptor: Acceptor): ProxyListenerOptions {
    const { bootstrap: { limits: { connections } }, sweeper, log } = this.#parts;
    return { name, address, acceptor, connections, sweeper, log };
  }
}

/** The operator's limits in the codec's words. */
export function listenerLimits({ limits }: Bootstrap): DownstreamLimits {
  const {
    headBytes,
    headers,
    headTimeoutMs,
    idleTimeoutMs,
    streamIdleTimeoutMs,
    streams,
    ...rest
  } = limits;
  const http2 = {
    ...DEFAULT_HTTP2_LIMITS,
    headBytes,
    headFields: headers,
    concurrentStreams: streams,
    headTimeoutMs,
    idleTimeoutMs,
    streamIdleTimeoutMs,
    tunnelIdleTimeoutMs: rest.tunnelIdleTimeoutMs,
  };
  return { ...rest, headBytes, headers, headTimeoutMs, idleTimeoutMs, http2 };
}
