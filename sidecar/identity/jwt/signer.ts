// Signs tokens: the gateway's login and the command line. jose does the signing; a key signs by one algorithm.
import { type CryptoKey as JoseKey, importPKCS8, SignJWT } from "jose";
import { type Algorithm, HMAC_MIN_BYTES } from "../../lib/jwk.ts";

export interface SigningKey {
  readonly key: JoseKey;
  readonly algorithm: Algorithm;
  /** Name of the key, for whoever checks. */
  readonly kid?: string | undefined;
}

export interface SigningChoice {
  /** Absent: the usual one of that kind of key. */
  readonly algorithm?: Algorithm | undefined;
  readonly kid?: string | undefined;
}

/** A shared secret. Throws Error for one that is too short. */
export async function signingSecret(
  secret: string,
  { algorithm = "HS256", kid }: SigningChoice = {},
): Promise<SigningKey> {
  const bytes = new TextEncoder().encode(secret);
  const least = HMAC_MIN_BYTES.get(algorithm);
  if (least === undefined) throw new Error(`${algorithm} takes a private key and not a secret`);
  if (bytes.length < least) {
    throw new Error(`the secret is too short: ${algorithm} takes at least ${least} bytes`);
  }
  const hash = `SHA-${algorithm.slice(2)}`;
  const key = await crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash }, false, ["sign"]);
  return { key, algorithm, kid };
}

/** The usual algorithm of each kind of key. */
const KINDS: readonly Algorithm[] = ["RS256", "ES256", "ES384", "ES512", "EdDSA"];

/** A private key in PEM, PKCS 8. Throws Error for what is none, or none for the algorithm. */
export async function signingPrivateKey(
  pem: string,
  { algorithm, kid }: SigningChoice = {},
): Promise<SigningKey> {
  for (const kind of algorithm === undefined ? KINDS : [algorithm]) {
    try {
      const key = await importPKCS8(pem, kind);
      await signToken({ key, algorithm: kind }, {}); // an RSA key may be too short
      return { key, algorithm: kind, kid };
    } catch {
      // Of another kind.
    }
  }
  const what = algorithm ?? "RSA (2048 bits at least), EC or Ed25519";
  throw new Error(`not a private key in PEM (-----BEGIN PRIVATE KEY-----) for ${what}`);
}

/** A token that says `claims`. */
export function signToken(
  { key, algorithm, kid }: SigningKey,
  claims: Readonly<Record<string, unknown>>,
): Promise<string> {
  const header = { alg: algorithm, typ: "JWT", ...(kid === undefined ? {} : { kid }) };
  return new SignJWT({ ...claims }).setProtectedHeader(header).sign(key);
}
