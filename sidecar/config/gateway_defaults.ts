// The defaults of the section gateway: a part of the table in defaults.ts.
import type { Default } from "./defaults.ts";

export const CLOCK_SKEW = { value: "0s", reason: "An expired token is expired." } as const;
export const CLAIM_HEADERS = {
  value: { user_id: "x-user-id" },
  reason: "The one claim that the services read.",
} as const;
export const TOKEN_FROM = {
  value: [{ header: "authorization", scheme: "Bearer" }],
  reason: "What RFC 6750 prefers: no browser sends it by itself and no log writes it down.",
} as const;
export const REQUIRED_CLAIMS = {
  value: {},
  reason: "None named: exp, and iss and aud where configured, are all that is asked for.",
} as const;

export const GATEWAY_DEFAULTS = {
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
  "gateway.tls.hsts.maxAge": {
    value: "8760h",
    reason: "A year, which is what browsers' own lists ask for.",
  },
  "gateway.tls.hsts.includeSubdomains": {
    value: false,
    reason: "Names below this one may be somebody else's, and not have TLS yet.",
  },
  "gateway.tls.hsts.preload": {
    value: false,
    reason: "A name that browsers ship with takes months to get off their lists again.",
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
  "gateway.routes[].rateLimit.algorithm": {
    value: "token-bucket",
    reason: "What most people know; both let the same requests through.",
  },
  "gateway.routes[].rateLimit.cost": { value: 1, reason: "A request is a request." },
  "gateway.routes[].rateLimit.scope": {
    value: "local",
    reason: "Needs nothing and waits for nobody.",
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
} as const satisfies Readonly<Record<string, Default>>;
