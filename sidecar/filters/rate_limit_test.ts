import { assertEquals, assertThrows } from "@std/assert";
import { type FakeExchange, fakeExchange } from "../../tests/support/fake_exchange.ts";
import { type FakeRoute, fakeRoute } from "../../tests/support/fake_snapshot.ts";
import { ProxyError } from "../errors.ts";
import { emptyResponse, type Response } from "../http/message.ts";
import { rescue } from "../proxy/rescue.ts";
import type { RateSettings } from "../snapshot/rate_settings.ts";
import { RateLimit } from "./rate_limit.ts";

/** The seed's: 10 tokens, 10 a second. */
const TEN: RateSettings = {
  rate: { count: 10, perMs: 1000 },
  burst: 10,
  key: [{ kind: "client" }],
  algorithm: "token-bucket",
  cost: 1,
  scope: "local",
};

function limited(limit: Partial<RateSettings> = {}, about: FakeRoute = {}) {
  return fakeRoute("/x", { ...about, rateLimit: { ...TEN, ...limit } });
}

/** The answer that a caller gets: 200 from the service, or 429 from the filter. */
function ask(filter: RateLimit, about: FakeExchange): Response {
  const exchange = fakeExchange(about);
  let response = emptyResponse(200);
  try {
    filter.onRequest(exchange);
  } catch (error) {
    if (!(error instanceof ProxyError)) throw error;
    exchange.reason = error.kind;
    response = rescue(error);
  }
  filter.onResponse(exchange, response);
  return response;
}

/** How many of `count` requests get through. */
function passes(filter: RateLimit, count: number, about: FakeExchange): number {
  return Array.from({ length: count }, () => ask(filter, about).status).filter((s) => s === 200)
    .length;
}

function limitFields({ headers }: Response): Record<string, string> {
  const isOurs = (name: string) => name.startsWith("ratelimit") || name === "retry-after";
  return Object.fromEntries([...headers].filter(([name]) => isOurs(name)));
}

Deno.test("RateLimit refuses the 11th quick request with 429, Retry-After and the RateLimit fields", () => {
  const filter = new RateLimit();
  const about = { route: limited() };
  assertEquals(passes(filter, 10, about), 10);
  const response = ask(filter, about);
  assertEquals(response.status, 429);
  assertEquals(new TextDecoder().decode(response.body.whole()), '{"error":"Too Many Requests"}');
  assertEquals(limitFields(response), {
    "ratelimit-policy": '"default";q=10;w=1',
    "ratelimit": '"default";r=0;t=1',
    "ratelimit-limit": "10",
    "ratelimit-remaining": "0",
    "ratelimit-reset": "1",
    "retry-after": "1",
  });
});

Deno.test("RateLimit tells those it lets through what is left, and nobody to wait", () => {
  const response = ask(new RateLimit(), { route: limited() });
  assertEquals(limitFields(response), {
    "ratelimit-policy": '"default";q=10;w=1',
    "ratelimit": '"default";r=9;t=1',
    "ratelimit-limit": "10",
    "ratelimit-remaining": "9",
    "ratelimit-reset": "1",
  });
});

Deno.test("RateLimit names waits in whole seconds that suffice", () => {
  const filter = new RateLimit();
  const route = limited({ rate: { count: 1, perMs: 60_000 }, burst: 2 });
  assertEquals(passes(filter, 2, { route }), 2);
  const refused = ask(filter, { route, startedAt: 500 });
  assertEquals(refused.headers.get("retry-after"), "60");
  assertEquals(refused.headers.get("ratelimit-policy"), '"default";q=2;w=120');
  assertEquals(ask(filter, { route, startedAt: 60_499 }).status, 200);
  assertEquals(ask(filter, { route, startedAt: 60_499 }).headers.get("retry-after"), "60");
});

Deno.test("RateLimit lets one more through for each token that dripped in", () => {
  const filter = new RateLimit();
  const route = limited();
  passes(filter, 10, { route });
  assertEquals(passes(filter, 10, { route, startedAt: 99 }), 0);
  assertEquals(passes(filter, 10, { route, startedAt: 350 }), 3);
  assertEquals(passes(filter, 20, { route, startedAt: 100_000 }), 10);
});

Deno.test("RateLimit leaves routes without a limit, and requests without a route, alone", () => {
  const filter = new RateLimit();
  for (const about of [{ route: fakeRoute("/x") }, {}]) {
    assertEquals(limitFields(ask(filter, about)), {});
    assertEquals(passes(filter, 100, about), 100);
  }
});

Deno.test("RateLimit by client gives each address a bucket of its own", () => {
  const filter = new RateLimit();
  const route = limited({ burst: 1 });
  assertEquals(passes(filter, 2, { route, clientAddress: "203.0.113.1" }), 1);
  assertEquals(passes(filter, 2, { route, clientAddress: "203.0.113.2" }), 1);
});

Deno.test("RateLimit by user goes by the token wherever the user calls from, and by address where nobody is named", () => {
  const filter = new RateLimit();
  const route = limited({ burst: 2, key: [{ kind: "user" }] });
  const by = (subject: string, clientAddress: string) =>
    ask(filter, { route, caller: { subject, claims: {} }, clientAddress }).status;
  assertEquals([by("alice", "1.1.1.1"), by("alice", "2.2.2.2"), by("alice", "3.3.3.3")], [
    200,
    200,
    429,
  ]);
  assertEquals(by("bob", "1.1.1.1"), 200);
  assertEquals([by("", "1.1.1.1"), by("", "1.1.1.1"), by("", "1.1.1.1")], [200, 200, 429]);
  assertEquals(by("", "2.2.2.2"), 200, "tokens without a subject are not one user");
  assertEquals(
    passes(filter, 3, { route, clientAddress: "2.2.2.2" }),
    1,
    "no caller: the same address",
  );
});

Deno.test("RateLimit tells apart users whom two issuers gave the same name", () => {
  const filter = new RateLimit();
  const route = limited({ burst: 1, key: [{ kind: "user" }] });
  const of = (issuer: string, subject: string) => ({
    route,
    caller: { subject, issuer, claims: {} },
  });
  assertEquals(passes(filter, 2, of("https://a.example", "alice")), 1);
  assertEquals(passes(filter, 2, of("https://b.example", "alice")), 1);
  assertEquals([passes(filter, 2, of("x", "y z")), passes(filter, 2, of("x y", "z"))], [1, 1]);
});

Deno.test("RateLimit takes no user's name for another's address", () => {
  const filter = new RateLimit();
  const byUser = limited({ burst: 1, key: [{ kind: "user" }] });
  const caller = { subject: "1.1.1.1", claims: {} };
  assertEquals(ask(filter, { route: byUser, caller }).status, 200);
  assertEquals(ask(filter, { route: byUser, clientAddress: "1.1.1.1" }).status, 200);
});

Deno.test("RateLimit by route has one bucket for all", () => {
  const filter = new RateLimit();
  const route = limited({ burst: 2, key: [{ kind: "route" }] });
  const addresses = ["1.1.1.1", "2.2.2.2", "3.3.3.3"];
  const statuses = addresses.map((clientAddress) => ask(filter, { route, clientAddress }).status);
  assertEquals(statuses, [200, 200, 429]);
});

Deno.test("RateLimit keeps routes apart that differ in host, path, methods or headers", () => {
  const filter = new RateLimit();
  const rateLimit = { ...TEN, burst: 1 };
  const routes = [
    fakeRoute("/x", { rateLimit }),
    fakeRoute("/y", { rateLimit }),
    fakeRoute("/x", { rateLimit, host: "a.example" }),
    fakeRoute("/x", { rateLimit, methods: ["GET"] }),
    fakeRoute("/x", { rateLimit, headers: { "x-beta": "1" } }),
    fakeRoute("/x", { rateLimit, headers: { "x-beta": "2" } }),
  ];
  for (const route of routes) assertEquals(passes(filter, 2, { route }), 1);
});

Deno.test("RateLimit goes on with its buckets when the same route comes in another snapshot", () => {
  const filter = new RateLimit();
  assertEquals(passes(filter, 1, { route: limited({ burst: 2 }) }), 1);
  assertEquals(passes(filter, 5, { route: limited({ burst: 2 }) }), 1);
});

Deno.test("RateLimit forgets the bucket unused for longest once there are 100,000", () => {
  const filter = new RateLimit();
  const route = limited({ burst: 1 });
  const from = (address: string) => ask(filter, { route, clientAddress: address }).status;
  assertEquals([from("first"), from("second")], [200, 200]);
  for (let i = 0; i < 99_998; i++) {
    filter.onRequest(fakeExchange({ route, clientAddress: `c${i}` }));
  }
  assertEquals(from("first"), 429, "100,000 fit");
  assertEquals(from("one more"), 200);
  assertEquals(from("first"), 429, "used a moment ago");
  assertEquals(from("second"), 200, "forgotten, and so full again");
});

Deno.test("RateLimit refuses with the caller's side as the reason", () => {
  const filter = new RateLimit();
  const exchange = fakeExchange({ route: limited({ burst: 1 }) });
  filter.onRequest(exchange);
  const error = assertThrows(() => filter.onRequest(exchange), ProxyError);
  assertEquals([error.kind, error.side, error.retry], ["rate-limited", "downstream", "no"]);
});
