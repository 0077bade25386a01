// Every default of the configuration, in the notation of the document, with its reason. Nothing else may hold a default.
import {
  CLAIM_HEADERS,
  CLOCK_SKEW,
  GATEWAY_DEFAULTS,
  REQUIRED_CLAIMS,
  TOKEN_FROM,
} from "./gateway_defaults.ts";
import { UPSTREAM_DEFAULTS } from "./upstream_defaults.ts";

export interface Default {
  /** As an operator would write it; for a derived default, the rule in words. */
  readonly value:
    | string
    | number
    | boolean
    | readonly string[]
    | Readonly<Record<string, string>>
    | readonly Readonly<Record<string, string>>[];
  readonly reason: string;
  /** Worked out from other settings. */
  readonly isDerived?: true;
}

/** Keyed by where it stands in the document; `*` is any key of a map, `[]` any entry of a list. */
export const DEFAULTS = {
  "service.version": {
    value: "v1",
    reason: "A service that never said otherwise is its first version.",
  },
  "service.tags": {
    value: "the version",
    reason: "Subsets select by tag, and the version is what they select most.",
    isDerived: true,
  },
  "service.id": {
    value: "NAME-PORT of the inbound listener",
    reason: "The same after a restart, and unique on one host because a port is.",
    isDerived: true,
  },
  "service.address": {
    value: "the host of listeners.inbound",
    reason:
      "What is listened on is what can be dialled; a wildcard cannot, so there it is required.",
    isDerived: true,
  },
  "service.app.health.http": {
    value: "/health, where the app has http and no gRPC check is asked for",
    reason: "The path that the demo services and most frameworks answer.",
    isDerived: true,
  },
  "service.app.health.grpc": {
    value: '"", where the app has grpc alone',
    reason: "The name under which grpc.health.v1 answers for the server as a whole.",
    isDerived: true,
  },
  "service.app.health.interval": {
    value: "10s",
    reason: "Quick enough to leave rotation within seconds, rare enough to cost nothing.",
  },
  "service.app.health.timeout": {
    value: "3s",
    reason: "An app that needs longer to say that it is well is not.",
  },
  "service.app.health.healthyThreshold": {
    value: 1,
    reason: "An app that says that it is well is believed; one that flaps asks for more.",
  },
  "service.app.health.unhealthyThreshold": {
    value: 1,
    reason: "A refusal is an answer. No answer in time counts from the second in a row.",
  },
  "service.app.health.startupGrace": {
    value: "0s",
    reason: "An app that is not there yet is news, unless somebody knows that it takes its time.",
  },
  "listeners.inbound": {
    value: "0.0.0.0:15006",
    reason: "Other sidecars must reach it; the port is the one that Istio made known.",
  },
  "listeners.outbound": {
    value: "127.0.0.1:15001",
    reason: "Only the local app may call out through it.",
  },
  "listeners.admin": {
    value: "127.0.0.1:15000",
    reason: "It shows the inside of the proxy, so it stays on the host.",
  },
  "listeners.health": {
    value: "0.0.0.0:15021",
    reason: "Orchestrators and registries ask from outside.",
  },
  registry: {
    value: "files",
    reason: "A laptop needs no server; any other backend is chosen by name.",
    isDerived: true,
  },
  "registry.files.directory": {
    value: ".mesh/registry",
    reason: "One place in the working directory that a laptop's sidecars share with no server.",
  },
  "registry.consul.address": {
    value: "http://127.0.0.1:8500",
    reason: "Every machine of a Consul cluster has an agent of its own, and it listens there.",
  },
  "registry.consul.failoverDatacenters": {
    value: [],
    reason: "Calls that leave the datacenter are a decision: they take longer and may cost money.",
  },
  "registry.consul.stale": {
    value: true,
    reason: "Any server may answer: milliseconds behind, and discovery survives a lost leader.",
  },
  "registry.consul.grace": {
    value: "10s",
    reason: "Sidecars are back in an agent that lost everything within ten seconds.",
  },
  "registry.consul.check.mode": {
    value: "http",
    reason: "The agent sees for itself that the sidecar answers and what the app says.",
  },
  "registry.consul.check.interval": {
    value: "10s",
    reason:
      "Quick enough for what passive checks do not catch first, cheap for a thousand instances.",
  },
  "registry.consul.check.timeout": {
    value: "3s",
    reason: "A health port that needs longer on the same host is not well.",
  },
  "registry.consul.check.deregisterAfter": {
    value: "30s",
    reason: "A killed instance goes by itself; Consul reaps every 30 s and not before a minute.",
  },
  "registry.consul.cache.directory": {
    value: ".mesh/cache",
    reason: "Beside the other state of a laptop, and among the few places that may be written.",
  },
  "policySource.etcd.endpoints": {
    value: ["http://127.0.0.1:2379"],
    reason: "Where etcd listens unless told otherwise.",
  },
  "policySource.etcd.prefix": {
    value: "/mesh",
    reason: "One mesh in an etcd that others use as well.",
  },
  "policySource.etcd.cache.directory": {
    value: ".mesh/cache",
    reason: "A restart while etcd is away begins with the last good policy; the file is 0600.",
  },
  "policy.inbound.timeout": {
    value: "15s",
    reason: "The same bound on our side, so that a caller who gave up does not hold the app.",
  },
  "policy.inbound.concurrency.min": {
    value: 3,
    reason: "An app that takes one request after the other still has work while answers travel.",
  },
  "policy.inbound.concurrency.max": {
    value: 1000,
    reason: "Beyond it something is wrong with what is measured.",
  },
  "policy.inbound.concurrency.initial": {
    value: 100,
    reason: "Few apps do more at once, and an app that does less is found out in seconds.",
  },
  "policy.inbound.concurrency.tolerance": {
    value: 1.5,
    reason: "Half a request that waits for each that is worked on keeps every worker busy.",
  },
  "policy.inbound.concurrency.priorityHeader": {
    value: "priority",
    reason: "The field of RFC 9218, which browsers send.",
  },
  "policy.inbound.rateLimits[].algorithm": {
    value: "token-bucket",
    reason: "What most people know; both let the same requests through.",
  },
  "policy.inbound.rateLimits[].cost": { value: 1, reason: "A request is a request." },
  "policy.inbound.rateLimits[].scope": {
    value: "local",
    reason: "Needs nothing and waits for nobody.",
  },
  "tracing.sample": {
    value: 1,
    reason: "Whoever names a collector wants to see traces; a busy mesh says less.",
  },
  "tracing.errors": { value: true, reason: "What failed is what one looks for." },
  "tracing.slow": { value: "1s", reason: "Longer than people wait without wondering." },
  "redis.address": { value: "redis://127.0.0.1:6379", reason: "Where Redis listens." },
  "redis.database": { value: 0, reason: "The only one of a Redis cluster." },
  "redis.prefix": { value: "mesh", reason: "One mesh in a Redis that others use as well." },
  "redis.timeout": {
    value: "50ms",
    reason: "A hundred times what Redis needs; no request waits longer for its limit.",
  },
  "redis.whenAway": {
    value: "open",
    reason: "A limit is no reason to be down; what each instance counts itself holds still.",
  },
  "policy.inbound.rateLimits[].burst": {
    value: "the count of the rate",
    reason: "One period's worth at once is what a rate is usually taken to mean.",
    isDerived: true,
  },
  "policy.inbound.rateLimits[].key": {
    value: "caller",
    reason: "One service that calls too much must not use up what the others may.",
  },
  "policy.inbound.rateLimits[].methods": {
    value: [],
    reason: "None named: a limit counts every method.",
  },
  "policy.inbound.rateLimits[].paths": {
    value: [],
    reason: "None named: a limit counts every path.",
  },
  "policy.inbound.authorization": {
    value: "everybody may call",
    reason: "Being of the mesh is enough until somebody says who may call whom.",
    isDerived: true,
  },
  "policy.inbound.authorization.mode": {
    value: "enforce",
    reason: "A rule that is written is meant; trying one out is asked for by name.",
  },
  "policy.inbound.authorization.default": {
    value: "deny where a rule allows, else allow",
    reason: "Whoever lists who may call means nobody else; whoever lists who may not, all others.",
    isDerived: true,
  },
  "policy.inbound.authorization.audit": {
    value: "refused",
    reason: "Who was turned away is what one looks for; who was let in is in the access log.",
  },
  "policy.inbound.authorization.rules": {
    value: [],
    reason: "A default alone is enough to close a service, or to log who calls it.",
  },
  "policy.inbound.authorization.rules[].name": {
    value: "rule-N, counted from 1",
    reason: "The answer names the rule, so that every rule must have a name.",
    isDerived: true,
  },
  "policy.inbound.authorization.rules[].action": {
    value: "allow",
    reason: "Most rules say who may call.",
  },
  "identity.mode": {
    value: "strict",
    reason: "Nobody is believed who does not prove who it is; what has no sidecar says tls: none.",
  },
  "identity.trustDomain": {
    value: "mesh.local",
    reason: "A name that belongs to nobody, for whoever has one mesh only.",
  },
  "identity.namespace": { value: "default", reason: "One namespace is enough until it is not." },
  "identity.selfSigned.directory": {
    value: ".mesh/ca",
    reason: "Beside the registry of a laptop, in the working directory that its sidecars share.",
  },
  "identity.selfSigned.leafLife": {
    value: "24h",
    reason: "Short enough to need no revocation, long enough to outlive a night of trouble.",
  },
  "identity.consul.address": {
    value: "that of registry.consul, else http://127.0.0.1:8500",
    reason: "A mesh that finds its services by Consul asks the same agent for its certificates.",
    isDerived: true,
  },
  "identity.consul.cache.directory": {
    value: ".mesh/cache",
    reason: "A restart while Consul is away needs the last certificate; the file is 0600.",
  },
  "policy.inbound.jwt.clockSkew": CLOCK_SKEW,
  "policy.inbound.jwt.claimHeaders": CLAIM_HEADERS,
  "policy.inbound.jwt.tokenFrom": TOKEN_FROM,
  "policy.inbound.jwt.requiredClaims": REQUIRED_CLAIMS,
  "policy.inbound.jwt.auth": {
    value: "jwt",
    reason: "Whoever names keys wants tokens; calls without one are let in by name.",
  },
  workers: { value: 1, reason: "The only number of this version: one data-plane thread." },
  ...GATEWAY_DEFAULTS,
  ...UPSTREAM_DEFAULTS,
  "limits.head": {
    value: "64KiB",
    reason: "Room for large cookies and tokens; a connection can hold no more than this.",
  },
  "limits.headers": { value: 100, reason: "Apache's default; real requests carry 20 to 40." },
  "limits.requestLine": {
    value: "16KiB",
    reason: "Twice the 8000 bytes that RFC 9112, section 3, asks to support at least.",
  },
  "limits.headTimeout": {
    value: "10s",
    reason: "A head that takes longer is a slow-head attack or a dead peer.",
  },
  "limits.idleTimeout": {
    value: "60s",
    reason: "Keeps browsers' connections warm and gives abandoned ones back within a minute.",
  },
  "limits.streamIdleTimeout": {
    value: "5m",
    reason:
      "Long enough for a gRPC stream that says something now and then; watches that are silent for longer need more.",
  },
  "limits.tunnelIdleTimeout": {
    value: "1h",
    reason:
      "A WebSocket may lie silent; TCP keep-alive finds a dead peer sooner only where the system's own setting is lower.",
  },
  "limits.connections": {
    value: 10_000,
    reason: "A bound on memory and descriptors; above it, new connections are refused.",
  },
  "limits.streams": {
    value: 1000,
    reason: "More on one HTTP/2 connection gain nothing; a client that wants more opens another.",
  },
  "drain.delay": {
    value: "1s",
    reason:
      "Callers need a moment to hear of a deregistration; without it some still send and are cut.",
  },
  "drain.timeout": {
    value: "10s",
    reason: "Well inside the 30 s that Kubernetes grants before it kills.",
  },
  "log.level": { value: "info", reason: "What an operator wants to read when all is well." },
  "log.format": { value: "json", reason: "Machines collect it; text is for a laptop." },
  "log.access": {
    value: "errors",
    reason: "Metrics count the good requests; a line each would cost more than the request.",
  },
} as const satisfies Readonly<Record<string, Default>>;

export type DefaultPath = keyof typeof DEFAULTS;

/** The default that stands at `path`, as the document would hold it. */
export function defaultOf(path: DefaultPath): Default["value"] {
  return DEFAULTS[path].value;
}
