// Tokens made to get in without a right to: each is shown to the filter, and each must be refused.
import { assertEquals } from "@std/assert";
import { pemOf, type TokenKey, tokenKey } from "../../tests/support/token_keys.ts";
import { base64url, signToken, unsignedToken } from "../../tests/support/tokens.ts";
import { FakeClock } from "../../tests/support/fake_clock.ts";
import type { Algorithm } from "../lib/jwk.ts";
import { bearer, GOOD, makeJwt, NOW, SETTINGS, verdict } from "./test_jwt.ts";

const ISSUER = "https://id.example";
const CLAIMS = { ...GOOD, iss: ISSUER, aud: "shop" };
const ALGORITHMS = [
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
];

/** A gateway that takes tokens of ISSUER for `shop`, signed by one of `keys`. */
function gate(keys: readonly object[], algorithms?: readonly Algorithm[]) {
  const origin = { kind: "jwks", keys: keys as Record<string, unknown>[] } as const;
  const limit = algorithms === undefined ? {} : { algorithms };
  const issuers = [{ issuer: ISSUER, audiences: ["shop"], keys: origin, ...limit }];
  const jwt = makeJwt({ ...SETTINGS, issuers }, { clock: new FakeClock() });
  return (token: string) => verdict(jwt, bearer(token));
}

async function refusesAll(
  ask: (token: string) => Promise<string>,
  hostile: Readonly<Record<string, string | Promise<string>>>,
): Promise<void> {
  for (const [what, token] of Object.entries(hostile)) {
    assertEquals(await ask(await token), "invalid-token", what);
  }
}

Deno.test("Jwt takes a good token of every algorithm, with and without its kid", async () => {
  const keys = await Promise.all(ALGORITHMS.map((alg) => tokenKey(alg)));
  const ask = gate(keys.map(({ jwk }) => jwk));
  for (const key of keys) {
    assertEquals(await ask(await key.sign(CLAIMS)), "ok", key.alg);
    const alone = gate([key.jwk]);
    assertEquals(await alone(await key.sign(CLAIMS, { kid: undefined })), "ok", key.alg);
  }
  const edwards = keys.at(-1)!;
  assertEquals(await ask(await edwards.sign(CLAIMS, { alg: "Ed25519" })), "ok");
});

Deno.test("Jwt takes no unsigned token, however none is spelled", async () => {
  const key = await tokenKey("ES256");
  const good = await key.sign(CLAIMS);
  const signature = good.split(".")[2]!;
  const hostile: Record<string, string> = {};
  for (
    const alg of ["none", "None", "NONE", "nOnE", "none ", " none", "none\0", "ｎｏｎｅ", "", null]
  ) {
    const signed = unsignedToken({ alg, kid: "ES256" }, CLAIMS);
    hostile[`${alg} without`] = `${signed}.`;
    hostile[`${alg} with a signature`] = `${signed}.${signature}`;
    hostile[`${alg} with one byte`] = `${signed}.AA`;
  }
  await refusesAll(gate([key.jwk]), hostile);
});

/** An HMAC over the token with what everybody may know of the key. */
async function confused(key: TokenKey, alg: "HS256" | "HS512", secret: string): Promise<string> {
  const hash = alg === "HS256" ? "SHA-256" : "SHA-512";
  return await signToken(CLAIMS, { header: { alg, kid: key.kid }, secret, hash });
}

Deno.test("Jwt never takes a public key for a secret", async () => {
  for (const alg of ["RS256", "PS256", "ES256", "EdDSA"]) {
    const key = await tokenKey(alg);
    const pem = await pemOf(key.publicKey);
    const spki = new Uint8Array(await crypto.subtle.exportKey("spki", key.publicKey));
    const secrets = {
      "PEM": pem,
      "PEM without its last line feed": pem.trimEnd(),
      "PEM on one line": pem.replaceAll("\n", ""),
      "base64 of the DER": spki.toBase64(),
      "JWK": JSON.stringify(key.jwk),
      "a member": String(key.jwk["n"] ?? key.jwk["x"]),
    };
    for (const ask of [gate([key.jwk]), gate([{ ...key.jwk, kid: undefined }])]) {
      for (const [what, secret] of Object.entries(secrets)) {
        await refusesAll(ask, {
          [`${alg} ${what} HS256`]: confused(key, "HS256", secret),
          [`${alg} ${what} HS512`]: confused(key, "HS512", secret),
        });
      }
    }
  }
});

Deno.test("Jwt binds each key to its algorithms: another of the same kind is refused", async () => {
  const rsa = await tokenKey("RS256");
  const curve = await tokenKey("ES256");
  const edwards = await tokenKey("EdDSA");
  const claims = (alg: string) => unsignedToken({ alg, kid: "ES256" }, CLAIMS);
  await refusesAll(gate([{ ...rsa.jwk, alg: "PS256" }]), {
    "RS256 by a PS256 key": rsa.sign(CLAIMS),
  });
  await refusesAll(gate([rsa.jwk], ["RS512"]), { "not configured": rsa.sign(CLAIMS) });
  await refusesAll(gate([curve.jwk, edwards.jwk]), {
    "ES384 by P-256": curve.sign(CLAIMS, { alg: "ES384" }),
    "ES512 by P-256": curve.sign(CLAIMS, { alg: "ES512" }),
    "ES256K": curve.sign(CLAIMS, { alg: "ES256K" }),
    "ES256 in lower case": curve.sign(CLAIMS, { alg: "es256" }),
    "EdDSA by a curve of ECDSA": curve.sign(CLAIMS, { alg: "EdDSA" }),
    "ES256 by Ed25519": edwards.sign(CLAIMS, { alg: "ES256" }),
    "RS256 where there is no RSA key": rsa.sign(CLAIMS),
    "RS256 under the kid of another": rsa.sign(CLAIMS, { kid: "ES256" }),
    "r and s zero": `${claims("ES256")}.${base64url(new Uint8Array(64))}`,
    "r and s zero, in DER": `${claims("ES256")}.${
      base64url(new Uint8Array([48, 6, 2, 1, 0, 2, 1, 0]))
    }`,
    "a signature that is too short": `${claims("ES256")}.${base64url(new Uint8Array(32))}`,
    "a signature of zeroes, Ed25519": `${unsignedToken({ alg: "EdDSA", kid: "EdDSA" }, CLAIMS)}.${
      base64url(new Uint8Array(64))
    }`,
    "a key agreement": curve.sign(CLAIMS, { alg: "ECDH-ES" }),
  });
});

Deno.test("Jwt takes no key that a token brings or names, and no signature of another under the same kid", async () => {
  const key = await tokenKey("RS256", "k1");
  const evil = await tokenKey("RS256", "k1");
  const spki = new Uint8Array(await crypto.subtle.exportKey("spki", evil.publicKey)).toBase64();
  const url = "https://evil.example/jwks.json";
  await refusesAll(gate([key.jwk]), {
    "the same kid": evil.sign(CLAIMS),
    "jwk": evil.sign(CLAIMS, { jwk: evil.jwk }),
    "jwk and no kid": evil.sign(CLAIMS, { kid: undefined, jwk: evil.jwk }),
    "jku": evil.sign(CLAIMS, { jku: url }),
    "x5u": evil.sign(CLAIMS, { x5u: url }),
    "x5c": evil.sign(CLAIMS, { x5c: [spki] }),
    "x5c and no kid": evil.sign(CLAIMS, { kid: undefined, x5c: [spki] }),
    "another kid": key.sign(CLAIMS, { kid: "k2" }),
    "a kid that is a path": key.sign(CLAIMS, { kid: "../../../../dev/null" }),
    "a kid that is a query": key.sign(CLAIMS, { kid: "k1' OR '1'='1" }),
    "a kid that every object has": key.sign(CLAIMS, { kid: "__proto__" }),
    "a kid of another case": key.sign(CLAIMS, { kid: "K1" }),
    "a kid with a NUL": key.sign(CLAIMS, { kid: "k1\0" }),
    "a kid that looks the same": key.sign(CLAIMS, { kid: "ｋ1" }),
    "a list as kid": key.sign(CLAIMS, { kid: ["k1"] }),
    "a number as kid": key.sign(CLAIMS, { kid: 1 }),
    "an endless kid": key.sign(CLAIMS, { kid: "k".repeat(1000) }),
  });
  const ask = gate([key.jwk]);
  assertEquals(await ask(await key.sign(CLAIMS, { jku: url, jwk: evil.jwk })), "ok");
});

Deno.test("Jwt understands no critical header, so that a token with one is refused", async () => {
  const key = await tokenKey("ES256");
  await refusesAll(gate([key.jwk]), {
    "unknown": key.sign(CLAIMS, { crit: ["x"], x: 1 }),
    "b64 false": key.sign(CLAIMS, { crit: ["b64"], b64: false }),
    "b64 true": key.sign(CLAIMS, { crit: ["b64"], b64: true }),
    "exp": key.sign(CLAIMS, { crit: ["exp"], exp: 1 }),
    "empty": key.sign(CLAIMS, { crit: [] }),
    "null": key.sign(CLAIMS, { crit: null }),
    "a text": key.sign(CLAIMS, { crit: "b64" }),
    "what is not there": key.sign(CLAIMS, { crit: ["y"] }),
  });
});

Deno.test("Jwt refuses claims of wrong types, and a claim that comes twice", async () => {
  const key = await tokenKey("ES256");
  const json = JSON.stringify(CLAIMS);
  const twice = (more: string) => key.sign(`${json.slice(0, -1)},${more}}`);
  const wrong: Record<string, Promise<string>> = {
    "user_id twice": twice('"user_id":"admin"'),
    "exp twice": twice(`"exp":${NOW + 9999}`),
    "user_id twice, escaped": twice('"user\\u005fid":"admin"'),
    "a member of a member twice": twice('"a":{"b":1,"b":2}'),
    "exp too large": key.sign(json.replace(/"exp":\d+/, '"exp":1e400')),
    "exp beyond counting": key.sign({ ...CLAIMS, exp: 1e300 }),
    "no exp": key.sign({ ...CLAIMS, exp: undefined }),
    "no claims": key.sign("{}"),
    "a list": key.sign("[]"),
    "nothing": key.sign(""),
    "a byte order mark": key.sign(`\ufeff${json}`),
    "something behind": key.sign(`${json} x`),
    "not UTF-8": key.sign(json).then((token) => {
      const [header, , signature] = token.split(".");
      return `${header}.${base64url(new Uint8Array([123, 34, 255, 34, 58, 49, 125]))}.${signature}`;
    }),
    "iss of another case": key.sign({ ...CLAIMS, iss: ISSUER.toUpperCase() }),
    "iss with a slash": key.sign({ ...CLAIMS, iss: `${ISSUER}/` }),
    "no aud": key.sign({ ...CLAIMS, aud: undefined }),
    "another aud": key.sign({ ...CLAIMS, aud: ["bank", "shops"] }),
    "expired": key.sign({ ...CLAIMS, exp: NOW }),
    "not valid yet": key.sign({ ...CLAIMS, nbf: NOW + 1 }),
  };
  for (const value of ["1", "", true, null, [], [NOW + 60], {}, { valueOf: 1 }]) {
    for (const claim of ["exp", "nbf", "iat"]) {
      const bad = { ...CLAIMS, [claim]: value };
      wrong[`${claim} ${JSON.stringify(value)}`] = key.sign(bad);
    }
  }
  for (const value of [1, true, null, [ISSUER], {}]) {
    for (const claim of ["iss", "sub", "jti"]) {
      wrong[`${claim} ${JSON.stringify(value)}`] = key.sign({ ...CLAIMS, [claim]: value });
    }
  }
  for (const value of [1, true, null, {}, ["shop", 1], [["shop"]]]) {
    wrong[`aud ${JSON.stringify(value)}`] = key.sign({ ...CLAIMS, aud: value });
  }
  const ask = gate([key.jwk]);
  await refusesAll(ask, wrong);
  assertEquals(await ask(await key.sign(json)), "ok");
  assertEquals(await ask(await twice('"more":{"exp":1},"list":[{"a":1},{"a":2}]')), "ok");
});

Deno.test("Jwt takes one spelling of a token and no other", async () => {
  const key = await tokenKey("RS256");
  const good = await key.sign(CLAIMS);
  const [header = "", payload = "", signature = ""] = good.split(".");
  // 256 bytes end in a group with four bits to spare.
  const spare = signature.slice(0, -1) + String.fromCharCode(signature.charCodeAt(342 - 1) + 1);
  await refusesAll(gate([key.jwk]), {
    "padding": `${good}==`,
    "padding of the payload": `${header}.${payload}=.${signature}`,
    "bits that are left over": `${header}.${payload}.${spare}`,
    "plain base64": `${header}.${payload}.+${signature.slice(1)}`,
    "a tab": `${header}\t.${payload}.${signature}`,
    "a space that is none": `${header}.${payload}\u00a0.${signature}`,
    "other letters": `${header}.${payload}.é${signature.slice(1)}`,
    "a byte above ASCII": `${header}\u00ff.${payload}.${signature}`,
    "JSON and not base64url": `{"alg":"RS256"}.${JSON.stringify(CLAIMS)}.${signature}`,
    "five parts, encrypted": `${header}....${signature}`,
    "the header twice": `${header}.${header}.${payload}.${signature}`,
    "a header with a member twice": `${
      base64url(new TextEncoder().encode('{"alg":"none","alg":"RS256","kid":"RS256"}'))
    }.${payload}.${signature}`,
    "cut": good.slice(0, -1),
    "one byte short": `${header}.${payload}.${signature.slice(0, -2)}`,
    "a dot more": `${good}.`,
    "a dot before": `.${good}`,
    "huge": `${header}.${payload}${"A".repeat(20_000)}.${signature}`,
  });
  assertEquals(await gate([key.jwk])(good), "ok");
});

Deno.test("Jwt never checks the token of one issuer with the key of another", async () => {
  const ours = await tokenKey("ES256", "k");
  const theirs = await tokenKey("ES256", "k");
  const issuers = [["https://a.example", ours], ["https://b.example", theirs]] as const;
  const jwt = makeJwt({
    ...SETTINGS,
    issuers: issuers.map(([issuer, { jwk }]) => ({
      issuer,
      audiences: [],
      keys: { kind: "jwks", keys: [jwk] },
    })),
  }, { clock: new FakeClock() });
  const ask = (token: string) => verdict(jwt, bearer(token));
  for (const [iss, key] of issuers) assertEquals(await ask(await key.sign({ ...GOOD, iss })), "ok");
  await refusesAll(ask, {
    "theirs as ours": theirs.sign({ ...GOOD, iss: "https://a.example" }),
    "ours as theirs": ours.sign({ ...GOOD, iss: "https://b.example" }),
    "of nobody": ours.sign(GOOD),
    "of a third": ours.sign({ ...GOOD, iss: "https://c.example" }),
  });
});
