import { assertEquals } from "@std/assert";
import { readJwk } from "./jwk.ts";

/** Base64url of that many bytes. */
function bytes(count: number): string {
  return new Uint8Array(count).fill(1).toBase64({ alphabet: "base64url", omitPadding: true });
}

const RSA = { kty: "RSA", n: bytes(256), e: "AQAB" };
const P256 = { kty: "EC", crv: "P-256", x: bytes(32), y: bytes(32) };

function algorithmsOf(jwk: unknown): readonly string[] | string {
  const reading = readJwk(jwk);
  return reading.ok ? reading.algorithms : reading.problem;
}

Deno.test("readJwk binds a key to the algorithms of its kind, length and curve", () => {
  assertEquals(algorithmsOf(RSA), ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"]);
  assertEquals(algorithmsOf(P256), ["ES256"]);
  assertEquals(algorithmsOf({ kty: "EC", crv: "P-384", x: bytes(48), y: bytes(48) }), ["ES384"]);
  assertEquals(algorithmsOf({ kty: "EC", crv: "P-521", x: bytes(66), y: bytes(66) }), ["ES512"]);
  assertEquals(algorithmsOf({ kty: "OKP", crv: "Ed25519", x: bytes(32) }), ["EdDSA"]);
  assertEquals(algorithmsOf({ kty: "oct", k: bytes(32) }), ["HS256"]);
  assertEquals(algorithmsOf({ kty: "oct", k: bytes(48) }), ["HS256", "HS384"]);
  assertEquals(algorithmsOf({ kty: "oct", k: bytes(64) }), ["HS256", "HS384", "HS512"]);
});

Deno.test("readJwk binds a key that names its algorithm to that one alone", () => {
  assertEquals(algorithmsOf({ ...RSA, alg: "PS384" }), ["PS384"]);
  assertEquals(algorithmsOf({ kty: "OKP", crv: "Ed25519", x: bytes(32), alg: "Ed25519" }), [
    "EdDSA",
  ]);
  for (const alg of ["HS256", "ES256", "none", "rs256", 1, null]) {
    assertEquals(algorithmsOf({ ...RSA, alg }), "its alg is not one of its kty and length");
  }
});

Deno.test("readJwk keeps the public members alone", () => {
  const reading = readJwk({
    ...P256,
    d: bytes(32),
    kid: "a",
    use: "sig",
    x5u: "https://a.example",
  });
  assertEquals(reading, { ok: true, jwk: P256, kid: "a", algorithms: ["ES256"] });
});

Deno.test("readJwk refuses keys that are weak, for something else, or none", () => {
  const bad = [
    null,
    [],
    "x",
    {},
    { kty: "RSA" },
    { kty: "constructor" },
    { ...RSA, n: bytes(128) },
    { ...RSA, n: bytes(2049) },
    { ...RSA, e: bytes(9) },
    { ...RSA, e: 65_537 },
    { ...RSA, use: "enc" },
    { ...RSA, key_ops: ["sign"] },
    { ...RSA, key_ops: "verify" },
    { ...RSA, kid: 7 },
    { ...RSA, kid: "" },
    { ...RSA, kid: "x".repeat(257) },
    { ...P256, crv: "secp256k1" },
    { ...P256, crv: "Ed25519" },
    { ...P256, x: bytes(31) },
    { ...P256, y: `${P256.y}=` },
    { kty: "OKP", crv: "X25519", x: bytes(32) },
    { kty: "oct", k: bytes(31) },
    { kty: "oct", k: "short" },
  ];
  for (const jwk of bad) assertEquals(readJwk(jwk).ok, false, JSON.stringify(jwk));
});
