// Every default of the configuration, in the notation of the document, with its reason. Nothing else may hold a default.

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

const CLOCK_SKEW = { value: "0s", reason: "An expired token is expired." } as const;
const CLAIM_HEADERS = {
  value: { user_id: "x-user-id" },
  reason: "The one claim that the services read.",
} as const;
const TOKEN_FROM = {
  value: [{ header: "authorization", scheme: "Bearer" }],
  reason: "What RFC 6750 prefers: no browser sends it by itself and no log writes it down.",
} as const;
const REQUIRED_CLAIMS = {
  value: {},
  reason: "None named: exp, and iss and aud where configured, are all that is asked for.",
} as const;

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
  "policy.upstreams.*.protocol": {
    value: "auto",
    reason: "The sidecar knows better than the operator what the other end speaks.",
  },
  "policy.upstreams.*.tls": {
    value: "mesh",
    reason: "An endpoint is a sidecar; one that is none must be named.",
  },
  "policy.upstreams.*.loadBalancer.algorithm": {
    value: "round-robin",
    reason: "Even and predictable.",
  },
  "policy.upstreams.*.timeout": {
    value: "15s",
    reason: "Longer than any healthy call, shorter than a user's patience.",
  },
  "policy.upstreams.*.retry.attempts": {
    value: 2,
    reason:
      "One more try mends a lost connection; what fails twice is down, and more would add to its load.",
  },
  "policy.upstreams.*.retry.on": {
    value: ["connect", "reset", "gateway-error", "grpc-unavailable"],
    reason: "Failures that another endpoint, or the next moment, is likely not to have.",
  },
  "policy.upstreams.*.retry.backoff": {
    value: "25ms..250ms",
    reason: "Long enough for an endpoint to leave rotation, short against any deadline.",
  },
  "policy.upstreams.*.retry.budget": {
    value: "20%",
    reason:
      "One retry in five requests mends a bad endpoint and cannot double the load of a bad cluster.",
  },
  "policy.inbound.timeout": {
    value: "15s",
    reason: "The same bound on our side, so that a caller who gave up does not hold the app.",
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
  "policy.inbound.jwt.clockSkew": CLOCK_SKEW,
  "policy.inbound.jwt.claimHeaders": CLAIM_HEADERS,
  "policy.inbound.jwt.tokenFrom": TOKEN_FROM,
  "policy.inbound.jwt.requiredClaims": REQUIRED_CLAIMS,
  "policy.inbound.jwt.auth": {
    value: "jwt",
    reason: "Whoever names keys wants tokens; calls without one are let in by name.",
  },
  workers: { value: 1, reason: "The only number of this version: one data-plane thread." },
  "gateway.bind": {
    value: "0.0.0.0:8000",
    reason: "The edge exists to be called from outside.",
  },
  "gateway.tls.clientCertificates.require": {
    value: true,
    reason: "Who names authorities for clients means to let in nobody else.",
  },
  "gateway.tls.redirect.bind": {
    value: "0.0.0.0:8080",
    reason: "Beside the edge's own 8000, and a port that needs no privilege.",
  },
  "gateway.tls.redirect.httpsPort": {
    value: "the port of gateway.bind",
    reason: "Where nothing stands in front, clients reach the edge where it listens.",
    isDerived: true,
  },
  "gateway.tls.hsts": {
    value: "0s",
    reason: "A browser that was told so once cannot be told otherwise: it must be asked for.",
  },
  "gateway.routes[].match.methods": {
    value: [],
    reason: "None named: a route takes every method.",
  },
  "gateway.routes[].match.headers": {
    value: {},
    reason: "None named: a route asks for no header.",
  },
  "gateway.routes[].auth": {
    value: "none",
    reason: "Authentication is asked for by name, beside the key that it needs.",
  },
  "gateway.routes[].timeout": {
    value: "that of the upstream in the policy, else 5s",
    reason: "A caller at the edge waits less long than a service inside, unless told otherwise.",
    isDerived: true,
  },
  "gateway.routes[].transcode.include": {
    value: [],
    reason: "Imports are looked for beside the files that were named.",
  },
  "gateway.routes[].transcode.maxMessage": {
    value: "4MiB",
    reason: "What every gRPC library takes unless told otherwise.",
  },
  "gateway.routes[].transcode.emitDefaults": {
    value: false,
    reason: "The JSON mapping of proto3 leaves fields out that have their default value.",
  },
  "gateway.routes[].transcode.keepProtoNames": {
    value: false,
    reason: "The JSON mapping of proto3 prints lowerCamelCase names.",
  },
  "gateway.routes[].transcode.enumsAsNumbers": {
    value: false,
    reason: "The JSON mapping of proto3 prints the names of enum values.",
  },
  "gateway.routes[].transcode.ignoreUnknownFields": {
    value: false,
    reason: "A misspelt field is an error and not a silent default.",
  },
  "gateway.routes[].transcode.ignoreUnknownParameters": {
    value: false,
    reason: "A misspelt parameter is an error and not a silent default.",
  },
  "gateway.routes[].rateLimit.burst": {
    value: "the count of the rate",
    reason: "One period's worth at once is what a rate is usually taken to mean.",
    isDerived: true,
  },
  "gateway.routes[].rateLimit.key": {
    value: "user when auth is jwt, else client",
    reason: "The narrowest identity that the route can trust.",
    isDerived: true,
  },
  "gateway.cors.methods": {
    value: ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
    reason: "What a browser's REST client uses.",
  },
  "gateway.cors.headers": {
    value: ["authorization", "content-type", "x-request-id"],
    reason: "A token, a JSON body and a request id; more must be named.",
  },
  "gateway.cors.exposeHeaders": {
    value: [],
    reason: "Scripts see the safelisted headers only, unless told.",
  },
  "gateway.cors.credentials": {
    value: false,
    reason: "Cookies across origins are a decision, not a habit.",
  },
  "gateway.cors.maxAge": {
    value: "10m",
    reason: "Browsers cap it at 10 minutes to 2 hours; less means a preflight a call.",
  },
  "gateway.jwt.clockSkew": CLOCK_SKEW,
  "gateway.jwt.claimHeaders": CLAIM_HEADERS,
  "gateway.jwt.tokenFrom": TOKEN_FROM,
  "gateway.jwt.requiredClaims": REQUIRED_CLAIMS,
  "gateway.login.path": { value: "/login", reason: "Where clients of the demo log in." },
  "gateway.login.claims": {
    value: { user_id: "username" },
    reason: "The caller's name becomes the identity that the services read.",
  },
  "gateway.login.expiresIn": { value: "24h", reason: "A day's work with one login." },
  "gateway.login.verify.path": {
    value: "/credentials/verify",
    reason: "Where the demo's user service checks passwords.",
  },
  "gateway.login.rateLimit.user.rate": {
    value: "10/m",
    reason: "A person mistypes a few times; a program that guesses gets 14,400 tries a day.",
  },
  "gateway.login.rateLimit.user.burst": {
    value: 10,
    reason: "A minute's worth at once, as a page that retries may send.",
  },
  "gateway.login.rateLimit.client.rate": {
    value: "60/m",
    reason:
      "An office behind one address logs in; a list of names is not tried through in a night.",
  },
  "gateway.login.rateLimit.client.burst": {
    value: 60,
    reason: "Everybody in that office at nine o'clock.",
  },
  "gateway.trustedProxies": {
    value: [],
    reason: "Forwarding headers from outside are claims; nobody is believed unless named.",
  },
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
