// What the mesh wants now: frozen data that control writes and the data path reads, captured once per exchange.
import type { Authorization } from "./authorization.ts";
import type { BalancerSettings, SplitPart, Subset } from "./balancer_settings.ts";
import type { ConcurrencySettings } from "./concurrency_settings.ts";
import type { RateSettings } from "./rate_settings.ts";
import type { EdgeSettings } from "./edge_settings.ts";
import type { InboundJwtSettings, TokenRule } from "../identity/jwt/settings.ts";
import type {
  BreakerSettings,
  EndpointCheckSettings,
  FallbackSettings,
  FaultSettings,
  HedgeSettings,
  LimitSettings,
  MirrorSettings,
  OutlierSettings,
} from "./resilience_settings.ts";
import type { RateLimitRule } from "./rate_limit_rule.ts";
import type { RouteRule, RouteTable } from "./route_table.ts";

/** One address of a cluster. */
export interface Endpoint {
  /** Registry id, unique in its cluster. */
  readonly id: string;
  readonly host: string;
  readonly port: number;
  readonly tags: readonly string[];
  readonly meta: Readonly<Record<string, string>>;
}

/** What may be worth another try: no connection, one that broke before an answer, 502 to 504, or gRPC's UNAVAILABLE. */
export type RetryOn = "connect" | "reset" | "gateway-error" | "grpc-unavailable";

/** When a request is sent once more, and how often. */
export interface RetrySettings {
  /** Tries in all, the first one included. */
  readonly attempts: number;
  readonly on: readonly RetryOn[];
  /** How long one try may take to answer; left out: as long as there is time. */
  readonly perTryTimeoutMs?: number;
  /** The wait between two tries. */
  readonly backoff: { readonly minMs: number; readonly maxMs: number };
  /** Retries in proportion to requests, so that they cannot multiply a failure: 0.2 is one in five. */
  readonly budget: number;
}

/** What the operator says of one upstream. */
export interface UpstreamSettings {
  /** What its endpoints speak; `tcp` is bytes that nobody reads, for a dedicated port. */
  readonly protocol: "auto" | "http1" | "http2" | "tcp";
  /** `mesh`, also where absent: by mTLS as far as this sidecar has an identity; `none`: plain; `origin`: TLS as in the web. */
  readonly tls?: "mesh" | "none" | "origin";
  readonly loadBalancer: BalancerSettings;
  /** By name, for `split`. */
  readonly subsets?: ReadonlyMap<string, Subset>;
  /** Left out: all endpoints alike. */
  readonly split?: readonly SplitPart[];
  readonly circuitBreaker?: BreakerSettings;
  readonly outlier?: OutlierSettings;
  /** Left out: as many as any. */
  readonly limits?: LimitSettings;
  readonly healthCheck?: EndpointCheckSettings;
  readonly fallback?: FallbackSettings;
  readonly hedge?: HedgeSettings;
  readonly fault?: FaultSettings;
  readonly mirror?: MirrorSettings;
  /** How long the head of a response may take once the request was sent; 0: no limit. */
  readonly timeoutMs: number;
  /** Left out: a request is sent again only where nobody can have worked on it. */
  readonly retry?: RetrySettings;
  /** A local port dedicated to this upstream. */
  readonly bind?: { readonly host: string; readonly port: number };
}

/** A named upstream service as the proxy sees it. */
export interface Cluster extends UpstreamSettings {
  readonly name: string;
  /** Healthy endpoints, sorted by id. */
  readonly endpoints: readonly Endpoint[];
}

/** How JSON becomes gRPC: where the schema comes from, and what its JSON looks like. */
export interface TranscodeSettings {
  readonly from:
    | {
      readonly kind: "protos";
      readonly paths: readonly string[];
      readonly include: readonly string[];
    }
    | { readonly kind: "set"; readonly path: string }
    | { readonly kind: "reflection" };
  readonly options: {
    readonly maxMessageBytes: number;
    readonly emitDefaults: boolean;
    readonly keepProtoNames: boolean;
    readonly enumsAsNumbers: boolean;
    readonly ignoreUnknownFields: boolean;
    readonly ignoreUnknownParameters: boolean;
  };
}

/** One way through the gateway. */
export interface Route extends RouteRule {
  readonly to: string;
  readonly auth: "none" | "jwt" | "optional";
  /** What the token must say besides. */
  readonly tokenRule?: TokenRule;
  readonly rateLimit?: RateSettings;
  readonly timeoutMs?: number;
  readonly transcode?: TranscodeSettings;
}

/** One compiled state of the mesh. */
export interface Snapshot {
  /** Goes up by one with every published change. */
  readonly revision: number;
  /** The policy document this was compiled from. */
  readonly policyRevision: string;
  readonly clusters: ReadonlyMap<string, Cluster>;
  /** Applies to upstreams that the policy does not name. */
  readonly defaultUpstream: UpstreamSettings;
  /** The local app as a cluster of one endpoint; absent on a pure edge. */
  readonly app: Cluster | undefined;
  /** Where the app has its gRPC calls, if elsewhere than the rest. */
  readonly grpcApp: Cluster | undefined;
  /** Who may call the local app; absent: everybody. */
  readonly authorization: Authorization | undefined;
  /** How tokens of calls to the local app are checked; undefined: not at all. */
  readonly inboundJwt: InboundJwtSettings | undefined;
  /** How often others may call the local app. */
  readonly inboundRateLimits: readonly RateLimitRule[];
  /** How much the local app may have to do at once; undefined: whatever comes. */
  readonly inboundConcurrency: ConcurrencySettings | undefined;
  /** What the gateway does besides choosing a route; undefined elsewhere. */
  readonly edge: Omit<EdgeSettings, "routes"> | undefined;
  /** Routes of the gateway; empty elsewhere. */
  readonly routes: RouteTable<Route>;
}
