// The gateway section -> Gateway, with what its routes derive from each other's settings.
import type {
  Cors,
  EdgeTlsConfig,
  Gateway,
  JwtConfig,
  LoginConfig,
  RateLimit,
  RouteConfig,
  TranscodeConfig,
} from "./bootstrap.ts";
import type { GatewayDocument, RouteDocument } from "./schema/gateway.ts";

/** The gateway that the section means. */
export function buildGateway(document: GatewayDocument): Gateway {
  const { bind, tls, cors, jwt, login, routes, trustedProxies } = document;
  return {
    bind,
    ...(tls === undefined ? {} : { tls: buildTls(tls) }),
    ...(cors === undefined ? {} : { cors: buildCors(cors) }),
    ...(jwt === undefined ? {} : { jwt: buildJwt(jwt) }),
    ...(login === undefined ? {} : { login: buildLogin(login) }),
    routes: routes.map(buildRoute),
    trustedProxies,
  };
}

function buildTls(tls: NonNullable<GatewayDocument["tls"]>): EdgeTlsConfig {
  const { cert = "", key = "", certificates = [{ cert, key }], clientCertificates, hsts } = tls;
  return {
    certificates,
    ...(clientCertificates === undefined ? {} : { clientCertificates }),
    hstsMaxAgeMs: hsts,
  };
}

function buildCors({ maxAge, ...same }: NonNullable<GatewayDocument["cors"]>): Cors {
  return {
    ...same,
    headers: same.headers.map(lowerCase),
    exposeHeaders: same.exposeHeaders.map(lowerCase),
    maxAgeMs: maxAge,
  };
}

function buildJwt(jwt: NonNullable<GatewayDocument["jwt"]>): JwtConfig {
  const { secret, issuer, audience, clockSkew, claimHeaders } = jwt;
  return {
    secret,
    ...(issuer === undefined ? {} : { issuer }),
    ...(audience === undefined ? {} : { audience }),
    clockSkewMs: clockSkew,
    claimHeaders: new Map(Object.entries(claimHeaders)),
  };
}

function buildLogin(login: NonNullable<GatewayDocument["login"]>): LoginConfig {
  const { path, claims, expiresIn, verify } = login;
  return {
    path,
    claims: new Map(Object.entries(claims)),
    expiresInMs: expiresIn,
    verify: verify === undefined ? { kind: "passwordless" } : { kind: "service", ...verify },
  };
}

function buildRoute(route: RouteDocument): RouteConfig {
  const { match, to, rewrite, auth, rateLimit, timeout, transcode } = route;
  const headers = Object.entries(match.headers)
    .map(([name, value]) => [name.toLowerCase(), value] as const);
  return {
    match: {
      path: match.path,
      methods: match.methods,
      headers: new Map(headers),
      ...(match.host === undefined ? {} : { host: match.host }),
    },
    to,
    ...(rewrite === undefined ? {} : { rewrite }),
    auth,
    ...(rateLimit === undefined ? {} : { rateLimit: buildRateLimit(rateLimit, auth) }),
    ...(timeout === undefined ? {} : { timeoutMs: timeout }),
    ...(transcode === undefined ? {} : { transcode: buildTranscode(transcode) }),
  };
}

function buildTranscode(transcode: NonNullable<RouteDocument["transcode"]>): TranscodeConfig {
  const { proto, include, descriptorSet, reflection: _, maxMessage, ...options } = transcode;
  const from: TranscodeConfig["from"] = proto !== undefined
    ? { kind: "protos", paths: typeof proto === "string" ? [proto] : proto, include }
    : descriptorSet !== undefined
    ? { kind: "set", path: descriptorSet }
    : { kind: "reflection" };
  return { from, options: { maxMessageBytes: maxMessage, ...options } };
}

function buildRateLimit(
  { rate, burst, key }: NonNullable<RouteDocument["rateLimit"]>,
  auth: RouteDocument["auth"],
): RateLimit {
  const widest = auth === "jwt" ? "user" : "client";
  return { rate, burst: burst ?? rate.count, key: key ?? widest };
}

function lowerCase(text: string): string {
  return text.toLowerCase();
}
