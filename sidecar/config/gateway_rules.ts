// Rules between the settings of the gateway section.
import { edgeTlsRules } from "./edge_tls_rules.ts";
import { authRules, jwtRules } from "./jwt_rules.ts";
import type { Path } from "./positions.ts";
import { isWildcardPath, parametersOf } from "./patterns.ts";
import type { GatewayDocument, RouteDocument } from "./schema/gateway.ts";
import type { IssuerDocument, JwtDocument } from "./schema/jwt.ts";

type Report = (path: Path, message: string) => void;

export function gatewayRules(gateway: GatewayDocument, report: Report): void {
  if (gateway.tls !== undefined) edgeTlsRules(gateway.tls, ["gateway", "tls"], report);
  corsRules(gateway, report);
  loginRules(gateway, report);
  if (gateway.jwt !== undefined) jwtRules(gateway.jwt, ["gateway", "jwt"], report);
  duplicateRules(gateway.routes, report);
  for (const [index, route] of gateway.routes.entries()) {
    const path: Path = ["gateway", "routes", index];
    rewriteRules(route, [...path, "rewrite"], report);
    authRules(route.auth, gateway.jwt, [...path, "auth"], report);
    if (route.auth !== "none" && gateway.jwt === undefined) {
      report([...path, "auth"], "nothing to check tokens with, expected a gateway.jwt section");
    }
    transcodeRules(route, [...path, "transcode"], report);
    if (route.rateLimit?.key === "user" && route.auth === "none") {
      report([...path, "rateLimit", "key"], "the route knows no user, expected auth: jwt with it");
    }
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

function corsRules({ cors }: GatewayDocument, report: Report): void {
  if (cors === undefined || !cors.origins.includes("*")) return;
  if (cors.credentials) {
    report(
      ["gateway", "cors", "credentials"],
      "every origin could act for the user, expected named origins instead of *",
    );
  }
  if (cors.origins.length > 1) {
    report(["gateway", "cors", "origins"], "* beside other origins, expected * alone or names");
  }
}

function loginRules({ login, jwt }: GatewayDocument, report: Report): void {
  if (login === undefined) return;
  const path: Path = ["gateway", "login"];
  if (jwt === undefined) {
    report(path, "nothing to sign tokens with, expected a gateway.jwt section");
  } else signingRules(login, jwt, report);
  if (login.passwordless === undefined && login.verify === undefined) {
    report(path, "no way to check who logs in, expected verify (or passwordless: true for a demo)");
  }
  if (login.passwordless !== undefined && login.verify !== undefined) {
    report(path, "passwordless and verify together, expected exactly one of them");
  }
}

type LoginDocument = NonNullable<GatewayDocument["login"]>;

/** Tokens of the login are tokens of one issuer that the gateway itself takes. */
function signingRules(login: LoginDocument, jwt: JwtDocument, report: Report): void {
  const { issuer: name, signing } = login;
  const path: Path = ["gateway", "login"];
  const issuers = jwt.issuers ?? [jwt];
  const own = name === undefined ? issuers : issuers.filter(({ issuer }) => issuer === name);
  if (own.length !== 1) {
    const message = name === undefined
      ? "missing where there are several issuers, expected one of gateway.jwt.issuers"
      : "not an issuer of gateway.jwt, expected one of them";
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

function duplicateRules(routes: readonly RouteDocument[], report: Report): void {
  const seen = new Map<string, number>();
  for (const [index, { match }] of routes.entries()) {
    const key = matchKey(match);
    const other = seen.get(key);
    if (other === undefined) seen.set(key, index);
    else {
      const message = `the same match as gateway.routes[${other}], expected it once`;
      report(["gateway", "routes", index, "match"], message);
    }
  }
}

/** Two matches with one key take the same requests: names of parameters and the order of lists do not matter. */
function matchKey(match: RouteDocument["match"]): string {
  const headers = Object.entries(match.headers)
    .map(([name, value]) => `${name.toLowerCase()}: ${value}`);
  return JSON.stringify([
    match.path.replaceAll(/\{[^/]*\}/g, "{}"),
    [...new Set(match.methods)].sort(),
    headers.sort(),
    match.host ?? "",
  ]);
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
