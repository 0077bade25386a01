// A jwt section -> JwtConfig; an `auth` -> what is asked of a token.
import type {
  ClaimValue,
  InboundJwtConfig,
  IssuerConfig,
  JwtConfig,
  KeyOriginConfig,
  TokenPlaceConfig,
  TokenRuleConfig,
} from "./jwt_config.ts";
import type {
  AuthDocument,
  InboundJwtDocument,
  IssuerDocument,
  JwtDocument,
  TokenPlaceDocument,
} from "./schema/jwt.ts";

export function buildJwt(jwt: JwtDocument): JwtConfig {
  return {
    issuers: jwt.issuers?.map((issuer) => buildIssuer(issuer, jwt.audience)) ?? [buildOne(jwt)],
    clockSkewMs: jwt.clockSkew,
    claimHeaders: new Map(Object.entries(jwt.claimHeaders)),
    tokenFrom: jwt.tokenFrom.map(buildPlace),
    requiredClaims: buildClaims(jwt.requiredClaims),
  };
}

export function buildInboundJwt({ auth, ...jwt }: InboundJwtDocument): InboundJwtConfig {
  const { auth: mode, ...rule } = buildAuth(auth);
  return { ...buildJwt(jwt), auth: mode === "optional" ? mode : "jwt", ...rule };
}

/** `auth` in a word, and what the token must say where that stands there. */
export function buildAuth(
  auth: AuthDocument,
): { readonly auth: "none" | "jwt" | "optional"; readonly tokenRule?: TokenRuleConfig } {
  if (typeof auth === "string") return { auth };
  const rule = auth.jwt ?? auth.optional ?? {};
  const tokenRule: TokenRuleConfig = {
    scopes: rule.scopes ?? [],
    claims: buildClaims(rule.claims ?? {}),
    issuers: rule.issuers ?? [],
  };
  return { auth: auth.jwt === undefined ? "optional" : "jwt", tokenRule };
}

/** A secret alone is for HS256, as it always was; a longer one is for more only where `algorithms` says so. */
function buildOne({ issuer, ...rest }: JwtDocument): IssuerConfig {
  const algorithms = rest.algorithms ??
    (rest.secret === undefined ? undefined : ["HS256" as const]);
  return {
    ...(issuer === undefined ? {} : { issuer }),
    ...buildKeys({ ...rest, algorithms }, undefined),
  };
}

function buildIssuer({ issuer, ...rest }: IssuerDocument, audience: Audience): IssuerConfig {
  return { issuer, ...buildKeys(rest, audience) };
}

type Audience = IssuerDocument["audience"];

function buildKeys(
  { audience, algorithms, ...keys }: Omit<IssuerDocument, "issuer">,
  common: Audience,
): Omit<IssuerConfig, "issuer"> {
  const audiences = audience ?? common ?? [];
  return {
    audiences: typeof audiences === "string" ? [audiences] : audiences,
    ...(algorithms === undefined ? {} : { algorithms }),
    keys: buildOrigin(keys),
  };
}

/** The rules have seen to it that there is exactly one. */
function buildOrigin(
  { secret, jwks, jwksFile, jwksUri, publicKey = "" }: Omit<IssuerDocument, "issuer">,
): KeyOriginConfig {
  if (secret !== undefined) return { kind: "secret", secret };
  if (jwks !== undefined) return { kind: "jwks", keys: jwks.keys };
  if (jwksFile !== undefined) return { kind: "jwks-file", path: jwksFile };
  return jwksUri === undefined
    ? { kind: "public-key", path: publicKey }
    : { kind: "jwks-uri", url: jwksUri };
}

/** Authorization has a scheme in any case (RFC 9110, section 11.4). */
function buildPlace({ header, scheme, cookie, query = "" }: TokenPlaceDocument): TokenPlaceConfig {
  if (cookie !== undefined) return { kind: "cookie", name: cookie };
  if (header === undefined) return { kind: "query", name: query };
  const name = header.toLowerCase();
  const word = scheme ?? (name === "authorization" ? "Bearer" : undefined);
  return { kind: "header", name, ...(word === undefined ? {} : { scheme: word }) };
}

function buildClaims(
  claims: Readonly<Record<string, ClaimValue | readonly ClaimValue[]>>,
): ReadonlyMap<string, readonly ClaimValue[]> {
  const entries = Object.entries(claims)
    .map(([name, value]) => [name, typeof value === "object" ? value : [value]] as const);
  return new Map(entries);
}
