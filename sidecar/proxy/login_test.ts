import { assert, assertEquals, assertMatch, assertRejects, assertStrictEquals } from "@std/assert";
import { settle } from "../../tests/support/fake_clock.ts";
import { bodyOf, fakeExchange, type FakeRequest } from "../../tests/support/fake_exchange.ts";
import { fakeRoute, fakeSnapshot } from "../../tests/support/fake_snapshot.ts";
import { ScriptedBody } from "../../tests/support/scripted_body.ts";
import { outcome } from "../../tests/support/scripted_upstream.ts";
import { claimsOf, SECRET } from "../../tests/support/tokens.ts";
import { upstreamRig } from "../../tests/support/upstream_rig.ts";
import { ProxyError } from "../errors.ts";
import { filter } from "../filters/test_jwt.ts";
import type { Response } from "../http/message.ts";
import { signingSecret, signToken } from "../identity/jwt/signer.ts";
import { Login, type LoginOptions } from "./login.ts";
import { rescue, toProxyError } from "./rescue.ts";
import { LOGIN_RATE_LIMIT } from "./test_edge.ts";
import { fakeForwarder } from "./test_forward.ts";

const VERIFY = { kind: "service", service: "user-service", path: "/credentials/verify" } as const;
const ALICE = { username: "alice", password: "correct horse" };
const NOW = Date.UTC(2026, 0, 1) / 1000;

async function rig(options: Partial<LoginOptions> = {}) {
  const parts = upstreamRig();
  const forwarder = fakeForwarder(parts);
  const signingKey = await signingSecret(SECRET);
  const login = new Login({
    path: "/login",
    claims: new Map([["user_id", "username"]]),
    expiresInMs: 86_400_000,
    verify: { kind: "passwordless" },
    sign: (claims) => signToken(signingKey, claims),
    rateLimit: LOGIN_RATE_LIMIT,
    clock: parts.clock,
    forwarder,
    ...options,
  });
  const snapshot = fakeSnapshot({ endpoints: { "user-service": ["10.0.0.1:80"] } });
  /** What the client gets; undefined where this is no login. */
  const ask = async (request: FakeRequest): Promise<Response | undefined> => {
    const exchange = fakeExchange({ method: "POST", target: "/login", snapshot, ...request });
    exchange.requestId = "r1";
    try {
      return await login.route(exchange);
    } catch (error) {
      return rescue(toProxyError(error));
    }
  };
  const post = async (body: unknown) => {
    const response = await ask({ body: typeof body === "string" ? body : JSON.stringify(body) });
    return [response!.status, JSON.parse(await bodyOf(response!))] as const;
  };
  return { ...parts, login, snapshot, ask, post };
}

/** A rig whose user service answers every check with `status` and `body`. */
async function verifyingRig(status: number, body: unknown, options: Partial<LoginOptions> = {}) {
  const parts = await rig({ verify: VERIFY, ...options });
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const requests: string[] = [];
  parts.upstream.respond = (request) => {
    requests.push(request);
    return `HTTP/1.1 ${status} X\r\ncontent-length: ${text.length}\r\n\r\n${text}`;
  };
  return { ...parts, requests };
}

Deno.test("Login leaves every other path to the routes", async () => {
  const { ask } = await rig();
  for (const target of ["/", "/login/", "/login/x", "/Login", "/api/login"]) {
    assertEquals(await ask({ target, body: "{}" }), undefined);
  }
});

Deno.test("Login answers a name with a token: HS256, user_id, iat, and exp after 24 hours", async () => {
  const { post, ask, clock } = await rig();
  await clock.advance(1999);
  const [status, { token, ...rest }] = await post({ username: "alice" });
  assertEquals([status, rest], [200, {}]);
  assertEquals(claimsOf(token), { user_id: "alice", iat: NOW + 1, exp: NOW + 1 + 86_400 });
  const header = new TextDecoder().decode(
    Uint8Array.fromBase64(token.split(".")[0], { alphabet: "base64url" }),
  );
  assertEquals(JSON.parse(header), { alg: "HS256", typ: "JWT" });
  const withQuery = await ask({ target: "/login?x=1", body: '{"username":"alice"}' });
  assertEquals(withQuery?.status, 200);
});

Deno.test("Login's token is good at the gateway that issued it", async () => {
  const { post, clock } = await rig({ issuer: "us", audience: "shop" });
  const [, { token }] = await post({ username: "é" });
  const { iss, aud } = claimsOf(token);
  assertEquals([iss, aud], ["us", "shop"]);
  const settings = { issuer: "us", audience: "shop" };
  const { jwt } = await filter(settings, clock);
  const headers = { authorization: `Bearer ${token}` };
  const exchange = fakeExchange({ route: fakeRoute("/x", { auth: "jwt" }), headers });
  await jwt.onRequest(exchange);
  assertEquals(exchange.request.headers.get("x-user-id"), "é");
  await clock.advance(86_400_000);
  await assertRejects(async () => await jwt.onRequest(exchange), ProxyError);
});

Deno.test("Login's answer is not to be kept by anybody", async () => {
  const { ask } = await rig();
  const response = await ask({ body: '{"username":"alice"}' });
  assertEquals(response?.headers.get("cache-control"), "no-store");
  assertEquals(response?.headers.get("content-type"), "application/json");
});

Deno.test("Login refuses what is no JSON object in the seed's words, and names its reason", async () => {
  const { post, ask } = await rig();
  for (
    const body of [
      "",
      "x",
      "{",
      "[]",
      "null",
      '"alice"',
      "7",
      '{"username":"a"}x',
      "{'username':'a'}",
    ]
  ) {
    assertEquals(await post(body), [400, { error: "invalid request" }], body);
  }
  const body = new ScriptedBody();
  body.push('{"username":"\xff\xfe"}');
  body.end();
  const response = await ask({ body });
  assertEquals([response?.status, response?.headers.get("x-mesh-reason")], [400, "bad-request"]);
});

Deno.test("Login says which field is missing", async () => {
  const { post } = await rig({ claims: new Map([["user_id", "username"], ["org", "tenant"]]) });
  assertEquals(await post({}), [400, { error: "missing username" }]);
  assertEquals(await post({ username: "" }), [400, { error: "missing username" }]);
  assertEquals(await post({ username: "alice" }), [400, { error: "missing tenant" }]);
  assertEquals((await post({ username: "alice", tenant: "t" }))[0], 200);
});

Deno.test("Login takes no name that could not be a header field behind the gateway", async () => {
  const { post } = await rig();
  const names = [
    "a\r\nx-admin: 1",
    "a\nb",
    "\0",
    "日本",
    " alice",
    "alice ",
    "x".repeat(257),
    7,
    true,
    null,
    ["a"],
    {},
  ];
  for (const username of names) {
    assertEquals(
      await post({ username }),
      [400, { error: "invalid request" }],
      JSON.stringify(username),
    );
  }
  assertEquals((await post({ username: "x".repeat(256) }))[0], 200);
});

Deno.test("Login finds no name in what every object inherits", async () => {
  const { post } = await rig({ claims: new Map([["user_id", "constructor"]]) });
  const [status] = await post({});
  assertEquals(status, 400);
  const own = await rig({ claims: new Map([["user_id", "__proto__"]]) });
  assertEquals((await own.post('{"__proto__":{"a":1}}'))[0], 400);
});

Deno.test("Login reads a body of 16 KiB and no more", async () => {
  const { ask } = await rig();
  const body = (length: number) => {
    const start = '{"username":"alice","padding":"';
    return `${start}${"x".repeat(length - start.length - 2)}"}`;
  };
  assertEquals((await ask({ body: body(16_384) }))?.status, 200);
  const long = await ask({ body: body(16_385) });
  assertEquals([long?.status, long?.headers.get("x-mesh-reason")], [413, "payload-too-large"]);
  const endless = new ScriptedBody();
  const answer = ask({ body: endless });
  for (let i = 0; i < 20; i++) {
    endless.push("x".repeat(1000));
    await settle();
  }
  assertEquals((await answer)?.status, 413);
  assert(endless.isCancelled);
});

Deno.test("Login takes a body that comes in pieces", async () => {
  const { ask } = await rig();
  const body = new ScriptedBody();
  const answer = ask({ body });
  for (const letter of '{"username":"alice"}') {
    body.push(letter);
    await settle();
  }
  body.end();
  assertEquals((await answer)?.status, 200);
});

Deno.test("Login takes POST and says so", async () => {
  const { ask } = await rig();
  for (const method of ["GET", "PUT", "DELETE", "HEAD", "post"]) {
    const response = await ask({ method });
    assertEquals([response?.status, response?.headers.get("allow")], [405, "POST"], method);
  }
});

Deno.test("Login does not wait for the rest of a body when its exchange is called off", async () => {
  const { login } = await rig();
  for (const kind of ["request-timeout", "downstream-gone"] as const) {
    const body = new ScriptedBody(100);
    const exchange = fakeExchange({ method: "POST", target: "/login", body });
    const answer = login.route(exchange)!;
    body.push('{"user');
    assertEquals((await outcome(answer)).is, "pending");
    const reason = new ProxyError(kind, "stalled", { side: "downstream" });
    exchange.incoming.cancellation.cancel(reason);
    assertStrictEquals(await assertRejects(() => answer), reason);
  }
});

Deno.test("Login passes on that the client broke off its body", async () => {
  const { login } = await rig();
  const body = new ScriptedBody(100);
  const answer = login.route(fakeExchange({ method: "POST", target: "/login", body }))!;
  await settle();
  const reason = new ProxyError("downstream-gone", "gone", { side: "downstream" });
  body.fail(reason);
  assertStrictEquals(await assertRejects(() => answer), reason);
});

Deno.test("Login asks the service that knows the passwords, and sends it nothing but name and password", async () => {
  const { post, requests } = await verifyingRig(200, { id: "7", username: "alice" });
  const [status, { token }] = await post({ ...ALICE, role: "admin" });
  assertEquals(status, 200);
  assertEquals(claimsOf(token)["user_id"], "alice");
  const [head, body] = requests[0]!.split("\r\n\r\n");
  assertEquals(JSON.parse(body!), ALICE);
  assertMatch(head!, /^POST \/credentials\/verify HTTP\/1\.1\r\n/);
  const fields = head!.toLowerCase().split("\r\n").slice(1);
  for (
    const field of ["host: user-service", "content-type: application/json", "x-request-id: r1"]
  ) {
    assert(fields.includes(field), head);
  }
  assertEquals(fields.filter((field) => field.startsWith("host:")).length, 1);
});

Deno.test("Login without the right password gives no token", async () => {
  const { ask } = await verifyingRig(401, { error: "nobody reads this" });
  const response = await ask({ body: JSON.stringify(ALICE) });
  assertEquals(await bodyOf(response!), '{"error":"invalid credentials"}');
  assertEquals([response?.status, response?.headers.get("x-mesh-reason")], [
    401,
    "invalid-credentials",
  ]);
});

Deno.test("Login asks for a name and a password before it asks anybody", async () => {
  const { post, upstream } = await verifyingRig(200, {});
  assertEquals(await post({ password: "x" }), [400, { error: "missing username" }]);
  assertEquals(await post({ username: "", password: "x" }), [400, { error: "missing username" }]);
  assertEquals(await post({ username: ["a"], password: "x" }), [400, { error: "invalid request" }]);
  assertEquals(await post({ username: "alice" }), [400, { error: "missing password" }]);
  assertEquals(await post({ username: "alice", password: 7 }), [400, {
    error: "missing password",
  }]);
  assertEquals(upstream.dialled, []);
});

Deno.test("Login takes every other answer of the service for no answer, and gives no token for it", async () => {
  for (const status of [201, 204, 301, 400, 403, 404, 429, 500, 503]) {
    const { post } = await verifyingRig(status, {});
    assertEquals(await post(ALICE), [502, { error: "bad gateway" }], String(status));
  }
});

Deno.test("Login believes the service how the user is spelled, and not the client", async () => {
  const { post } = await verifyingRig(200, { id: "7", username: "alice" });
  const [, { token }] = await post({ ...ALICE, username: "ALICE" });
  assertEquals(claimsOf(token)["user_id"], "alice");
});

Deno.test("Login takes claims from what the service says, never from what only the client says", async () => {
  const claims = new Map([["user_id", "username"], ["role", "role"]]);
  const said = await verifyingRig(200, { username: "alice", role: "buyer" }, { claims });
  const [, { token }] = await said.post({ ...ALICE, role: "admin" });
  assertEquals([claimsOf(token)["user_id"], claimsOf(token)["role"]], ["alice", "buyer"]);
  for (
    const answer of [{ username: "alice" }, { username: "alice", role: "" }, { role: ["admin"] }, {
      role: "a\nb",
    }]
  ) {
    const unsaid = await verifyingRig(200, answer, { claims });
    assertEquals(await unsaid.post({ ...ALICE, role: "admin" }), [502, { error: "bad gateway" }]);
  }
});

Deno.test("Login keeps to the name that was checked where the service says nothing of it", async () => {
  for (const answer of ["", "ok", "[]", {}, "x".repeat(100_000)]) {
    const { post } = await verifyingRig(200, answer);
    const [status, { token }] = await post(ALICE);
    assertEquals(status, 200);
    assertEquals(claimsOf(token)["user_id"], "alice");
  }
});

Deno.test("Login says that nobody can check the password when the service is away, slow or broken", async () => {
  const { post, clock, upstream } = await rig({ verify: VERIFY });
  const slow = post(ALICE);
  await clock.advance(5000);
  assertEquals(await slow, [504, { error: "gateway timeout" }]);
  upstream.rule = "refuse";
  assertEquals(await post(ALICE), [502, { error: "bad gateway" }]);
  const nowhere = await rig({ verify: { ...VERIFY, service: "other" } });
  const [status, { error }] = await nowhere.post(ALICE);
  assertEquals([status, error], [
    503,
    "service unavailable: no healthy instances found for service: other",
  ]);
});

Deno.test("Login gives the service all of its time, however long the client took to send its body", async () => {
  const { ask, clock, upstream, timeouts } = await rig({ verify: VERIFY });
  const body = new ScriptedBody();
  const answer = ask({ body });
  await clock.advance(2000);
  timeouts.after(5000, () => {}); // of another exchange: it makes all that is overdue expire
  await clock.advance(4000);
  body.push(JSON.stringify(ALICE));
  body.end();
  await clock.advance(4999);
  upstream.last.send("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
  assertEquals((await answer)?.status, 200);
});

Deno.test("Login lets nobody try without end, and says when to come back", async () => {
  const bucket = { rate: { count: 1, perMs: 60_000 }, burst: 2 };
  const plenty = LOGIN_RATE_LIMIT.client;
  const body = JSON.stringify(ALICE);
  for (const rateLimit of [{ user: bucket, client: plenty }, { user: plenty, client: bucket }]) {
    const { ask, requests } = await verifyingRig(401, {}, { rateLimit });
    for (const status of [401, 401, 429, 429]) {
      const response = await ask({ body });
      assertEquals(response?.status, status);
      if (status !== 429) continue;
      assertEquals(response?.headers.get("retry-after"), "60");
      assertEquals(response?.headers.get("x-mesh-reason"), "rate-limited");
      assertEquals(await bodyOf(response!), '{"error":"Too Many Requests"}');
    }
    assertEquals(requests.length, 2, "the service is not asked");
  }
});
