// From a leaf to a root that is trusted: the search, its bounds, and the rules on each step (RFC 5280, section 6).
import type { Certificate, Purpose } from "./certificate.ts";

/** Why a peer is not let in. */
export type PeerRefusal =
  | "no-certificate"
  | "unknown-ca"
  | "expired"
  | "not-yet-valid"
  | "no-client-auth"
  | "no-server-auth"
  | "bad-identity"
  | "wrong-trust-domain"
  | "wrong-identity";

/** A peer's certificate does not do; `reason` is for machines, the message names who came. */
export class PeerError extends Error {
  override readonly name = "PeerError";
  readonly reason: PeerRefusal;

  constructor(reason: PeerRefusal, detail: string) {
    super(`${reason}: ${detail}`);
    this.reason = reason;
  }
}

/** How long every certificate of the path holds. */
export interface TrustPath {
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** Certificates looked at of those a peer sent, and signatures checked for one of them: what a hostile chain may cost. */
const MAX_PRESENTED = 8;
const MAX_SIGNATURES = 16;

interface Search {
  readonly roots: readonly Certificate[];
  signatures: number;
}

/** A path from `presented[0]` to one of `roots` that holds at `nowMs`; undefined: whenever. Throws PeerError where there is none. */
export function findTrustPath(
  presented: readonly Certificate[],
  roots: readonly Certificate[],
  { purpose, nowMs }: { readonly purpose: Purpose; readonly nowMs: number | undefined },
): TrustPath {
  const [leaf] = presented;
  if (leaf === undefined) throw new PeerError("no-certificate", "the peer showed no certificate");
  let refusal: PeerError | undefined;
  for (const path of pathsOf(leaf, presented.slice(1, MAX_PRESENTED), { roots, signatures: 0 })) {
    const wrong = judge(path, purpose, nowMs);
    if (wrong === undefined) return windowOf(path);
    refusal ??= wrong;
  }
  throw refusal ?? new PeerError("unknown-ca", `no trusted authority signed ${nameOf(leaf)}`);
}

/** Every way up; `between` is what may stand between leaf and root, each at most once. */
function* pathsOf(
  tip: Certificate,
  between: readonly Certificate[],
  search: Search,
  below = 0,
): Generator<Certificate[]> {
  for (const root of search.roots) {
    if (mayIssue(root, tip, below) && isSigned(tip, root, search)) yield [tip, root];
  }
  for (const next of between) {
    if (!mayIssue(next, tip, below) || !isSigned(tip, next, search)) continue;
    const others = between.filter((other) => other !== next);
    for (const rest of pathsOf(next, others, search, below + 1)) yield [tip, ...rest];
  }
}

/** `below`: how many authorities stand below the issuer already. */
function mayIssue(issuer: Certificate, subject: Certificate, below: number): boolean {
  return issuer.isAuthority && below <= issuer.maxBelow && issuer.unknownCritical === undefined &&
    subject.hasIssuerName(issuer);
}

function isSigned(subject: Certificate, issuer: Certificate, search: Search): boolean {
  return search.signatures++ < MAX_SIGNATURES && subject.isSignedBy(issuer);
}

/** What is wrong with a path whose signatures are right. */
function judge(
  path: readonly Certificate[],
  purpose: Purpose,
  nowMs: number | undefined,
): PeerError | undefined {
  const [leaf] = path;
  if (leaf!.unknownCritical !== undefined) {
    return new PeerError("unknown-ca", `critical extension ${leaf!.unknownCritical} is not known`);
  }
  if (nowMs !== undefined) {
    for (const certificate of path) {
      const wrong = outOfTime(certificate, nowMs);
      if (wrong !== undefined) return wrong;
    }
  }
  // A root's purposes are for those who choose it.
  if (path.slice(0, -1).every((certificate) => certificate.mayBe(purpose))) return undefined;
  return new PeerError(
    purpose === "client" ? "no-client-auth" : "no-server-auth",
    `extendedKeyUsage of ${nameOf(leaf!)} lacks ${purpose}Auth`,
  );
}

function outOfTime(certificate: Certificate, nowMs: number): PeerError | undefined {
  const { notBeforeMs, notAfterMs } = certificate;
  const who = nameOf(certificate);
  if (nowMs > notAfterMs) {
    return new PeerError("expired", `${who} was valid until ${new Date(notAfterMs).toISOString()}`);
  }
  if (nowMs < notBeforeMs) {
    const from = new Date(notBeforeMs).toISOString();
    return new PeerError("not-yet-valid", `${who} is valid from ${from}`);
  }
  return undefined;
}

function windowOf(path: readonly Certificate[]): TrustPath {
  return {
    notBeforeMs: Math.max(...path.map((certificate) => certificate.notBeforeMs)),
    notAfterMs: Math.min(...path.map((certificate) => certificate.notAfterMs)),
  };
}

const MAX_NAME = 200;

/** A peer's own words about itself, safe to log. */
export function nameOf(certificate: Certificate): string {
  const name = certificate.uris[0] ?? certificate.x509.subject ?? "";
  return JSON.stringify(name.slice(0, MAX_NAME));
}
