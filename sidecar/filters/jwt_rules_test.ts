// What routes ask of a token beyond that it is good, and where they look for it.
import { assertEquals } from "@std/assert";
import { FakeClock } from "../../tests/support/fake_clock.ts";
import { fakeExchange } from "../../tests/support/fake_exchange.ts";
import { fakeRoute } from "../../tests/support/fake_snapshot.ts";
import { signToken } from "../../tests/support/tokens.ts";
import { ProxyError } from "../errors.ts";
import type { TokenRule } from "../identity/jwt/settings.ts";
import { bearer, filter, GOOD, makeJwt, SETTINGS, verdict } from "./test_jwt.ts";

function routeWith(rule: Partial<TokenRule>) {
  const tokenRule = { scopes: [], claims: new Map(), issuers: [], ...rule };
  return fakeRoute("/x", { auth: "jwt", tokenRule });
}

async function ask(rule: Partial<TokenRule>, claims: object): Promise<string> {
  const { jwt } = await filter();
  const route = routeWith(rule);
  const first = await verdict(jwt, bearer(await signToken({ ...GOOD, ...claims }), { route }));
  // Once checked and once remembered.
  assertEquals(
    await verdict(jwt, bearer(await signToken({ ...GOOD, ...claims }), { route })),
    first,
  );
  return first;
}

Deno.test("Jwt asks a route's scopes of scope and scp, all of them", async () => {
  const scopes = ["orders:read", "orders:write"];
  assertEquals(await ask({ scopes }, { scope: "orders:write x orders:read" }), "ok");
  assertEquals(await ask({ scopes }, { scp: ["orders:write", "orders:read"] }), "ok");
  assertEquals(await ask({ scopes }, { scp: "orders:write", scope: "orders:read" }), "ok");
  const short = [
    {},
    { scope: "" },
    { scope: "orders:read" },
    { scope: "orders:readorders:write" },
    {
      scope: 1,
    },
    { scope: "orders:read,orders:write" },
    { scp: [scopes] },
    { scopes },
  ];
  for (const claims of short) {
    assertEquals(await ask({ scopes }, claims), "insufficient-scope", JSON.stringify(claims));
  }
});

Deno.test("Jwt says which scopes a route needs, as RFC 6750 has it", async () => {
  const { jwt } = await filter();
  const route = routeWith({ scopes: ["a", "b"] });
  const exchange = bearer(await signToken(GOOD), { route });
  const error = await Promise.resolve(jwt.onRequest(exchange)).catch((error) => error);
  assertEquals(error instanceof ProxyError && error.fields, {
    "www-authenticate": 'Bearer error="insufficient_scope", scope="a b"',
  });
  assertEquals(exchange.caller, undefined);
  assertEquals(exchange.request.headers.has("x-user-id"), false);
});

Deno.test("Jwt asks a route's claims by value, one of a list, or any value", async () => {
  const claims = new Map([["role", ["admin", "staff"]], ["level", [3]], ["org", []]]);
  const good = { role: "staff", level: 3, org: "x" };
  assertEquals(await ask({ claims }, good), "ok");
  assertEquals(await ask({ claims }, { ...good, role: ["buyer", "admin"] }), "ok");
  for (
    const other of [{ role: "buyer" }, { role: undefined }, { role: [["admin"]] }, { level: "3" }, {
      org: undefined,
    }, { org: null }]
  ) {
    const said = { ...good, ...other };
    assertEquals(await ask({ claims }, said), "insufficient-scope", JSON.stringify(said));
  }
  const inherited = new Map([["constructor", []]]);
  assertEquals(await ask({ claims: inherited }, {}), "insufficient-scope");
});

Deno.test("Jwt takes a route's issuers alone", async () => {
  const issuers = ["https://a.example"];
  assertEquals(await ask({ issuers }, { iss: "https://a.example" }), "ok");
  assertEquals(await ask({ issuers }, { iss: "https://b.example" }), "invalid-token");
  assertEquals(await ask({ issuers }, {}), "invalid-token");
});

Deno.test("Jwt refuses a token without the claims that every one must have", async () => {
  const { jwt } = await filter({ requiredClaims: new Map([["tenant", ["eu", "us"]]]) });
  const says = async (claims: object) =>
    await verdict(jwt, bearer(await signToken({ ...GOOD, ...claims })));
  assertEquals(await says({ tenant: "us" }), "ok");
  assertEquals(await says({ tenant: "uk" }), "invalid-token");
  assertEquals(await says({}), "invalid-token");
});

Deno.test("Jwt lets nobody in as nobody where a token is optional, and refuses a bad one there", async () => {
  const { jwt } = await filter();
  const route = fakeRoute("/x", { auth: "optional" });
  const none = fakeExchange({ route, headers: { "x-user-id": "admin" } });
  assertEquals(jwt.onRequest(none), undefined);
  assertEquals([none.caller, none.request.headers.has("x-user-id")], [undefined, false]);
  const good = bearer(await signToken(GOOD), { route });
  assertEquals(await verdict(jwt, good), "ok");
  assertEquals(good.caller?.subject, "alice");
  assertEquals(await verdict(jwt, bearer("x.y.z", { route })), "invalid-token");
  const basic = fakeExchange({ route, headers: { authorization: "Basic eDp5" } });
  assertEquals(await verdict(jwt, basic), "invalid-authorization");
});

const PLACES = makeJwt({
  ...SETTINGS,
  tokenFrom: [
    ...SETTINGS.tokenFrom,
    { kind: "header", name: "x-token" },
    { kind: "cookie", name: "session" },
    { kind: "query", name: "token" },
  ],
}, { clock: new FakeClock() });

Deno.test("Jwt finds a token in each of its places, the first that has one", async () => {
  const route = fakeRoute("/x", { auth: "jwt" });
  const good = await signToken(GOOD);
  const asks = async (about: Parameters<typeof fakeExchange>[0]) =>
    await verdict(PLACES, fakeExchange({ route, ...about }));
  assertEquals(await asks({}), "missing-authorization");
  assertEquals(await asks({ headers: { authorization: `bearer ${good}` } }), "ok");
  assertEquals(await asks({ headers: { "x-token": good } }), "ok");
  assertEquals(await asks({ headers: { cookie: `a=b; session=${good};c="d"` } }), "ok");
  assertEquals(await asks({ target: `/x?token=${good}` }), "ok");
  assertEquals(await asks({ headers: { "x-token": good, cookie: "session=x.y.z" } }), "ok");
  assertEquals(
    await asks({ headers: { "x-token": "x.y.z", cookie: `session=${good}` } }),
    "invalid-token",
  );
  const split = [["cookie", "a=b"], ["cookie", `session=${good}`]] as const;
  assertEquals(await asks({ headers: split }), "ok");
});

Deno.test("Jwt takes no cookie and no parameter for its own that is not, and no two of them", async () => {
  const route = fakeRoute("/x", { auth: "jwt" });
  const good = await signToken(GOOD);
  const asks = async (about: Parameters<typeof fakeExchange>[0]) =>
    await verdict(PLACES, fakeExchange({ route, ...about }));
  for (
    const cookie of [
      `xsession=${good}`,
      `Session=${good}`,
      `session`,
      `session=`,
      `a=session=${good}`,
    ]
  ) {
    assertEquals(await asks({ headers: { cookie } }), "missing-authorization", cookie);
  }
  for (const query of [`xtoken=${good}`, `Token=${good}`, "token=", `a=?token=${good}`]) {
    assertEquals(await asks({ target: `/x?${query}` }), "missing-authorization", query);
  }
  const twice = `session=${good}; session=${good}`;
  assertEquals(await asks({ headers: { cookie: twice } }), "invalid-authorization");
  const both = `/x?token=${good}&a=1&token=${good}`;
  assertEquals(await asks({ target: both }), "invalid-authorization");
});

Deno.test("Jwt takes a token out of the query before anybody can write it down", async () => {
  const route = fakeRoute("/x", { auth: "jwt" });
  const good = await signToken(GOOD);
  const cases = [
    [`/x?token=${good}`, "/x"],
    [`/x?a=1&token=${good}&b=2`, "/x?a=1&b=2"],
    [`/x?token=bad&b=`, "/x?b="],
    [`/x?token=${good}&token=${good}`, "/x"],
  ] as const;
  for (const [target, left] of cases) {
    const exchange = fakeExchange({ route, target });
    await verdict(PLACES, exchange);
    assertEquals(exchange.request.target, left);
  }
  const other = fakeExchange({ route, target: `/x?token=${good}`, headers: { "x-token": good } });
  assertEquals(await verdict(PLACES, other), "ok");
  assertEquals(other.request.target, "/x");
});

Deno.test("Jwt tells whose name a subject is where there are several issuers, and not where there is one", async () => {
  const issuers = ["a", "b"].map((issuer) => ({ ...SETTINGS.issuers[0]!, issuer }));
  const issuerOf = async (count: number) => {
    const { jwt } = await filter({ issuers: issuers.slice(0, count) });
    const exchange = bearer(await signToken({ ...GOOD, iss: "a" }));
    assertEquals(await verdict(jwt, exchange), "ok");
    return exchange.caller?.issuer;
  };
  assertEquals([await issuerOf(2), await issuerOf(1)], ["a", undefined]);
});
