import { assertEquals } from "@std/assert";
import { policy, policyProblems } from "./test_documents.ts";

/** The problems of one upstream, without their places. */
function problemsOf(upstream: string): string[] {
  return policyProblems(`upstreams: { a: { ${upstream} } }\n`)
    .map((problem) => problem.replace(/^1:\d+: upstreams\.a\./, ""));
}

function settingsOf(upstream: string) {
  return policy(`upstreams: { a: { ${upstream} } }\n`).upstreams.get("a")!;
}

Deno.test("traffic policy fills in its defaults part by part", () => {
  const { loadBalancer, outlier, circuitBreaker, ...rest } = settingsOf("circuitBreaker: {}");
  assertEquals(loadBalancer, {
    algorithm: "round-robin",
    slowStartMs: 0,
    panicThreshold: 0.5,
    isZoneAware: true,
  });
  assertEquals([outlier.consecutiveErrors, outlier.baseEjectionMs], [5, 10_000]);
  assertEquals(circuitBreaker, {
    scope: "cluster",
    failureThreshold: 5,
    successThreshold: 2,
    probes: 1,
    failOn: ["5xx", "timeout", "connect", "reset", "grpc"],
    openForMs: 30_000,
  });
  assertEquals(Object.keys(rest).toSorted(), ["protocol", "timeoutMs", "tls"]);
});

Deno.test("traffic policy keeps what it is told", () => {
  const { subsets, split, fallback, healthCheck, fault, mirror, hedge } = settingsOf(
    "subsets: { v2: { version: v2 } }, split: [{ subset: v2, weight: 100, headers: { X-Beta: '*' } }], " +
      "fallback: { on: [timeout], status: 202, headers: { X-A: b }, body: hi }, " +
      "healthCheck: { grpc: '', interval: 1s }, " +
      "fault: { abort: { status: 503, percent: 10% } }, mirror: { to: b, percent: 5% }, hedge: { after: 50ms }",
  );
  assertEquals(subsets, new Map([["v2", { tags: [], version: "v2" }]]));
  assertEquals(split, [{ subset: "v2", weight: 100, headers: new Map([["x-beta", "*"]]) }]);
  assertEquals(fallback, {
    on: ["timeout"],
    answer: { kind: "static", status: 202, headers: new Map([["x-a", "b"]]), body: "hi" },
  });
  assertEquals(healthCheck?.check, { kind: "grpc", service: "" });
  assertEquals(fault, { abort: { status: 503, share: 0.1 }, headers: new Map() });
  assertEquals([mirror, hedge], [{ to: "b", share: 0.05 }, { afterMs: 50 }]);
});

Deno.test("a hash goes by exactly one thing, and by something that asks for it", () => {
  assertEquals(problemsOf("loadBalancer: { algorithm: maglev }"), [
    "loadBalancer.algorithm: maglev of what, expected hashOn beside it",
  ]);
  assertEquals(problemsOf("loadBalancer: { hashOn: { path: true } }"), [
    "loadBalancer.hashOn: round-robin does not go by it, expected ring-hash or maglev (or a split)",
  ]);
  assertEquals(
    problemsOf("loadBalancer: { algorithm: ring-hash, hashOn: { path: true, client: true } }"),
    ["loadBalancer.hashOn: more than one thing, expected exactly one of header, cookie, claim, client, path"],
  );
});

Deno.test("a split sums to 100, over subsets that there are, and no part of it takes nothing", () => {
  const subsets = "subsets: { v1: { tags: [v1] } }";
  assertEquals(problemsOf(`${subsets}, split: [{ subset: v1, weight: 90 }]`), [
    "split: the weights are 90 together, expected 100",
  ]);
  assertEquals(problemsOf(`${subsets}, split: [{ subset: v1, weight: 100 }, { subset: v2 }]`), [
    "split[1]: takes nothing, expected a weight, or headers",
    "split[1].subset: not among the subsets, expected one of them",
  ]);
});

Deno.test("times that never come, questions and answers that are none or too many are refused", () => {
  const late = "never comes before the timeout of 1000 ms, expected less";
  assertEquals(problemsOf("timeout: 1s, retry: { perTryTimeout: 1s }, hedge: { after: 2s }"), [
    `retry.perTryTimeout: ${late}`,
    `hedge.after: ${late}`,
  ]);
  assertEquals(problemsOf("healthCheck: {}, fallback: {}, fault: {}"), [
    "healthCheck: nothing to ask, expected exactly one of http, grpc, tcp",
    "fallback: no answer, expected exactly one of status, service, lastGood",
    "fault: nothing, expected delay or abort",
  ]);
  assertEquals(problemsOf("fallback: { service: a, body: x }, mirror: { to: a }"), [
    "fallback.service: the upstream itself, expected another",
    "fallback.body: useless without status, expected status beside it",
    "mirror.to: the upstream itself, expected another",
  ]);
});
