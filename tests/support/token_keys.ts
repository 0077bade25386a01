// Key pairs of every kind, and tokens signed with them from bytes: not by the library that checks them.
import { base64url, unsignedToken } from "./tokens.ts";

export type Kind = "RS" | "PS" | "ES256" | "ES384" | "ES512" | "EdDSA";

const GENERATED: Readonly<
  Record<Kind, (bits: number) => RsaHashedKeyGenParams | EcKeyGenParams | { name: string }>
> = {
  RS: (bits) => rsa("RSASSA-PKCS1-v1_5", bits),
  PS: (bits) => rsa("RSA-PSS", bits),
  ES256: () => ({ name: "ECDSA", namedCurve: "P-256" }),
  ES384: () => ({ name: "ECDSA", namedCurve: "P-384" }),
  ES512: () => ({ name: "ECDSA", namedCurve: "P-521" }),
  EdDSA: () => ({ name: "Ed25519" }),
};

function rsa(name: string, bits: number): RsaHashedKeyGenParams {
  return {
    name,
    modulusLength: 2048,
    publicExponent: new Uint8Array([1, 0, 1]),
    hash: `SHA-${bits}`,
  };
}

export interface TokenKey {
  readonly alg: string;
  readonly kid: string;
  /** The public key as a JWK with its kid, without alg. */
  readonly jwk: Readonly<Record<string, unknown>>;
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
  /** A token over `payload`; a string is taken as its very bytes. `header` adds to alg and kid. */
  sign(payload: unknown, header?: object): Promise<string>;
}

/** A new pair for `alg`. */
export async function tokenKey(alg: string, kid = alg): Promise<TokenKey> {
  const bits = Number(alg.slice(2)) || 0;
  const kind = (alg.startsWith("RS") || alg.startsWith("PS") ? alg.slice(0, 2) : alg) as Kind;
  const pair = await crypto.subtle.generateKey(GENERATED[kind](bits), true, [
    "sign",
    "verify",
  ]) as CryptoKeyPair;
  const { key_ops: _operations, ext: _ext, alg: _alg, ...jwk } = await crypto.subtle.exportKey(
    "jwk",
    pair.publicKey,
  );
  const parameters = {
    name: pair.privateKey.algorithm.name,
    hash: `SHA-${bits}`,
    saltLength: bits / 8,
  };
  return {
    alg,
    kid,
    jwk: { ...jwk, kid },
    ...pair,
    async sign(payload, header = {}) {
      const signed = unsignedToken({ alg, kid, ...header }, payload);
      const bytes = new TextEncoder().encode(signed);
      const signature = await crypto.subtle.sign(parameters, pair.privateKey, bytes);
      return `${signed}.${base64url(new Uint8Array(signature))}`;
    },
  };
}

/** A key as a PEM file holds it. */
export async function pemOf(key: CryptoKey): Promise<string> {
  const [format, label] = key.type === "private"
    ? ["pkcs8", "PRIVATE KEY"] as const
    : ["spki", "PUBLIC KEY"] as const;
  const base64 = new Uint8Array(await crypto.subtle.exportKey(format, key)).toBase64();
  return `-----BEGIN ${label}-----\n${
    base64.match(/.{1,64}/g)!.join("\n")
  }\n-----END ${label}-----\n`;
}
