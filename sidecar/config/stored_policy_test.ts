import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { ConfigError, formatProblem } from "../errors.ts";
import { parseDocuments } from "./stored_policy.ts";

const PLACE = { prefix: "/mesh", service: "order-service" };

function policyOf(base: string | undefined, own: string | undefined) {
  const environment = (name: string) => name === "TIMEOUT" ? "7s" : undefined;
  return parseDocuments({ base, own }, PLACE, environment);
}

function problemsOf(base: string | undefined, own: string | undefined): string[] {
  const error = assertThrows(() => policyOf(base, own), ConfigError);
  return error.problems.map(formatProblem);
}

function timeouts(base: string | undefined, own: string | undefined): Record<string, number> {
  const { upstreams } = policyOf(base, own);
  return Object.fromEntries([...upstreams].map(([name, { timeoutMs }]) => [name, timeoutMs]));
}

Deno.test("a service without a document has the defaults, or what _default says", () => {
  assertEquals(policyOf(undefined, undefined).inbound.timeoutMs, 15_000);
  assertEquals(policyOf("inbound: { timeout: 1s }", undefined).inbound.timeoutMs, 1000);
  assertEquals(policyOf(undefined, "inbound: { timeout: 2s }").inbound.timeoutMs, 2000);
});

Deno.test("the document of a service is laid over _default, mapping by mapping", () => {
  const base = "upstreams:\n  a: { timeout: 1s }\n  b: { timeout: 2s }\ninbound: { timeout: 9s }\n";
  const own = "upstreams:\n  b: { timeout: 3s }\n  c: { timeout: ${TIMEOUT} }\n";
  assertEquals(timeouts(base, own), { a: 1000, b: 3000, c: 7000 });
  assertEquals(policyOf(base, own).inbound.timeoutMs, 9000);
  const retry = policyOf(
    "upstreams: { a: { retry: { attempts: 3, on: [connect, reset] } } }",
    "upstreams: { a: { retry: { on: [connect] } } }",
  ).upstreams.get("a")?.retry;
  assertEquals([retry?.attempts, [...retry?.on ?? []]], [3, ["connect"]]);
});

Deno.test("a problem is placed in the document that says the broken thing", () => {
  assertEquals(problemsOf("inbound: { timeout: 1 }", "upstreams: { a: {} }"), [
    "/mesh/policy/_default:1:21: inbound.timeout: is a number, expected a duration such as " +
    "250ms, 10s or 5m",
  ]);
  assertEquals(
    problemsOf("upstreams: { a: { timeout: 1s } }", "upstreams:\n  a: { timeuot: 2s }"),
    [
      '/mesh/policy/order-service:2:8: upstreams.a.timeuot: unknown key "timeuot", did you mean ' +
      '"timeout"?',
    ],
  );
  const [syntax = ""] = problemsOf(undefined, "inbound: [");
  assertMatch(syntax, /^\/mesh\/policy\/order-service:1:/);
});

Deno.test("what two sound documents make together is checked as one", () => {
  const base = "upstreams: { a: { timeout: 1s } }";
  const own = "upstreams: { a: { retry: { perTryTimeout: 2s } } }";
  assertEquals(problemsOf(base, own), [
    "/mesh/policy/order-service:1:43: upstreams.a.retry.perTryTimeout: never comes before the " +
    "timeout of 1000 ms, expected less",
  ]);
});
