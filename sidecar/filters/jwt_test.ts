import { assertEquals } from "@std/assert";
import { fakeExchange } from "../../tests/support/fake_exchange.ts";
import { base64url, SECRET, signToken, unsignedToken } from "../../tests/support/tokens.ts";
import { bearer, filter, GOOD, NOW, OPEN, PROTECTED, verdict } from "./test_jwt.ts";

Deno.test("Jwt lets a good token in and says who it is", async () => {
  const { jwt } = await filter();
  const exchange = bearer(await signToken(GOOD));
  assertEquals(await verdict(jwt, exchange), "ok");
  assertEquals(exchange.caller, { subject: "alice", claims: GOOD });
  assertEquals(exchange.request.headers.all("x-user-id"), ["alice"]);
});

Deno.test("Jwt asks for the Authorization field in the seed's three ways", async () => {
  const { jwt } = await filter();
  const good = await signToken(GOOD);
  const ask = (...values: string[]) => {
    const headers = values.map((value) => ["authorization", value] as const);
    return verdict(jwt, fakeExchange({ route: PROTECTED, headers }));
  };
  assertEquals(await ask(), "missing-authorization");
  const malformed = [
    "",
    "Bearer",
    "Bearer ",
    `Basic ${good}`,
    good,
    `Bearer  ${good}`,
    `Bearer ${good} x`,
  ]
    .concat([`Bearer ${good}, Bearer ${good}`, `Bearer${good}`, `Token ${good}`]);
  for (const value of malformed) assertEquals(await ask(value), "invalid-authorization", value);
  for (const value of [`Bearer ${good}`, `bearer ${good}`, `BEARER ${good}`]) {
    assertEquals(await ask(value), "ok", value);
  }
});

Deno.test("Jwt refuses two Authorization fields: one reader would take the first, another the last", async () => {
  const { jwt } = await filter();
  const value = `Bearer ${await signToken(GOOD)}`;
  const headers = [["authorization", value], ["authorization", value]] as const;
  assertEquals(
    await verdict(jwt, fakeExchange({ route: PROTECTED, headers })),
    "invalid-authorization",
  );
});

Deno.test("Jwt refuses a token that is not signed with our secret by HS256", async () => {
  const { jwt } = await filter();
  const good = await signToken(GOOD);
  const [header, payload, signature] = good.split(".") as [string, string, string];
  const [, forged] = unsignedToken({}, { ...GOOD, user_id: "admin" }).split(".") as [
    string,
    string,
  ];
  const flipped = signature.startsWith("A") ? `B${signature.slice(1)}` : `A${signature.slice(1)}`;
  const hostile: Record<string, string> = {
    "alg none": `${unsignedToken({ alg: "none" }, GOOD)}.`,
    "alg None": `${unsignedToken({ alg: "None" }, GOOD)}.`,
    "alg none with the signature of another": `${
      unsignedToken({ alg: "none" }, GOOD)
    }.${signature}`,
    "alg missing": await signToken(GOOD, { header: { typ: "JWT" } }),
    "alg of another kind": await signToken(GOOD, { header: { alg: 1 } }),
    "alg in a list": await signToken(GOOD, { header: { alg: ["HS256"] } }),
    "alg in lower case": await signToken(GOOD, { header: { alg: "hs256" } }),
    "HS512": await signToken(GOOD, { header: { alg: "HS512" }, hash: "SHA-512" }),
    "HS256 that says HS512": await signToken(GOOD, { header: { alg: "HS512" } }),
    "RS256 over our HMAC": await signToken(GOOD, { header: { alg: "RS256" } }),
    "another secret": await signToken(GOOD, { secret: SECRET.replace("0", "1") }),
    "an empty-looking secret": await signToken(GOOD, { secret: "\0".repeat(32) }),
    "claims exchanged": `${header}.${forged}.${signature}`,
    "header exchanged": `${
      base64url(new TextEncoder().encode('{"alg":"HS256"}'))
    }.${payload}.${signature}`,
    "signature flipped": `${header}.${payload}.${flipped}`,
    "signature cut": good.slice(0, -4),
    "signature empty": `${header}.${payload}.`,
    "no signature": `${header}.${payload}`,
    "a fourth part": `${good}.x`,
    "five parts": `${good}.x.y`,
    "a key of its own": await signToken(GOOD, {
      header: { alg: "HS256", jwk: { kty: "oct", k: base64url(new Uint8Array(32)) } },
      secret: "\0".repeat(32),
    }),
    "an unknown critical header": await signToken(GOOD, {
      header: { alg: "HS256", crit: ["x"], x: 1 },
    }),
    "an unencoded payload": await signToken(GOOD, {
      header: { alg: "HS256", crit: ["b64"], b64: false },
    }),
  };
  for (const [what, token] of Object.entries(hostile)) {
    const exchange = bearer(token);
    assertEquals(await verdict(jwt, exchange), "invalid-token", what);
    assertEquals(exchange.caller, undefined, what);
    assertEquals(exchange.request.headers.has("x-user-id"), false, what);
  }
});

Deno.test("Jwt refuses a token signed with RSA, and the public key as HMAC secret gets nobody in", async () => {
  const pair = await crypto.subtle.generateKey(
    {
      name: "RSASSA-PKCS1-v1_5",
      modulusLength: 2048,
      publicExponent: new Uint8Array([1, 0, 1]),
      hash: "SHA-256",
    },
    true,
    ["sign", "verify"],
  );
  const signed = unsignedToken({ alg: "RS256" }, GOOD);
  const bytes = new TextEncoder().encode(signed);
  const signature = await crypto.subtle.sign("RSASSA-PKCS1-v1_5", pair.privateKey, bytes);
  const { jwt } = await filter();
  const rsa = `${signed}.${base64url(new Uint8Array(signature))}`;
  assertEquals(await verdict(jwt, bearer(rsa)), "invalid-token");
  const spki = base64url(new Uint8Array(await crypto.subtle.exportKey("spki", pair.publicKey)));
  const confused = await signToken(GOOD, { secret: spki });
  assertEquals(await verdict(jwt, bearer(confused)), "invalid-token");
});

Deno.test("Jwt refuses bytes that are no token at all", async () => {
  const { jwt } = await filter();
  const object = await signToken("[1,2]");
  const tokens = ["x", ".", "..", "...", "a.b.c", "\u00e9.\u00e9.\u00e9", "\t", "{}", "%00", object]
    .concat([await signToken("{"), await signToken("null"), await signToken('"text"')]);
  for (const token of tokens) {
    assertEquals(await verdict(jwt, bearer(token)), "invalid-token", token);
  }
});

Deno.test("Jwt refuses a token cut at any place", async () => {
  const { jwt } = await filter();
  const good = await signToken(GOOD);
  for (let length = 1; length < good.length; length++) {
    assertEquals(await verdict(jwt, bearer(good.slice(0, length))), "invalid-token", `${length}`);
  }
});

Deno.test("Jwt refuses a token without an end, past its end, or before its beginning", async () => {
  const { jwt } = await filter();
  const { exp: _exp, ...endless } = GOOD;
  const payloads = [
    endless,
    { ...GOOD, exp: NOW },
    { ...GOOD, exp: NOW - 1 },
    { ...GOOD, exp: 0 },
    { ...GOOD, exp: -1 },
    { ...GOOD, exp: null },
    { ...GOOD, exp: String(NOW + 60) },
    { ...GOOD, exp: [NOW + 60] },
    { ...GOOD, nbf: NOW + 1 },
    { ...GOOD, nbf: "0" },
  ];
  for (const payload of payloads) {
    assertEquals(
      await verdict(jwt, bearer(await signToken(payload))),
      "invalid-token",
      JSON.stringify(payload),
    );
  }
  assertEquals(
    await verdict(jwt, bearer(await signToken({ ...GOOD, exp: NOW + 1, nbf: NOW }))),
    "ok",
  );
});

Deno.test("Jwt allows for clocks that differ by clockSkew and no more", async () => {
  const { jwt } = await filter({ clockSkewMs: 5000 });
  const ask = async (claims: object) =>
    await verdict(jwt, bearer(await signToken({ ...GOOD, ...claims })));
  assertEquals(await ask({ exp: NOW - 4 }), "ok");
  assertEquals(await ask({ exp: NOW - 5 }), "invalid-token");
  assertEquals(await ask({ nbf: NOW + 5 }), "ok");
  assertEquals(await ask({ nbf: NOW + 6 }), "invalid-token");
});

Deno.test("Jwt asks for the issuer and the audience where they are configured", async () => {
  const { jwt } = await filter({ issuer: "us", audience: "shop" });
  const ask = async (claims: object) =>
    await verdict(jwt, bearer(await signToken({ ...GOOD, ...claims })));
  assertEquals(await ask({ iss: "us", aud: "shop" }), "ok");
  assertEquals(await ask({ iss: "us", aud: ["other", "shop"] }), "ok");
  for (
    const claims of [{}, { iss: "us" }, { aud: "shop" }, { iss: "them", aud: "shop" }, {
      iss: "us",
      aud: "bank",
    }]
  ) {
    assertEquals(await ask(claims), "invalid-token", JSON.stringify(claims));
  }
});

Deno.test("Jwt refuses a claim that cannot be a header field: line breaks, other alphabets, nothing, structures", async () => {
  const { jwt } = await filter();
  const bad = [
    "a\r\nx-admin: 1",
    "a\nb",
    "\0",
    "日本",
    "😀",
    "a\u007f",
    "",
    " alice",
    "alice ",
    " ",
    null,
    ["a"],
    { a: 1 },
  ];
  for (const user_id of bad) {
    const exchange = bearer(await signToken({ ...GOOD, user_id }));
    assertEquals(await verdict(jwt, exchange), "invalid-token", JSON.stringify(user_id));
  }
  for (const [user_id, text] of [["é", "é"], ["a b", "a b"], [7, "7"], [true, "true"]] as const) {
    const exchange = bearer(await signToken({ ...GOOD, user_id }));
    assertEquals(await verdict(jwt, exchange), "ok");
    assertEquals(exchange.request.headers.get("x-user-id"), text);
  }
});

Deno.test("Jwt hands on the configured claims, each under its header, and none that the token lacks", async () => {
  const claimHeaders = new Map([["sub", "x-sub"], ["role", "x-role"], ["org", "x-org"]]);
  const { jwt } = await filter({ claimHeaders });
  const headers = {
    authorization: `Bearer ${await signToken({ ...GOOD, sub: "s", role: "buyer" })}`,
    "x-org": "spoofed",
  };
  const exchange = bearer("", { headers });
  assertEquals(await verdict(jwt, exchange), "ok");
  const read = ["x-sub", "x-role", "x-org"].map((name) => exchange.request.headers.get(name));
  assertEquals(read, ["s", "buyer", undefined]);
});

Deno.test("Jwt takes the subject from user_id, else from sub, else from nowhere", async () => {
  const { jwt } = await filter();
  const subject = async (claims: object) => {
    const exchange = bearer(await signToken({ exp: NOW + 60, ...claims }));
    await jwt.onRequest(exchange);
    return exchange.caller?.subject;
  };
  assertEquals(await subject({ user_id: "u", sub: "s" }), "u");
  assertEquals(await subject({ sub: "s" }), "s");
  assertEquals(await subject({}), "");
});

Deno.test("Jwt removes what says who is calling on every route: with auth, without, and where there is none", async () => {
  const claimHeaders = new Map([["user_id", "x-user-id"], ["role", "x-role"]]);
  const { jwt } = await filter({ claimHeaders });
  const spoofed = [
    ["x-user-id", "admin"],
    ["x-role", "root"],
    ["x-user-id", "again"],
    ["x_user_id", "admin"],
    ["x_role", "root"],
  ] as const;
  for (const route of [OPEN, undefined]) {
    const exchange = fakeExchange({ headers: spoofed, authority: "" });
    exchange.route = route;
    assertEquals(jwt.onRequest(exchange), undefined);
    assertEquals([...exchange.request.headers], []);
  }
  const headers = [["authorization", `Bearer ${await signToken(GOOD)}`], ...spoofed] as const;
  const exchange = bearer("", { headers });
  assertEquals(await verdict(jwt, exchange), "ok");
  assertEquals(exchange.request.headers.all("x-user-id"), ["alice"]);
  for (const name of ["x-role", "x_role", "x_user_id"]) {
    assertEquals(exchange.request.headers.has(name), false, name);
  }
});

Deno.test("Jwt removes x-user-id also where configuration maps no claim to it", async () => {
  for (const claimHeaders of [new Map([["sub", "x-sub"]]), new Map<string, string>()]) {
    const { jwt } = await filter({ claimHeaders });
    const headers = { authorization: `Bearer ${await signToken(GOOD)}`, "x-user-id": "admin" };
    for (const route of [PROTECTED, OPEN]) {
      const exchange = fakeExchange({ route, headers });
      assertEquals(await verdict(jwt, exchange), "ok");
      assertEquals(exchange.request.headers.has("x-user-id"), false);
    }
  }
});

Deno.test("Jwt does not look at tokens of a route that asks for none", async () => {
  const { jwt } = await filter();
  const exchange = fakeExchange({ route: OPEN, headers: { authorization: "Bearer nonsense" } });
  assertEquals(await verdict(jwt, exchange), "ok");
  assertEquals(exchange.request.headers.get("authorization"), "Bearer nonsense");
});
