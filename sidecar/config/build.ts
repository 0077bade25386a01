// A sound document -> the frozen Bootstrap or Policy. Derived defaults are worked out here, and nothing is checked.
import { isLoopback, isWildcard } from "./addresses.ts";
import type {
  App,
  AppCheck,
  Bootstrap,
  IdentityConfig,
  Listeners,
  Policy,
  PolicySourceConfig,
  RedisConfig,
  RegistryConfig,
  Service,
} from "./bootstrap.ts";
import { buildAuthorization } from "./build_authorization.ts";
import { buildEtcd } from "./build_etcd.ts";
import { buildConnect, buildConsul } from "./build_consul.ts";
import { buildEdge, buildGateway } from "./build_gateway.ts";
import { buildInboundJwt } from "./build_jwt.ts";
import { buildUpstream, type UpstreamPolicy } from "./build_upstream.ts";
import type { BootstrapDocument } from "./schema/bootstrap.ts";
import { selfSigned as selfSignedSection } from "./schema/identity.ts";
import type { RegistryDocument } from "./schema/registry.ts";
import type { PolicyDocument } from "./schema/policy.ts";
import { upstream } from "./schema/upstream.ts";

/** The bootstrap that the document means. */
export function buildBootstrap(document: BootstrapDocument, policy: PolicyDocument): Bootstrap {
  const { listeners, limits, drain, gateway } = document;
  return deepFreeze({
    service: buildService(document.service, listeners),
    listeners,
    registry: buildRegistry(document.registry),
    policySource: buildPolicySource(document.policySource),
    ...buildRedis(document.redis),
    tracing: {
      sample: document.tracing.sample,
      keepsErrors: document.tracing.errors,
      slowMs: document.tracing.slow,
    },
    policy: buildPolicy(policy),
    identity: buildIdentity(document.identity, document.registry),
    ...(gateway === undefined ? {} : { gateway: buildGateway(gateway) }),
    limits: {
      headBytes: limits.head,
      headers: limits.headers,
      requestLineBytes: limits.requestLine,
      headTimeoutMs: limits.headTimeout,
      idleTimeoutMs: limits.idleTimeout,
      streamIdleTimeoutMs: limits.streamIdleTimeout,
      tunnelIdleTimeoutMs: limits.tunnelIdleTimeout,
      connections: limits.connections,
      streams: limits.streams,
    },
    drain: { delayMs: drain.delay, timeoutMs: drain.timeout },
    log: document.log,
  });
}

/** The policy that the document means. */
export function buildPolicy(document: PolicyDocument): Policy {
  const upstreams = Object.entries(document.upstreams)
    .map(([name, upstream]) => [name, buildUpstream(upstream)] as const);
  return deepFreeze({
    upstreams: new Map(upstreams),
    inbound: buildInbound(document.inbound),
    ...(document.gateway === undefined ? {} : { gateway: buildEdge(document.gateway) }),
  });
}

function buildInbound(
  { timeout, jwt, authorization, rateLimits, concurrency }: PolicyDocument["inbound"],
): Policy["inbound"] {
  return {
    timeoutMs: timeout,
    ...(jwt === undefined ? {} : { jwt: buildInboundJwt(jwt) }),
    ...(authorization === undefined ? {} : { authorization: buildAuthorization(authorization) }),
    ...(rateLimits === undefined ? {} : {
      rateLimits: rateLimits.map((limit) => ({ ...limit, burst: limit.burst ?? limit.rate.count })),
    }),
    ...(concurrency === undefined ? {} : {
      concurrency: { ...concurrency, priorityHeader: concurrency.priorityHeader.toLowerCase() },
    }),
  };
}

/** What the edge waits for an upstream that the policy does not name: a caller outside is less patient. */
const EDGE_TIMEOUT_MS = 5000;

/** How an upstream that the policy does not name is called. */
export function defaultUpstream({ isEdge }: { readonly isEdge: boolean }): UpstreamPolicy {
  const inside = buildUpstream(upstream.parse({}));
  return deepFreeze(isEdge ? { ...inside, timeoutMs: EDGE_TIMEOUT_MS } : inside);
}

function buildService(service: BootstrapDocument["service"], listeners: Listeners): Service {
  const { name, version, app, zone, weight } = service;
  return {
    name,
    version,
    tags: service.tags ?? [version],
    address: service.address ?? reachableHost(listeners.inbound.host),
    id: service.id ?? `${name}-${listeners.inbound.port}`,
    ...(zone === undefined ? {} : { zone }),
    ...(weight === undefined ? {} : { weight }),
    ...(app === undefined ? {} : { app: buildApp(app) }),
  };
}

/** What can be dialled is what is listened on; a wildcard is left only where there is no app to announce. */
function reachableHost(inbound: string): string {
  return isWildcard(inbound) || (isLoopback(inbound) && !inbound.includes(":"))
    ? "127.0.0.1"
    : inbound;
}

function buildApp(
  { http, grpc, health }: NonNullable<BootstrapDocument["service"]["app"]>,
): App {
  return {
    ...(http === undefined ? {} : { http }),
    ...(grpc === undefined ? {} : { grpc }),
    health: {
      checks: buildChecks({ http, grpc, health }),
      intervalMs: health.interval,
      timeoutMs: health.timeout,
      healthyThreshold: health.healthyThreshold,
      unhealthyThreshold: health.unhealthyThreshold,
      startupGraceMs: health.startupGrace,
    },
  };
}

/** What is asked for; where nothing is, by GET, or by grpc.health.v1 where the app has gRPC alone. */
function buildChecks(
  { http, health }: NonNullable<BootstrapDocument["service"]["app"]>,
): AppCheck[] {
  const isAsked = health.http !== undefined || health.grpc !== undefined || health.tcp === true;
  const path = health.http ?? (!isAsked && http !== undefined ? "/health" : undefined);
  const service = health.grpc ?? (!isAsked && http === undefined ? "" : undefined);
  return [
    ...(path === undefined ? [] : [{ kind: "http", path } as const]),
    ...(service === undefined ? [] : [{ kind: "grpc", service } as const]),
    ...(health.tcp === true ? [{ kind: "tcp" } as const] : []),
  ];
}

function buildRegistry(registry: RegistryDocument): RegistryConfig {
  const { files, static: fixed, consul } = registry;
  if (consul !== undefined) return buildConsul(consul);
  return files === undefined
    ? { kind: "static", services: new Map(Object.entries(fixed ?? {})) }
    : { kind: "files", directory: files.directory };
}

function buildIdentity(
  { selfSigned, files, consul, ...same }: BootstrapDocument["identity"],
  registry: RegistryDocument,
): IdentityConfig {
  if (files !== undefined) return { ...same, source: { kind: "files", ...files } };
  if (consul !== undefined) return { ...same, source: buildConnect(consul, registry.consul) };
  const { directory, leafLife: leafLifeMs } = selfSigned ?? selfSignedSection.parse({});
  return { ...same, source: { kind: "selfSigned", directory, leafLifeMs } };
}

function buildRedis(redis: BootstrapDocument["redis"]): { readonly redis?: RedisConfig } {
  if (redis === undefined) return {};
  const { address, username, password, ca, timeout, ...others } = redis;
  return {
    redis: {
      ...address,
      ...others,
      timeoutMs: timeout,
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
      ...(ca === undefined ? {} : { ca }),
    },
  };
}

function buildPolicySource(source: BootstrapDocument["policySource"]): PolicySourceConfig {
  if (source?.file !== undefined) return { kind: "file", path: source.file };
  return source?.etcd === undefined ? { kind: "section" } : buildEtcd(source.etcd);
}

/** Freezes objects and lists all the way down; a Map is frozen in its values and read-only by its type. */
function deepFreeze<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  const children = value instanceof Map ? value.values() : Object.values(value);
  for (const each of children) deepFreeze(each);
  return Object.freeze(value);
}
