import { assertEquals } from "@std/assert";
import { fakeExchange } from "../../tests/support/fake_exchange.ts";
import { fakeInputs } from "../../tests/support/fake_snapshot.ts";
import { ProxyError } from "../errors.ts";
import { emptyResponse } from "../http/message.ts";
import { compileSnapshot } from "../snapshot/compile.ts";
import type { InboundRateLimitSettings } from "../snapshot/rate_limit_rule.ts";
import { InboundRateLimit } from "./inbound_rate_limit.ts";

const TWO: InboundRateLimitSettings = {
  rate: { count: 1, perMs: 1000 },
  burst: 2,
  key: [{ kind: "caller" }],
  algorithm: "token-bucket",
  cost: 1,
  scope: "local",
  methods: [],
  paths: [],
};

function rig(...limits: readonly Partial<InboundRateLimitSettings>[]) {
  const filter = new InboundRateLimit();
  const inboundRateLimits = limits.map((limit) => ({ ...TWO, ...limit }));
  const snapshot = compileSnapshot({ ...fakeInputs(), inboundRateLimits });
  const ask = (about: Parameters<typeof fakeExchange>[0] = {}) => {
    const exchange = fakeExchange({ listener: "inbound", snapshot, ...about });
    try {
      filter.onRequest(exchange);
      return "ok";
    } catch (error) {
      if (!(error instanceof ProxyError)) throw error;
      exchange.reason = error.kind;
      const response = emptyResponse(429);
      filter.onResponse(exchange, response);
      return `${error.kind} ${response.headers.get("retry-after")}`;
    }
  };
  return { filter, ask, snapshot };
}

function from(identity: string) {
  return { peer: { host: "10.0.0.9", port: 1, identity } };
}

Deno.test("InboundRateLimit gives each calling service a bucket of its own", () => {
  const { ask } = rig({});
  const answers = (identity: string) => [1, 2, 3].map(() => ask(from(identity)));
  assertEquals(answers("a"), ["ok", "ok", "rate-limited 1"]);
  assertEquals(answers("b"), ["ok", "ok", "rate-limited 1"]);
  assertEquals(ask({ ...from("a"), startedAt: 1000 }), "ok");
});

Deno.test("InboundRateLimit counts only what its methods and paths take, and all limits hold", () => {
  const { ask } = rig(
    { key: [{ kind: "all" }], methods: ["POST"], paths: ["/orders/*"] },
    { key: [{ kind: "all" }], burst: 4, paths: ["/orders/*"] },
  );
  const post = { method: "POST", target: "/orders/7?x=1" };
  assertEquals([ask(post), ask(post), ask(post)], ["ok", "ok", "rate-limited 1"]);
  const get = { target: "/orders" };
  assertEquals([ask(get), ask(get), ask(get)], ["ok", "ok", "rate-limited 1"]);
  assertEquals([ask({ target: "/other" }), ask({ method: "POST", target: "/x" })], ["ok", "ok"]);
});

Deno.test("InboundRateLimit keeps its buckets when policy changes elsewhere", () => {
  const { filter, ask, snapshot } = rig({ key: [{ kind: "all" }] });
  assertEquals([ask(), ask()], ["ok", "ok"]);
  const inputs = {
    ...fakeInputs(),
    inboundRateLimits: [{ ...TWO, key: [{ kind: "all" }] as const }],
  };
  const next = compileSnapshot({ ...inputs, policyRevision: "p2" }, snapshot);
  assertEquals(next.inboundRateLimits, snapshot.inboundRateLimits);
  const exchange = fakeExchange({ listener: "inbound", snapshot: next });
  let kind = "ok";
  try {
    filter.onRequest(exchange);
  } catch (error) {
    kind = (error as ProxyError).kind;
  }
  assertEquals(kind, "rate-limited");
});

Deno.test("InboundRateLimit goes by client and by user where it is told to", () => {
  const users = rig({ key: [{ kind: "user" }] });
  const as = (subject: string) => ({ caller: { subject, claims: {} } });
  assertEquals([1, 2, 3].map(() => users.ask(as("alice"))), ["ok", "ok", "rate-limited 1"]);
  assertEquals(users.ask(as("bob")), "ok");
  const clients = rig({ key: [{ kind: "client" }] });
  const at = (host: string) => ({ peer: { host, port: 1 } });
  assertEquals([1, 2, 3].map(() => clients.ask(at("10.1.1.1"))), ["ok", "ok", "rate-limited 1"]);
  assertEquals(clients.ask(at("10.1.1.2")), "ok");
});
