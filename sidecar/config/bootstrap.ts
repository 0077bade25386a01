// What a bootstrap document says once it is read: durations in milliseconds, sizes in bytes, every default filled in.
// Types only; schema.ts checks documents against them and load.ts reads files.

import type { AdaptiveLimitSettings } from "../lib/adaptive_limit.ts";
import type { UpstreamPolicy } from "./build_upstream.ts";
import type { AuthorizationConfig } from "./authorization_config.ts";
import type { InboundJwtConfig, JwtConfig, SigningConfig, TokenRuleConfig } from "./jwt_config.ts";

/** A TCP address. `host` is an IP literal (IPv6 without brackets) or a name. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** `count` events every `perMs` milliseconds; `10/s` is `{count: 10, perMs: 1000}`. */
export interface Rate {
  readonly count: number;
  readonly perMs: number;
}

/** How the app is asked: by GET, where 2xx is healthy, by grpc.health.v1, or whether it takes a connection. */
export type AppCheck =
  | { readonly kind: "http"; readonly path: string }
  | { readonly kind: "grpc"; readonly service: string }
  | { readonly kind: "tcp" };

export interface AppHealth {
  /** Every one must say that it is well. */
  readonly checks: readonly AppCheck[];
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** So many good answers in a row make it healthy again once it was not. */
  readonly healthyThreshold: number;
  /** So many bad ones in a row make it unhealthy. */
  readonly unhealthyThreshold: number;
  /** How long after the start bad answers are no news: the app is still coming up. */
  readonly startupGraceMs: number;
}

export interface App {
  /** Where it speaks HTTP/1.1. One of the two is there. */
  readonly http?: Address;
  /** Where it speaks HTTP/2: gRPC, and everything else where there is no `http`. */
  readonly grpc?: Address;
  readonly health: AppHealth;
}

export interface Service {
  readonly name: string;
  readonly version: string;
  readonly tags: readonly string[];
  /** What other sidecars are told to dial, without the port. */
  readonly address: string;
  /** Instance id, unique in the registry. Default NAME-PORT, PORT being the inbound port. */
  readonly id: string;
  /** Where it runs. */
  readonly zone?: string;
  /** 1 to 1000; absent: 1. */
  readonly weight?: number;
  /** Absent on a pure edge instance. */
  readonly app?: App;
}

export interface Listeners {
  readonly inbound: Address;
  readonly outbound: Address;
  readonly admin: Address;
  readonly health: Address;
}

export type RegistryConfig =
  | { readonly kind: "files"; readonly directory: string }
  | { readonly kind: "static"; readonly services: ReadonlyMap<string, readonly Address[]> }
  | ConsulConfig;

/** Where a Consul agent answers. */
export type ConsulAddress =
  | { readonly kind: "http" | "https"; readonly host: string; readonly port: number }
  | { readonly kind: "unix"; readonly path: string };

/** How an agent is spoken to. */
export interface ConsulConnection {
  readonly address: ConsulAddress;
  /** ACL token, itself or in a file that is read again when it changes. */
  readonly token?: string;
  readonly tokenFile?: string;
  readonly namespace?: string;
  /** PEM files for https. */
  readonly tls: { readonly ca?: string; readonly certificate?: string; readonly key?: string };
}

export interface ConsulConfig extends ConsulConnection {
  readonly kind: "consul";
  /** Absent: that of the agent. */
  readonly datacenter?: string;
  readonly failoverDatacenters: readonly string[];
  /** Any server may answer, not only the leader. */
  readonly isStale: boolean;
  /** How long after a restart of Consul endpoints that it does not name yet are kept. */
  readonly graceMs: number;
  readonly check: {
    readonly mode: "http" | "ttl";
    readonly intervalMs: number;
    readonly timeoutMs: number;
    readonly deregisterAfterMs: number;
  };
  readonly cacheDirectory: string;
}

/** Who this is to other sidecars, and whom it lets in. */
export interface IdentityConfig {
  /** Permissive takes and makes plain connections too. */
  readonly mode: "strict" | "permissive" | "off";
  readonly trustDomain: string;
  readonly namespace: string;
  readonly source: IdentitySourceConfig;
}

export type IdentitySourceConfig =
  | { readonly kind: "selfSigned"; readonly directory: string; readonly leafLifeMs: number }
  | {
    /** Paths of PEM files; they are watched. */
    readonly kind: "files";
    readonly certificate: string;
    readonly key: string;
    readonly trustBundle: string;
  }
  | ConnectConfig;

/** The authority of Consul Connect, which names trust domain and namespace itself. */
export interface ConnectConfig extends ConsulConnection {
  readonly kind: "consul";
  /** Where the last identity is kept. */
  readonly cacheDirectory: string;
}

export type PolicySourceConfig =
  | { readonly kind: "section" }
  | { readonly kind: "file"; readonly path: string }
  | EtcdConfig;

/** Which traces are kept. */
export interface TracingConfig {
  /** Of those that begin here: 0 to 1. */
  readonly sample: number;
  readonly keepsErrors: boolean;
  /** What takes as long is kept; 0: nothing for that. */
  readonly slowMs: number;
}

/** Where limits of scope `global` are counted. */
export interface RedisConfig {
  readonly host: string;
  readonly port: number;
  readonly isTls: boolean;
  readonly username?: string;
  readonly password?: string;
  /** Path of a PEM file. */
  readonly ca?: string;
  readonly database: number;
  /** What all keys begin with. */
  readonly prefix: string;
  /** How long a request waits for it. */
  readonly timeoutMs: number;
  /** Whether requests go on while it does not answer. */
  readonly whenAway: "open" | "closed";
}

/** How etcd is reached and where in it the mesh is. */
export interface EtcdConfig {
  readonly kind: "etcd";
  /** URLs, all http or all https. */
  readonly endpoints: readonly string[];
  /** Begins with a slash and does not end with one. */
  readonly prefix: string;
  readonly username?: string;
  readonly password?: string;
  /** Paths of PEM files, and the name that certificates must have in place of that of the endpoint. */
  readonly tls: {
    readonly ca?: string;
    readonly certificate?: string;
    readonly key?: string;
    readonly serverName?: string;
  };
  readonly cacheDirectory: string;
}

/** Limits of every HTTP listener; the defaults and their reasons stand in defaults.ts. */
export interface Limits {
  readonly headBytes: number;
  readonly headers: number;
  readonly requestLineBytes: number;
  readonly headTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly streamIdleTimeoutMs: number;
  readonly tunnelIdleTimeoutMs: number;
  /** Open downstream connections of one listener. */
  readonly connections: number;
  /** Streams open at once on one HTTP/2 connection. */
  readonly streams: number;
}

/** How often others may call the local app. */
export interface InboundRateLimit extends RateLimit {
  /** Empty: any. */
  readonly methods: readonly string[];
  readonly paths: readonly string[];
}

/** How much the local app may have to do at once. */
export interface ConcurrencyPolicy extends AdaptiveLimitSettings {
  /** In lower case. */
  readonly priorityHeader: string;
}

export interface InboundPolicy {
  /** Left out: everybody may call. */
  readonly authorization?: AuthorizationConfig;
  readonly jwt?: InboundJwtConfig;
  readonly rateLimits?: readonly InboundRateLimit[];
  /** Left out: as much at once as comes. */
  readonly concurrency?: ConcurrencyPolicy;
  readonly timeoutMs: number;
}

/** The dynamic document: section `policy` of the bootstrap, or the file that policySource names. */
export interface Policy {
  readonly upstreams: ReadonlyMap<string, UpstreamPolicy>;
  readonly inbound: InboundPolicy;
  /** For an edge alone. */
  readonly gateway?: EdgeConfig;
}

export interface Cors {
  /** Exact origins, or `*`. */
  readonly origins: readonly string[];
  readonly methods: readonly string[];
  readonly headers: readonly string[];
  readonly exposeHeaders: readonly string[];
  readonly credentials: boolean;
  readonly maxAgeMs: number;
}

export interface LoginConfig {
  readonly path: string;
  /** Claim name to the field of the login body it is taken from. */
  readonly claims: ReadonlyMap<string, string>;
  readonly expiresInMs: number;
  readonly verify:
    | { readonly kind: "passwordless" }
    | { readonly kind: "service"; readonly service: string; readonly path: string };
  readonly rateLimit: LoginRateLimit;
  readonly signing: SigningConfig;
  /** What the tokens say of where they come from and whom they are for. */
  readonly issuer?: string;
  readonly audience?: string;
}

/** Tries for one name from one client, and for one client. */
export interface LoginRateLimit {
  readonly user: { readonly rate: Rate; readonly burst: number };
  readonly client: { readonly rate: Rate; readonly burst: number };
}

export interface RateLimit {
  readonly rate: Rate;
  /** How many may come at once. */
  readonly burst: number;
  /** Requests with the same of all of these share a count. */
  readonly key: readonly RateKeyPart[];
  readonly algorithm: "token-bucket" | "gcra";
  /** Of the burst that one request takes. */
  readonly cost: number;
  /** `global`: counted by all instances together, through Redis. */
  readonly scope: "local" | "global";
}

/** Client address, authenticated user (client where there is none), calling service, a header, or nothing that differs. */
export type RateKeyPart =
  | { readonly kind: "client" | "user" | "caller" | "route" | "all" }
  | { readonly kind: "header"; readonly name: string };

export interface RouteMatch {
  /** `/exact`, `/prefix/*`, or with parameters `/users/{id}/orders`. */
  readonly path: string;
  /** Empty: any. */
  readonly methods: readonly string[];
  /** Every one must be present with this value; `*` is any value. Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  /** `api.example.com` or `*.example.com`; absent: any. */
  readonly host?: string;
}

export interface RouteConfig {
  readonly match: RouteMatch;
  readonly to: string;
  /** `/users/*` puts in what `*` matched; `{name}` puts in a parameter. Absent: the path goes on as it is. */
  readonly rewrite?: string;
  readonly auth: "none" | "jwt" | "optional";
  /** What the token must say besides. */
  readonly tokenRule?: TokenRuleConfig;
  readonly rateLimit?: RateLimit;
  /** In place of the upstream's; 0: no limit. */
  readonly timeoutMs?: number;
  readonly transcode?: TranscodeConfig;
}

/** REST and JSON turned into gRPC by the google.api.http rules of a schema. */
export interface TranscodeConfig {
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

/** Paths of PEM files; they are watched. */
export interface EdgeTlsConfig {
  /** By the names in each; the first answers for all others. */
  readonly certificates: readonly { readonly cert: string; readonly key: string }[];
  readonly clientCertificates?: { readonly trustBundle: string; readonly require: boolean };
  /** A plain port that sends clients to `httpsPort`, without it to the port of the edge. */
  readonly redirect?: { readonly bind: Address; readonly httpsPort?: number };
  readonly hsts?: HstsConfig;
}

/** Strict-Transport-Security (RFC 6797) on every answer. */
export interface HstsConfig {
  readonly maxAgeMs: number;
  readonly includesSubdomains: boolean;
  readonly isPreloaded: boolean;
}

/** What an edge does; in a policy document it stands in place of all of it in the bootstrap. */
export interface EdgeConfig {
  readonly cors?: Cors;
  readonly jwt?: JwtConfig;
  readonly login?: LoginConfig;
  readonly routes: readonly RouteConfig[];
}

export interface Gateway extends EdgeConfig {
  readonly bind: Address;
  /** Absent: plain HTTP. */
  readonly tls?: EdgeTlsConfig;
  /** CIDR blocks of proxies in front whose x-forwarded-* and x-request-id are believed. */
  readonly trustedProxies: readonly string[];
}

export interface LogConfig {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly format: "json" | "text";
  readonly access: "off" | "errors" | "all";
}

export interface Drain {
  /** After deregistering, how long callers get to notice before the listeners close. */
  readonly delayMs: number;
  /** How long requests under way may take to finish. */
  readonly timeoutMs: number;
}

export interface Bootstrap {
  readonly service: Service;
  readonly listeners: Listeners;
  readonly registry: RegistryConfig;
  readonly policySource: PolicySourceConfig;
  readonly redis?: RedisConfig;
  readonly tracing: TracingConfig;
  readonly policy: Policy;
  readonly identity: IdentityConfig;
  readonly gateway?: Gateway;
  readonly limits: Limits;
  readonly drain: Drain;
  readonly log: LogConfig;
}
