// Rules between the settings of an edge, in the gateway section and in a policy.
import { edgeTlsRules } from "./edge_tls_rules.ts";
import { authRules, jwtRules } from "./jwt_rules.ts";
import { formatPath, type Path } from "./positions.ts";
import { isWildcardPath, parametersOf } from "./patterns.ts";
import { routeReachRules } from "./route_rules.ts";
import type { SoundSections } from "./schema/bootstrap.ts";
import type { EdgeDocument, GatewayDocument, RouteDocument } from "./schema/gateway.ts";
import type { IssuerDocument, JwtDocument } from "./schema/jwt.ts";

type Report = (path: Path, message: string) => void;

type Edge = Omit<EdgeDocument, "routes"> & Pick<GatewayDocument, "routes">;

export function gatewayRules(gateway: GatewayDocument, report: Report): void {
  if (gateway.tls !== undefined) edgeTlsRules(gateway.tls, ["gateway", "tls"], report);
  edgeRules(gateway, ["gateway"], report);
}

/** Of what an edge does, which stands at `base`. */
export function edgeRules(edge: Edge, base: Path, report: Report): void {
  const { jwt, routes = [] } = edge;
  corsRules(edge, base, report);
  loginRules(edge, base, report);
  if (jwt !== undefined) jwtRules(jwt, [...base, "jwt"], report);
  routeReachRules(routes, edge, base, report);
  for (const [index, route] of routes.entries()) {
    const path: Path = [...base, "routes", index];
    rewriteRules(route, [...path, "rewrite"], report);
    authRules(route.auth, jwt, [...path, "auth"], report);
    if (route.auth !== "none" && jwt === undefined) {
      const section = formatPath([...base, "jwt"]);
      report([...path, "auth"], `nothing to check tokens with, expected a ${section} section`);
    }
    transcodeRules(route, [...path, "transcode"], report);
    if (route.rateLimit !== undefined) costRule(route.rateLimit, [...path, "rateLimit"], report);
    const isByUser = route.rateLimit?.key?.some(({ kind }) => kind === "user") === true;
    if (isByUser && route.auth === "none") {
      report([...path, "rateLimit", "key"], "the route knows no user, expected auth: jwt with it");
    }
  }
}

/** Where an edge finds what it does: in one place, and somewhere. */
export function edgePlaceRules(
  { gateway, policy, policySource, broken }: SoundSections,
  report: Report,
): void {
  if (policy?.gateway !== undefined) {
    if (gateway === undefined && !broken.has("gateway")) {
      report(["policy", "gateway"], "this instance is no edge, expected a gateway section too");
    }
    const twice = (["cors", "jwt", "login", "routes"] as const)
      .find((part) => gateway?.[part] !== undefined);
    if (twice !== undefined) {
      report(
        ["gateway", twice],
        "policy.gateway says what the edge does, expected all of it there",
      );
    }
  } else if (gateway !== undefined && gateway.routes === undefined && policySource === undefined) {
    if (!broken.has("policy")) report(["gateway"], "no routes, expected which requests go where");
  }
}

function transcodeRules({ transcode }: RouteDocument, path: Path, report: Report): void {
  if (transcode === undefined) return;
  const { proto, descriptorSet, reflection } = transcode;
  const count = [proto, descriptorSet, reflection].filter((source) => source !== undefined).length;
  if (count === 1) return;
  const what = count === 0 ? "no source of rules" : "more than one source of rules";
  report(path, `${what}, expected exactly one of proto, descriptorSet, reflection`);
}

function corsRules({ cors }: Edge, base: Path, report: Report): void {
  if (cors === undefined || !cors.origins.includes("*")) return;
  if (cors.credentials) {
    report(
      [...base, "cors", "credentials"],
      "every origin could act for the user, expected named origins instead of *",
    );
  }
  if (cors.origins.length > 1) {
    report([...base, "cors", "origins"], "* beside other origins, expected * alone or names");
  }
}

function loginRules({ login, jwt }: Edge, base: Path, report: Report): void {
  if (login === undefined) return;
  const path: Path = [...base, "login"];
  const section = formatPath([...base, "jwt"]);
  if (jwt === undefined) {
    report(path, `nothing to sign tokens with, expected a ${section} section`);
  } else signingRules(login, jwt, base, report);
  if (login.passwordless === undefined && login.verify === undefined) {
    report(path, "no way to check who logs in, expected verify (or passwordless: true for a demo)");
  }
  if (login.passwordless !== undefined && login.verify !== undefined) {
    report(path, "passwordless and verify together, expected exactly one of them");
  }
}

type LoginDocument = NonNullable<EdgeDocument["login"]>;

/** Tokens of the login are tokens of one issuer that the gateway itself takes. */
function signingRules(login: LoginDocument, jwt: JwtDocument, base: Path, report: Report): void {
  const { issuer: name, signing } = login;
  const path: Path = [...base, "login"];
  const section = formatPath([...base, "jwt"]);
  const issuers = jwt.issuers ?? [jwt];
  const own = name === undefined ? issuers : issuers.filter(({ issuer }) => issuer === name);
  if (own.length !== 1) {
    const message = name === undefined
      ? `missing where there are several issuers, expected one of ${section}.issuers`
      : `not an issuer of ${section}, expected one of them`;
    report([...path, "issuer"], message);
  } else if (signing === undefined && own[0]!.secret === undefined && hasKeys(own[0]!)) {
    report(
      path,
      "nothing to sign tokens with: the issuer has no secret, expected signing.privateKey",
    );
  }
}

/** Whoever has none hears of that already. */
function hasKeys(
  { jwks, jwksFile, jwksUri, publicKey }: Omit<IssuerDocument, "issuer">,
): boolean {
  return (jwks ?? jwksFile ?? jwksUri ?? publicKey) !== undefined;
}

/** What costs more than there ever is would be refused for ever. */
export function costRule(
  { cost, burst, rate }: NonNullable<RouteDocument["rateLimit"]>,
  path: Path,
  report: Report,
): void {
  const most = burst ?? rate.count;
  if (cost > most) report([...path, "cost"], `more than the burst of ${most}, expected less`);
}

function rewriteRules({ match, rewrite }: RouteDocument, path: Path, report: Report): void {
  if (rewrite === undefined) return;
  if (isWildcardPath(rewrite) && !isWildcardPath(match.path)) {
    report(path, "* has nothing to stand for, expected match.path to end with /*");
  }
  const known = parametersOf(match.path);
  for (const name of parametersOf(rewrite)) {
    if (known.includes(name)) continue;
    report(path, `{${name}} is not in match.path, expected one of its parameters`);
  }
}
