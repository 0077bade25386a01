import { assert, assertEquals } from "@std/assert";
import { type FakeRequest } from "../../tests/support/fake_exchange.ts";
import { ok } from "../../tests/support/scripted_upstream.ts";
import { SECRET, signToken, unsignedToken } from "../../tests/support/tokens.ts";
import { ProxyError } from "../errors.ts";

import { bearer, edge, HOUR, SHOP } from "./test_edge.ts";

Deno.test("the edge logs in, and lets the token through to the service as x-user-id", async () => {
  const { ask, upstream } = await edge();
  const login = await ask({ method: "POST", target: "/login", body: '{"username":"alice"}' });
  assertEquals(login.status, 200);
  const requests: string[] = [];
  upstream.respond = (request) => {
    requests.push(request);
    return ok('{"id":"123","name":"User-123","age":25}');
  };
  const headers = { authorization: `Bearer ${JSON.parse(login.body).token}`, "x-user-id": "admin" };
  const answer = await ask({ target: "/api/users/123?x=1", headers });
  assertEquals([answer.status, answer.body], [200, '{"id":"123","name":"User-123","age":25}']);
  const [line, ...fields] = requests[0]!.toLowerCase().split("\r\n");
  assertEquals(line, "get /users/123?x=1 http/1.1");
  assertEquals(fields.filter((field) => field.startsWith("x-user-id")), ["x-user-id: alice"]);
  assert(fields.includes("x-forwarded-for: 192.0.2.1") && fields.includes("via: 1.1 gw-edge"));
});

Deno.test("the edge answers in the seed's words, word for word, and names its reason", async () => {
  const { ask } = await edge();
  const users = (headers: Record<string, string>) => ({ target: "/api/users/1", headers });
  const expired = await signToken({ user_id: "a", exp: HOUR - 7200 });
  const ghost = "service unavailable: no healthy instances found for service: ghost-service";
  const cases: [FakeRequest, number, string, string][] = [
    [users({}), 401, "missing authorization header", "missing-authorization"],
    [
      users({ authorization: "Basic x" }),
      401,
      "invalid authorization format",
      "invalid-authorization",
    ],
    [users({ authorization: "Bearer x" }), 401, "invalid token", "invalid-token"],
    [users({ authorization: `Bearer ${expired}` }), 401, "invalid token", "invalid-token"],
    [{ target: "/api/ghosts/1", headers: await bearer() }, 503, ghost, "no-endpoints"],
    [{ target: "/nothing" }, 404, "not found", "route-not-found"],
    [{ target: "/open/x", method: "PUT" }, 405, "method not allowed", "method-not-allowed"],
    [{ target: "/login", method: "POST", body: "x" }, 400, "invalid request", "bad-request"],
    [{ target: "/login", method: "POST", body: "{}" }, 400, "missing username", "bad-request"],
  ];
  for (const [request, status, error, reason] of cases) {
    const answer = await ask(request);
    assertEquals([answer.status, answer.body], [status, JSON.stringify({ error })], request.target);
    assertEquals(answer.headers.get("x-mesh-reason"), reason);
    assertEquals(answer.headers.get("x-request-id"), "new-id");
    assertEquals(answer.headers.has("allow"), status === 405);
  }
});

Deno.test("the edge answers 502 when the upstream cannot be reached or breaks off, and 504 when it is late", async () => {
  const { ask, upstream, clock } = await edge();
  upstream.rule = "refuse";
  assertEquals((await ask({ target: "/open/x" })).body, '{"error":"bad gateway"}');
  upstream.rule = "accept";
  upstream.respond = (_request, transport) => void transport.reset();
  const broken = await ask({ target: "/open/x" });
  assertEquals([broken.status, broken.headers.get("x-mesh-reason")], [502, "upstream-reset"]);
  upstream.respond = undefined;
  const late = ask({ target: "/open/x" });
  await clock.advance(5000);
  assertEquals([(await late).status, (await late).headers.get("x-mesh-reason")], [504, "deadline"]);
});

Deno.test("the edge refuses a user's 11th quick request with 429, and no other user's", async () => {
  const { ask, upstream } = await edge();
  upstream.respond = () => ok();
  const request = { target: "/api/users/1", headers: await bearer() };
  for (let i = 9; i >= 0; i--) {
    const { status, headers } = await ask(request);
    assertEquals([status, headers.get("ratelimit-remaining")], [200, String(i)]);
  }
  const { status, body, headers } = await ask(request);
  assertEquals([status, body], [429, '{"error":"Too Many Requests"}']);
  assertEquals([headers.get("retry-after"), headers.get("ratelimit-limit")], ["1", "10"]);
  assertEquals((await ask({ ...request, headers: await bearer("bob") })).status, 200);
});

Deno.test("the edge checks CORS, then the token, then the rate, then where to", async () => {
  const { ask } = await edge();
  const preflight = { origin: SHOP, "access-control-request-method": "GET" };
  const target = "/api/ghosts/1";
  assertEquals((await ask({ method: "OPTIONS", target, headers: preflight })).status, 204);
  const evil = { ...preflight, origin: "https://evil.example" };
  assertEquals((await ask({ method: "OPTIONS", target, headers: evil })).status, 403);
  for (let i = 0; i < 20; i++) assertEquals((await ask({ target })).status, 401);
  const headers = await bearer();
  for (let i = 0; i < 10; i++) assertEquals((await ask({ target, headers })).status, 503);
  assertEquals((await ask({ target, headers })).status, 429);
});

Deno.test("the edge checks the token before it says that a service is not known at all", async () => {
  const { ask, store } = await edge();
  assertEquals(store.current.clusters.has("ghost-service"), false);
  assertEquals((await ask({ target: "/api/ghosts/1" })).status, 401);
});

Deno.test("the edge lets an allowed page read every answer, also the refusals", async () => {
  const { ask } = await edge();
  for (const target of ["/api/users/1", "/nothing", "/api/../x", "/login"]) {
    const { headers } = await ask({ target, headers: { origin: SHOP } });
    assertEquals(headers.get("access-control-allow-origin"), SHOP, target);
    assertEquals(headers.get("access-control-allow-credentials"), "true");
  }
});

Deno.test("the edge removes x-user-id from outside on every route, with tokens and without", async () => {
  const headers = { "x-user-id": "admin", "X-Other": "kept" };
  for (const hasJwt of [true, false]) {
    const { ask, upstream } = await edge({ hasJwt });
    const requests: string[] = [];
    upstream.respond = (request) => {
      requests.push(request.toLowerCase());
      return ok();
    };
    assertEquals((await ask({ target: "/open/x", headers })).status, 200);
    assert(!requests[0]!.includes("x-user-id") && requests[0]!.includes("x-other: kept"));
    if (hasJwt) continue;
    await ask({ target: "/api/users/1", headers });
    assert(!requests[1]!.includes("x-user-id"));
  }
});

Deno.test("nothing secret is ever in the log, whatever is asked and whatever goes wrong", async () => {
  for (const format of ["json", "text"] as const) {
    const { ask, upstream, lines, pipeline } = await edge({ format });
    upstream.respond = () => ok("answer-hunter2");
    const token = await signToken({ user_id: "alice", exp: HOUR, pin: "hunter2" });
    const forged = `${unsignedToken({ alg: "none" }, { user_id: "eve" })}.hunter2`;
    const cookie = { cookie: "session=hunter2", "x-api-key": "hunter2" };
    const targets = ["/api/users/1", "/api/ghosts/1", "/open/x", "/nothing", "/api/../x", "/login"];
    for (
      const authorization of [`Bearer ${token}`, `Bearer ${forged}`, "Basic hunter2", "hunter2"]
    ) {
      for (const target of targets) {
        const headers = { authorization, ...cookie };
        await ask({ target: `${target}?password=hunter2`, headers });
        await ask({ method: "POST", target, headers, body: "hunter2" });
      }
    }
    const body = '{"username":"alice","password":"hunter2"}';
    const issued = JSON.parse((await ask({ method: "POST", target: "/login", body })).body).token;
    upstream.respond = () => "HTTP/1.1 200 hunter2\r\nhunter2\r\n\r\n";
    await ask({ target: "/open/x" });
    upstream.respond = (_request, transport) => void transport.reset();
    await ask({ target: "/open/x" });
    const error = new ProxyError("bad-request", "a field name", { side: "downstream" });
    pipeline.refuse(error, { host: "192.0.2.1", port: 1 });
    assert(lines.length > 50, "something must have been logged");
    const secrets = [
      "hunter2",
      SECRET,
      token,
      forged,
      issued,
      issued.split(".")[2]!,
      token.split(".")[2]!,
    ];
    const leaks = lines.filter((line) => secrets.some((secret) => line.includes(secret)));
    assertEquals(leaks, []);
  }
});
