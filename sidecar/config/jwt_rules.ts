// Rules between the settings of a jwt section, and between it and what asks for tokens.
import { type Algorithm, HMAC_MIN_BYTES } from "../lib/jwk.ts";
import type { Path } from "./positions.ts";
import type {
  AuthDocument,
  IssuerDocument,
  JwtDocument,
  TokenPlaceDocument,
} from "./schema/jwt.ts";

type Report = (path: Path, message: string) => void;

const SOURCES = ["secret", "jwks", "jwksFile", "jwksUri", "publicKey"] as const;
const ONE_SOURCE = `expected exactly one of ${SOURCES.join(", ")}`;

export function jwtRules(jwt: JwtDocument, path: Path, report: Report): void {
  if (jwt.issuers === undefined) keyRules(jwt, path, report, ", issuers");
  else issuersRules(jwt, jwt.issuers, path, report);
  claimHeaderRules(jwt, path, report);
  for (const [index, place] of jwt.tokenFrom.entries()) {
    placeRules(place, jwt, [...path, "tokenFrom", index], report);
  }
}

function issuersRules(
  jwt: JwtDocument,
  issuers: readonly IssuerDocument[],
  path: Path,
  report: Report,
): void {
  for (const name of [...SOURCES, "issuer", "algorithms"] as const) {
    if (jwt[name] === undefined) continue;
    report([...path, name], "beside issuers, expected it inside of one of them");
  }
  const seen = new Set<string>();
  for (const [index, issuer] of issuers.entries()) {
    const at = [...path, "issuers", index];
    keyRules(issuer, at, report);
    if (seen.has(issuer.issuer)) {
      report([...at, "issuer"], "named twice, expected each issuer once");
    }
    seen.add(issuer.issuer);
  }
}

type KeysDocument = Pick<IssuerDocument, typeof SOURCES[number] | "algorithms">;

function keyRules(keys: KeysDocument, path: Path, report: Report, more = ""): void {
  const count = SOURCES.filter((name) => keys[name] !== undefined).length;
  if (count !== 1) {
    report(path, `${count === 0 ? "no" : "more than one"} source of keys, ${ONE_SOURCE}${more}`);
  }
  for (const [index, algorithm] of (keys.algorithms ?? []).entries()) {
    const problem = algorithmProblem(keys, algorithm);
    if (problem !== undefined) report([...path, "algorithms", index], problem);
  }
}

/** What can be told without the keys; a JWK Set may hold any kind. */
function algorithmProblem({ secret, publicKey, jwksUri }: KeysDocument, algorithm: Algorithm) {
  const least = HMAC_MIN_BYTES.get(algorithm);
  if (secret === undefined) {
    return least !== undefined && (publicKey ?? jwksUri) !== undefined
      ? "a secret's algorithm, expected one of a public key"
      : undefined;
  }
  if (least === undefined) return "a public key's algorithm, expected HS256, HS384 or HS512";
  if (new TextEncoder().encode(secret).length >= least) return undefined;
  return `needs a secret of at least ${least} bytes (RFC 7518, section 3.2)`;
}

function claimHeaderRules({ claimHeaders }: JwtDocument, path: Path, report: Report): void {
  const claims = new Map<string, string>();
  for (const [claim, header] of Object.entries(claimHeaders)) {
    const other = claims.get(header);
    if (other !== undefined) {
      const message = `the header of claim ${other} already, expected one header a claim`;
      report([...path, "claimHeaders", claim], message);
    }
    claims.set(header, claim);
  }
}

function placeRules(
  place: TokenPlaceDocument,
  { claimHeaders }: JwtDocument,
  path: Path,
  report: Report,
): void {
  const { header, scheme, cookie, query } = place;
  const count = [header, cookie, query].filter((name) => name !== undefined).length;
  if (count !== 1) report(path, "expected exactly one of header, cookie, query");
  if (scheme !== undefined && header === undefined) {
    report([...path, "scheme"], "no header that it could stand in, expected header beside it");
  }
  if (header !== undefined && Object.values(claimHeaders).includes(header.toLowerCase())) {
    report(
      [...path, "header"],
      "a header of claimHeaders, which are removed, expected another one",
    );
  }
}

/** What an `auth` asks of the section, which may be missing. */
export function authRules(
  auth: AuthDocument,
  jwt: JwtDocument | undefined,
  path: Path,
  report: Report,
): void {
  if (typeof auth === "string") return;
  const { jwt: needed, optional } = auth;
  if ((needed === undefined) === (optional === undefined)) {
    report(path, "expected exactly one of jwt, optional");
  }
  const known = jwt?.issuers?.map(({ issuer }) => issuer) ?? [jwt?.issuer];
  for (const [mode, rule] of Object.entries({ jwt: needed, optional })) {
    for (const [index, name] of (rule?.issuers ?? []).entries()) {
      if (jwt === undefined || known.includes(name)) continue;
      report([...path, mode, "issuers", index], "an issuer that is not configured");
    }
  }
}
