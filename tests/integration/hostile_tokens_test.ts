// Tokens made to get in without a right to, on the wire to a real gateway: each is refused, and none reaches the app. The long
// table stands in sidecar/filters/jwt_hostile_test.ts; here is one of each kind, by whatever way a token may come.
import { assertEquals, assertStringIncludes } from "@std/assert";
import { pemOf, tokenKey } from "../support/token_keys.ts";
import { base64url, signToken, unsignedToken } from "../support/tokens.ts";
import { freePort } from "./support/ports.ts";
import { RawApp } from "./support/raw_app.ts";
import { TestSidecar } from "./support/sidecar.ts";
import { until } from "./support/until.ts";
import { answer, get, type Message, statusOf, Wire } from "./support/wire.ts";
import { Workspace } from "./support/workspace.ts";

const ISSUER = "https://id.example";
const SHARED = "the secret of another issuer, long enough";

/** How a token is shown. */
const WAYS: Readonly<Record<string, (token: string) => string>> = {
  "the header": (token) => get("edge", "/", `authorization: Bearer ${token}\r\n`),
  "a cookie": (token) => get("edge", "/", `cookie: session=${token}\r\n`),
  "the query": (token) => get("edge", `/?token=${encodeURIComponent(token)}`),
};

async function ask(port: number, request: string): Promise<Message> {
  using wire = await Wire.dial(port);
  return await wire.exchange(request);
}

Deno.test("a gateway refuses every hostile token, whichever way it comes, and the app sees none", async (t) => {
  const exp = Math.floor(Date.now() / 1000) + 3600;
  const claims = { iss: ISSUER, aud: "shop", user_id: "alice", exp };
  const text = JSON.stringify(claims);
  const [key, evil] = [await tokenKey("RS256", "k1"), await tokenKey("RS256", "k1")];
  const good = await key.sign(claims);
  const [header, payload, signature] = good.split(".") as [string, string, string];
  const admin = base64url(new TextEncoder().encode(text.replace("alice", "admin")));
  const byPublicKey = (secret: string) =>
    signToken(claims, { header: { alg: "HS256", kid: "k1" }, secret });
  const twice = (more: string) => key.sign(`${text.slice(0, -1)},${more}}`);
  const hostile: Readonly<Record<string, string>> = {
    "alg none": `${unsignedToken({ alg: "none" }, claims)}.`,
    "alg none, with a signature": `${
      unsignedToken({ alg: "nOnE", kid: "k1" }, claims)
    }.${signature}`,
    "no alg": `${unsignedToken({ kid: "k1" }, claims)}.${signature}`,
    "HS256 by the public key": await byPublicKey(await pemOf(key.publicKey)),
    "HS256 by the JWK": await byPublicKey(JSON.stringify(key.jwk)),
    "HS256 by another issuer's secret": await byPublicKey(SHARED),
    "an embedded jwk": await evil.sign(claims, { jwk: evil.jwk, kid: undefined }),
    "a jku": await evil.sign(claims, { jku: "https://evil.example/jwks.json" }),
    "another key under the same kid": await evil.sign(claims),
    "an unknown critical header": await key.sign(claims, { crit: ["x"], x: 1 }),
    "other claims under the signature": `${header}.${admin}.${signature}`,
    "truncated": good.slice(0, -1),
    "without its signature": `${header}.${payload}.`,
    "without its payload": `${header}..${signature}`,
    "two parts": `${header}.${payload}`,
    "a claim twice": await twice('"user_id":"admin"'),
    "a claim twice, escaped": await twice('"user\\u005fid":"admin"'),
    "exp as a text": await key.sign({ ...claims, exp: String(exp) }),
    "exp beyond counting": await key.sign(text.replace(/"exp":\d+/, '"exp":1e400')),
    "no exp": await key.sign({ ...claims, exp: undefined }),
    "sub as a number": await key.sign({ ...claims, sub: 1 }),
    "aud as an object": await key.sign({ ...claims, aud: { shop: true } }),
    "a list in place of claims": await key.sign("[]"),
    "iss of nobody": await key.sign({ ...claims, iss: "https://evil.example" }),
    "iss of the other issuer": await key.sign({ ...claims, iss: "shared" }),
    "expired": await key.sign({ ...claims, exp: exp - 7200 }),
    "not yet valid": await key.sign({ ...claims, nbf: exp }),
    "huge": await key.sign({ ...claims, more: "x".repeat(16_000) }),
  };

  await using workspace = new Workspace();
  const users: string[] = [];
  await using app = new RawApp(({ fields, wire }) => {
    users.push(fields.get("x-user-id") ?? "nobody");
    return wire.write(answer("in"));
  });
  const edge = freePort();
  await using gateway = await TestSidecar.start(workspace, {
    service: "gateway",
    config: {
      registry: { static: { web: [`127.0.0.1:${app.port}`] } },
      gateway: {
        bind: `127.0.0.1:${edge}`,
        jwt: {
          audience: "shop",
          issuers: [
            { issuer: ISSUER, jwks: { keys: [key.jwk] } },
            { issuer: "shared", secret: SHARED },
          ],
          tokenFrom: [
            { header: "authorization", scheme: "Bearer" },
            { cookie: "session" },
            { query: "token" },
          ],
          claimHeaders: { user_id: "x-user-id" },
        },
        routes: [{ match: { path: "/*" }, to: "web", auth: "jwt" }],
      },
    },
  });
  await until(
    "the good one",
    async () => (await ask(edge, WAYS["the header"]!(good))).body === "in",
  );
  users.length = 0;

  for (const [way, requestOf] of Object.entries(WAYS)) {
    await t.step(`in ${way}`, async () => {
      for (const [what, token] of Object.entries(hostile)) {
        const message = await ask(edge, requestOf(token));
        // A request line has a limit of its own.
        const status = what === "huge" && way === "the query" ? 414 : 401;
        assertEquals(statusOf(message), status, what);
        if (status === 401) {
          assertEquals(message.fields.get("x-mesh-reason"), "invalid-token", what);
        }
      }
      assertEquals(users, []);
      assertEquals((await ask(edge, requestOf(good))).body, "in");
      assertEquals(users.splice(0), ["alice"]);
    });
  }

  await t.step("two tokens at once: neither is chosen for the client", async () => {
    const forged = hostile["alg none"]!;
    for (const [first, second] of [[good, forged], [forged, good]]) {
      const fields = `authorization: Bearer ${first}\r\nauthorization: Bearer ${second}\r\n`;
      assertEquals(statusOf(await ask(edge, get("edge", "/", fields))), 401);
    }
    assertEquals(users, []);
  });

  await t.step("the log and the metrics tell of it, without a token", async () => {
    const metrics = await gateway.admin("/metrics");
    assertStringIncludes(metrics, 'reason="invalid-token"');
    const said = gateway.process.lines.join("\n") + metrics;
    assertEquals([said.includes(header), said.includes(payload)], [false, false]);
  });
});
