// The gateway section -> Gateway, with what its routes derive from each other's settings.
import type {
  Cors,
  EdgeConfig,
  EdgeTlsConfig,
  Gateway,
  HstsConfig,
  LoginConfig,
  RateLimit,
  RouteConfig,
  TranscodeConfig,
} from "./bootstrap.ts";
import { buildAuth, buildJwt } from "./build_jwt.ts";
import type { IssuerConfig, JwtConfig, SigningConfig } from "./jwt_config.ts";
import type { EdgeTlsDocument } from "./schema/edge_tls.ts";
import type { EdgeDocument, GatewayDocument, RouteDocument } from "./schema/gateway.ts";

type RoutesDocument = Pick<GatewayDocument, "routes">;

/** The gateway that the section means. */
export function buildGateway(document: GatewayDocument): Gateway {
  const { bind, tls, trustedProxies } = document;
  return {
    bind,
    ...(tls === undefined ? {} : { tls: buildTls(tls) }),
    ...buildEdge(document),
    trustedProxies,
  };
}

/** What an edge does, wherever that stands. */
export function buildEdge(document: Omit<EdgeDocument, "routes"> & RoutesDocument): EdgeConfig {
  const { cors, login, routes = [] } = document;
  const jwt = document.jwt && buildJwt(document.jwt);
  return {
    ...(cors === undefined ? {} : { cors: buildCors(cors) }),
    ...(jwt === undefined ? {} : { jwt }),
    ...(login === undefined || jwt === undefined ? {} : { login: buildLogin(login, jwt) }),
    routes: routes.map(buildRoute),
  };
}

function buildTls(tls: EdgeTlsDocument): EdgeTlsConfig {
  const { cert = "", key = "", certificates = [{ cert, key }], hsts } = tls;
  const { clientCertificates, redirect } = tls;
  return {
    certificates,
    ...(clientCertificates === undefined ? {} : { clientCertificates }),
    ...(redirect === undefined ? {} : { redirect: buildRedirect(redirect) }),
    ...(hsts === undefined ? {} : { hsts: buildHsts(hsts) }),
  };
}

function buildRedirect(
  { bind, httpsPort }: NonNullable<EdgeTlsDocument["redirect"]>,
): NonNullable<EdgeTlsConfig["redirect"]> {
  return { bind, ...(httpsPort === undefined ? {} : { httpsPort }) };
}

function buildHsts(
  { maxAge, includeSubdomains, preload }: NonNullable<EdgeTlsDocument["hsts"]>,
): HstsConfig {
  return { maxAgeMs: maxAge, includesSubdomains: includeSubdomains, isPreloaded: preload };
}

function buildCors({ maxAge, ...same }: NonNullable<GatewayDocument["cors"]>): Cors {
  return {
    ...same,
    headers: same.headers.map(lowerCase),
    exposeHeaders: same.exposeHeaders.map(lowerCase),
    maxAgeMs: maxAge,
  };
}

function buildLogin(login: NonNullable<GatewayDocument["login"]>, jwt: JwtConfig): LoginConfig {
  const { path, claims, expiresIn, verify, rateLimit, signing } = login;
  // The rules have seen to it that it is there.
  const own = jwt.issuers.find(({ issuer }) => issuer === login.issuer) ?? jwt.issuers[0]!;
  const [audience] = own.audiences;
  return {
    path,
    claims: new Map(Object.entries(claims)),
    expiresInMs: expiresIn,
    verify: verify === undefined ? { kind: "passwordless" } : { kind: "service", ...verify },
    rateLimit,
    signing: buildSigning(signing, own),
    ...(own.issuer === undefined ? {} : { issuer: own.issuer }),
    ...(audience === undefined ? {} : { audience }),
  };
}

function buildSigning(
  signing: NonNullable<GatewayDocument["login"]>["signing"],
  { keys, algorithms }: IssuerConfig,
): SigningConfig {
  if (signing === undefined) {
    const secret = keys.kind === "secret" ? keys.secret : "";
    return { kind: "secret", secret, algorithm: algorithms?.[0] ?? "HS256" };
  }
  const { privateKey: path, algorithm, kid } = signing;
  return {
    kind: "private-key",
    path,
    ...(algorithm === undefined ? {} : { algorithm }),
    ...(kid === undefined ? {} : { kid }),
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
    ...buildAuth(auth),
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
  { burst, key, ...others }: NonNullable<RouteDocument["rateLimit"]>,
  auth: RouteDocument["auth"],
): RateLimit {
  const widest = { kind: auth === "none" ? "client" : "user" } as const;
  return { ...others, burst: burst ?? others.rate.count, key: key ?? [widest] };
}

function lowerCase(text: string): string {
  return text.toLowerCase();
}
