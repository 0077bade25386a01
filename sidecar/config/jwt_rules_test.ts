import { assertEquals } from "@std/assert";
import { ALGORITHMS } from "../lib/jwk.ts";
import {
  bootstrap,
  MINIMAL,
  policy,
  policyProblems,
  problemsWith,
  SECRET,
} from "./test_documents.ts";

const ROUTE = "{ match: { path: /api/* }, to: a }";
const JWKS_URI = "https://id.example.com/jwks.json";
const B = "issuer: https://b.example";
const X = "A".repeat(43);

function problemsOf(jwt: string, more = "", route = ROUTE): string[] {
  return problemsWith(`gateway: { jwt: { ${jwt} }, ${more}routes: [${route}] }\n`)
    .map((problem) => problem.replace(/^3:\d+: gateway\.(?:jwt\.)?/, ""));
}

function jwtOf(jwt: string) {
  return bootstrap(`${MINIMAL}gateway: { jwt: { ${jwt} }, routes: [${ROUTE}] }\n`).gateway?.jwt;
}

function authOf(auth: string) {
  const route = `{ match: { path: / }, to: a, auth: ${auth} }`;
  const text =
    `${MINIMAL}gateway: { jwt: { jwksUri: "${JWKS_URI}", issuer: i }, routes: [${route}] }\n`;
  const { auth: mode, tokenRule } = bootstrap(text).gateway!.routes[0]!;
  return { auth: mode, tokenRule };
}

Deno.test("a jwt section takes one issuer by each source of keys", () => {
  const cases: [string, object][] = [
    [`secret: ${SECRET}`, { kind: "secret", secret: SECRET }],
    [`jwksUri: "${JWKS_URI}"`, { kind: "jwks-uri", url: JWKS_URI }],
    ["jwksFile: keys.json", { kind: "jwks-file", path: "keys.json" }],
    ["publicKey: key.pem", { kind: "public-key", path: "key.pem" }],
    [`jwks: { keys: [{ kty: OKP, crv: Ed25519, x: ${X} }] }`, {
      kind: "jwks",
      keys: [{ kty: "OKP", crv: "Ed25519", x: X }],
    }],
  ];
  for (const [text, keys] of cases) {
    assertEquals(jwtOf(text)?.issuers[0]?.keys as object, keys);
    assertEquals(problemsOf(text), []);
  }
});

Deno.test("a secret alone is for HS256, and for more where algorithms say so", () => {
  const long = "x".repeat(64);
  assertEquals(jwtOf(`secret: ${long}`)?.issuers[0]?.algorithms, ["HS256"]);
  assertEquals(jwtOf(`secret: ${long}, algorithms: [HS512]`)?.issuers[0]?.algorithms, ["HS512"]);
  const one = jwtOf(`issuers: [{ ${B}, secret: ${long} }]`)?.issuers[0];
  assertEquals(one?.algorithms, undefined);
});

Deno.test("issuers have keys of their own, and the audience of the section unless they name one", () => {
  const jwt = jwtOf(`audience: shop, issuers: [
    { issuer: a, jwksUri: "${JWKS_URI}" },
    { issuer: b, publicKey: b.pem, audience: [x, y], algorithms: [ES256] }]`);
  assertEquals(jwt?.issuers, [
    { issuer: "a", audiences: ["shop"], keys: { kind: "jwks-uri", url: JWKS_URI } },
    {
      issuer: "b",
      audiences: ["x", "y"],
      algorithms: ["ES256"],
      keys: { kind: "public-key", path: "b.pem" },
    },
  ]);
});

Deno.test("a jwt section names exactly one source of keys for each issuer", () => {
  const one = "expected exactly one of secret, jwks, jwksFile, jwksUri, publicKey";
  assertEquals(problemsOf(""), [`jwt: no source of keys, ${one}, issuers`]);
  assertEquals(problemsOf(`secret: ${SECRET}, publicKey: a`), [
    `jwt: more than one source of keys, ${one}, issuers`,
  ]);
  assertEquals(problemsOf(`issuers: [{ ${B} }]`), [`issuers[0]: no source of keys, ${one}`]);
  assertEquals(problemsOf(`issuers: [{ ${B}, publicKey: a }], secret: ${SECRET}, issuer: x`), [
    "secret: beside issuers, expected it inside of one of them",
    "issuer: beside issuers, expected it inside of one of them",
  ]);
  assertEquals(problemsOf(`issuers: [{ ${B}, publicKey: a }, { ${B}, publicKey: b }]`), [
    "issuers[1].issuer: named twice, expected each issuer once",
  ]);
  assertEquals(problemsOf("issuers: [{ publicKey: a }]"), [
    "issuers[0].issuer: missing, expected an issuer",
  ]);
});

Deno.test("algorithms are those of the key", () => {
  assertEquals(problemsOf(`secret: ${SECRET}, algorithms: [HS256, HS384, RS256]`), [
    "algorithms[1]: needs a secret of at least 48 bytes (RFC 7518, section 3.2)",
    "algorithms[2]: a public key's algorithm, expected HS256, HS384 or HS512",
  ]);
  for (const source of ["publicKey: a", `jwksUri: "${JWKS_URI}"`]) {
    assertEquals(problemsOf(`${source}, algorithms: [RS256, HS256]`), [
      "algorithms[1]: a secret's algorithm, expected one of a public key",
    ]);
  }
  assertEquals(problemsOf("publicKey: a, algorithms: [none]").length, 1);
  assertEquals(problemsOf(`jwksFile: a, algorithms: [${ALGORITHMS.join(", ")}]`), []);
});

Deno.test("a JWKS address is https, or on this machine, and holds no password", () => {
  const good = [JWKS_URI, "http://127.0.0.1:8080/k", "http://localhost/k", "http://[::1]:1/k"];
  for (const url of good) assertEquals(problemsOf(`jwksUri: "${url}"`), [], url);
  const bad = [
    "x",
    "http://id.example.com/k",
    "file:///etc/keys",
    "https://a:b@id.example/k",
    "https://a/k#x",
    "http://127.0.0.1.evil.example/",
  ];
  for (const url of bad) {
    const [problem = ""] = problemsOf(`jwksUri: "${url}"`);
    assertEquals(problem.startsWith("jwksUri: expected an https address"), true, url);
  }
});

Deno.test("a key in place is one that can be used, and a bad one is not shown", () => {
  const problem = (key: string) => problemsOf(`jwks: { keys: [${key}] }`);
  assertEquals(problem("{ kty: oct, k: c2VjcmV0 }"), [
    "jwks.keys[0]: unusable: its k is not base64url of 32 bytes at least",
  ]);
  assertEquals(problem("{ kty: DSA }"), [
    "jwks.keys[0]: unusable: its kty is none of RSA, EC, OKP, oct",
  ]);
  assertEquals(problem("x"), ["jwks.keys[0]: expected a key as RFC 7517 has it"]);
  assertEquals(problem(""), ["jwks.keys: empty, expected at least one entry"]);
});

Deno.test("tokenFrom names one place each, and none that claims are written to", () => {
  const places =
    `[{ header: X-Token }, { header: Authorization }, { cookie: session }, { query: t }]`;
  assertEquals(jwtOf(`publicKey: a, tokenFrom: ${places}`)?.tokenFrom, [
    { kind: "header", name: "x-token" },
    { kind: "header", name: "authorization", scheme: "Bearer" },
    { kind: "cookie", name: "session" },
    { kind: "query", name: "t" },
  ]);
  assertEquals(
    problemsOf(
      "publicKey: a, tokenFrom: [{}, { cookie: a, query: b }, { scheme: x, query: b }, { header: X-User-Id }]",
    ),
    [
      "tokenFrom[0]: expected exactly one of header, cookie, query",
      "tokenFrom[1]: expected exactly one of header, cookie, query",
      "tokenFrom[2].scheme: no header that it could stand in, expected header beside it",
      "tokenFrom[3].header: a header of claimHeaders, which are removed, expected another one",
    ],
  );
});

Deno.test("claims are asked for by value, by one of a list, or by any value", () => {
  const claims = jwtOf("publicKey: a, requiredClaims: { a: x, b: [1, y], c: true, d: [] }")
    ?.requiredClaims;
  assertEquals(
    claims,
    new Map<string, (string | number | boolean)[]>([
      ["a", ["x"]],
      ["b", [1, "y"]],
      ["c", [true]],
      ["d", []],
    ]),
  );
  assertEquals(problemsOf("publicKey: a, requiredClaims: { a: { b: c } }").length, 1);
});

Deno.test("a route says in a word or in a mapping what it asks of tokens", () => {
  for (const auth of ["none", "jwt", "optional"] as const) {
    assertEquals(authOf(auth), { auth, tokenRule: undefined });
  }
  assertEquals(authOf("{ jwt: { scopes: [a, b], claims: { role: admin }, issuers: [i] } }"), {
    auth: "jwt",
    tokenRule: { scopes: ["a", "b"], claims: new Map([["role", ["admin"]]]), issuers: ["i"] },
  });
  assertEquals(authOf("{ optional: {} }"), {
    auth: "optional",
    tokenRule: { scopes: [], claims: new Map(), issuers: [] },
  });
});

Deno.test("a route's auth is told what is wrong with it, inside the mapping too", () => {
  const problem = (auth: string) =>
    problemsOf("publicKey: a, issuer: i", "", `{ match: { path: / }, to: a, auth: ${auth} }`)
      .map((each) => each.replace("routes[0].", ""));
  assertEquals(problem("maybe"), [
    "auth: not a value of this setting, " +
    "expected none, jwt, optional or a mapping of one of them to scopes, claims, issuers",
  ]);
  assertEquals(problem("{ jwt: {}, optional: {} }"), [
    "auth: expected exactly one of jwt, optional",
  ]);
  assertEquals(problem("{}"), ["auth: expected exactly one of jwt, optional"]);
  assertEquals(problem("{ jwt: { scope: [a] } }"), [
    'auth.jwt.scope: unknown key "scope", did you mean "scopes"?',
  ]);
  assertEquals(problem('{ jwt: { scopes: ["a b"] } }'), [
    "auth.jwt.scopes[0]: expected a scope such as orders:write",
  ]);
  assertEquals(problem("{ jwt: { issuers: [j] } }"), [
    "auth.jwt.issuers[0]: an issuer that is not configured",
  ]);
  const none = `gateway: { routes: [{ match: { path: / }, to: a, auth: { optional: {} } }] }\n`;
  assertEquals(problemsWith(none).map((each) => each.replace(/^3:\d+: /, "")), [
    "gateway.routes[0].auth: nothing to check tokens with, expected a gateway.jwt section",
  ]);
});

Deno.test("login signs for one issuer, with its secret or a private key", () => {
  const login = (text: string, jwt: string) =>
    problemsOf(jwt, `login: { passwordless: true${text} }, `);
  const two = `issuers: [{ issuer: a, secret: ${SECRET} }, { ${B}, publicKey: b.pem }]`;
  assertEquals(login("", "publicKey: a.pem"), [
    "login: nothing to sign tokens with: the issuer has no secret, expected signing.privateKey",
  ]);
  assertEquals(login(", signing: { privateKey: a.pem }", "publicKey: a.pem"), []);
  assertEquals(login("", two), [
    "login.issuer: missing where there are several issuers, expected one of gateway.jwt.issuers",
  ]);
  assertEquals(login(", issuer: a", two), []);
  assertEquals(login(", issuer: c", two), [
    "login.issuer: not an issuer of gateway.jwt, expected one of them",
  ]);
  const text =
    `gateway: { jwt: { ${two} }, login: { passwordless: true, issuer: a }, routes: [${ROUTE}] }`;
  const built = bootstrap(MINIMAL + text).gateway?.login;
  assertEquals([built?.issuer, built?.signing], ["a", {
    kind: "secret",
    secret: SECRET,
    algorithm: "HS256",
  }]);
});

Deno.test("the inbound policy takes the same section, and asks every call for a token unless told otherwise", () => {
  const of = (jwt: string) => policy(`inbound: { jwt: { ${jwt} } }`).inbound.jwt;
  assertEquals(of("publicKey: a.pem"), {
    issuers: [{ audiences: [], keys: { kind: "public-key", path: "a.pem" } }],
    clockSkewMs: 0,
    claimHeaders: new Map([["user_id", "x-user-id"]]),
    tokenFrom: [{ kind: "header", name: "authorization", scheme: "Bearer" }],
    requiredClaims: new Map(),
    auth: "jwt",
  });
  assertEquals(of("publicKey: a.pem, auth: optional")?.auth, "optional");
  assertEquals(of("publicKey: a.pem, auth: { jwt: { scopes: [s] } }")?.tokenRule?.scopes, ["s"]);
  assertEquals(policyProblems("inbound: { jwt: { auth: none } }").length, 1);
  assertEquals(policyProblems("inbound: { jwt: { auth: { jwt: { issuers: [x] } } } }"), [
    "1:17: inbound.jwt: no source of keys, " +
    "expected exactly one of secret, jwks, jwksFile, jwksUri, publicKey, issuers",
    "1:44: inbound.jwt.auth.jwt.issuers[0]: an issuer that is not configured",
  ]);
});
