// Which signatures a JSON Web Key may check (RFC 7517, RFC 7518): decided by the key's own kind, never by a token.
// Looks at the shape only; whether the numbers make a key is for whoever imports it.

export const ALGORITHMS = [
  "HS256",
  "HS384",
  "HS512",
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
] as const;

export type Algorithm = typeof ALGORITHMS[number];

/** RFC 7518, section 3.2: a key at least as long as its hash. */
export const HMAC_MIN_BYTES: ReadonlyMap<Algorithm, number> = new Map([
  ["HS256", 32],
  ["HS384", 48],
  ["HS512", 64],
]);

const RSA: readonly Algorithm[] = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"];

interface Curve {
  readonly algorithm: Algorithm;
  /** Length of each coordinate. */
  readonly bytes: number;
  readonly members: readonly string[];
}

const CURVES: Readonly<Record<string, ReadonlyMap<unknown, Curve>>> = {
  EC: new Map([
    ["P-256", { algorithm: "ES256", bytes: 32, members: ["x", "y"] }],
    ["P-384", { algorithm: "ES384", bytes: 48, members: ["x", "y"] }],
    ["P-521", { algorithm: "ES512", bytes: 66, members: ["x", "y"] }],
  ]),
  OKP: new Map([["Ed25519", { algorithm: "EdDSA", bytes: 32, members: ["x"] }]]),
};

/** The members of a key that say which key it is, and none that is private. */
export type PublicJwk = Readonly<Record<string, string>>;

export type JwkReading =
  | {
    readonly ok: true;
    readonly jwk: PublicJwk;
    readonly kid: string | undefined;
    readonly algorithms: readonly Algorithm[];
  }
  | { readonly ok: false; readonly problem: string };

/** What a key is good for, or why it cannot check a signature. Never repeats a value: it may be a secret. */
export function readJwk(value: unknown): JwkReading {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return refuse("a key is a mapping with kty");
  }
  const fields = new Map<string, unknown>(Object.entries(value));
  const use = fields.get("use");
  if (use !== undefined && use !== "sig") return refuse("its use is not sig");
  const operations = fields.get("key_ops");
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes("verify"))) {
    return refuse("its key_ops have no verify");
  }
  const kid = fields.get("kid");
  if (kid !== undefined && (typeof kid !== "string" || kid === "" || kid.length > MAX_KID_LENGTH)) {
    return refuse(`its kid is not a text of at most ${MAX_KID_LENGTH} characters`);
  }
  const shape = readShape(fields);
  return shape.ok ? narrow(shape, fields.get("alg"), kid) : shape;
}

/** Longer than any thumbprint or UUID; it is a key of maps that strangers fill. */
export const MAX_KID_LENGTH = 256;

type Shape =
  | { readonly ok: true; readonly jwk: PublicJwk; readonly algorithms: readonly Algorithm[] }
  | Extract<JwkReading, { ok: false }>;

function readShape(fields: ReadonlyMap<string, unknown>): Shape {
  const kty = fields.get("kty");
  if (kty === "RSA") return readRsa(fields);
  if (kty === "oct") return readSecret(fields);
  const curves = typeof kty === "string" && Object.hasOwn(CURVES, kty) ? CURVES[kty] : undefined;
  if (curves === undefined) return refuse("its kty is none of RSA, EC, OKP, oct");
  const crv = fields.get("crv");
  const curve = curves.get(crv);
  if (curve === undefined) return refuse(`its crv is none of ${[...curves.keys()].join(", ")}`);
  const jwk: Record<string, string> = { kty: String(kty), crv: String(crv) };
  for (const member of curve.members) {
    const coordinate = fields.get(member);
    if (byteLength(coordinate) !== curve.bytes) {
      return refuse(`its ${member} is not base64url of ${curve.bytes} bytes`);
    }
    jwk[member] = String(coordinate);
  }
  return { ok: true, jwk, algorithms: [curve.algorithm] };
}

/** NIST SP 800-131A: 2048 bits at least. */
const MIN_RSA_BYTES = 256;
/** 16384 bits; a check gets slower with the square of it. */
const MAX_RSA_BYTES = 2048;

function readRsa(fields: ReadonlyMap<string, unknown>): Shape {
  const [n, e] = [fields.get("n"), fields.get("e")];
  const length = byteLength(n);
  if (length < MIN_RSA_BYTES || length > MAX_RSA_BYTES) {
    return refuse("its n is not base64url of 2048 bits at least and 16384 at most");
  }
  // A large exponent makes each check as dear as a signature.
  if (byteLength(e) < 1 || byteLength(e) > 8) return refuse("its e is not base64url of a number");
  return { ok: true, jwk: { kty: "RSA", n: String(n), e: String(e) }, algorithms: RSA };
}

function readSecret(fields: ReadonlyMap<string, unknown>): Shape {
  const k = fields.get("k");
  const algorithms = hmacAlgorithms(byteLength(k));
  if (algorithms.length === 0) return refuse("its k is not base64url of 32 bytes at least");
  return { ok: true, jwk: { kty: "oct", k: String(k) }, algorithms };
}

/** What a secret of that length is long enough for. */
export function hmacAlgorithms(bytes: number): readonly Algorithm[] {
  return [...HMAC_MIN_BYTES].flatMap(([algorithm, least]) => bytes >= least ? [algorithm] : []);
}

/** A key that names its algorithm is for that one alone. RFC 9864 calls EdDSA with this curve Ed25519. */
function narrow(
  { jwk, algorithms }: Extract<Shape, { ok: true }>,
  alg: unknown,
  kid: string | undefined,
): JwkReading {
  if (alg === undefined) return { ok: true, jwk, kid, algorithms };
  const named = algorithms.filter((algorithm) => algorithm === alg || isEd25519(algorithm, alg));
  if (named.length === 0) return refuse("its alg is not one of its kty and length");
  return { ok: true, jwk, kid, algorithms: named };
}

function isEd25519(algorithm: Algorithm, alg: unknown): boolean {
  return algorithm === "EdDSA" && alg === "Ed25519";
}

/** -1 for what is no base64url without padding. */
function byteLength(text: unknown): number {
  if (typeof text !== "string" || !/^[A-Za-z0-9_-]+$/.test(text) || text.length % 4 === 1) {
    return -1;
  }
  return Math.floor(text.length * 3 / 4);
}

function refuse(problem: string): { readonly ok: false; readonly problem: string } {
  return { ok: false, problem };
}
