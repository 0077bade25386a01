import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { FakeClock } from "../../tests/support/fake_clock.ts";
import { DEFAULT_UPSTREAM, endpoint } from "../../tests/support/fake_snapshot.ts";
import { ProxyError } from "../errors.ts";
import type { BreakerSettings } from "../snapshot/resilience_settings.ts";
import type { Cluster, UpstreamSettings } from "../snapshot/snapshot.ts";
import { Attempt } from "./attempt.ts";
import { type Chosen, ClusterState, type Refusal } from "./cluster_state.ts";
import { NO_EVENTS } from "./events.ts";

const BREAKER: BreakerSettings = {
  scope: "cluster",
  failureThreshold: 2,
  successThreshold: 1,
  openForMs: 1000,
  probes: 1,
  failOn: ["5xx", "timeout", "connect", "reset", "grpc"],
};
const FIRST = { isRetry: false };

function clusterOf(count: number, settings: Partial<UpstreamSettings> = {}): Cluster {
  const endpoints = Array.from({ length: count }, (_, i) => endpoint(`10.0.0.${i + 1}:80`));
  return { ...DEFAULT_UPSTREAM, ...settings, name: "a", endpoints };
}

function rig(cluster: Cluster) {
  const clock = new FakeClock();
  const refused: string[] = [];
  const events = {
    ...NO_EVENTS,
    onRefused: (_: string, reason: string) => void refused.push(reason),
  };
  const state = new ClusterState("a", { clock, random: () => 0, zone: undefined, events });
  state.apply(cluster);
  const choose = (now = cluster): Chosen | Refusal => state.choose(now, [], undefined, FIRST);
  /** One attempt from its beginning to its end. */
  const call = (end: (attempt: Attempt) => void, now = cluster): string => {
    const choice = choose(now);
    if (choice.kind !== "chosen") return choice.kind;
    using attempt = choice.attempt;
    end(attempt);
    return attempt.endpoint.address;
  };
  return { clock, refused, state, choose, call };
}

function failure(kind: ProxyError["kind"]): ProxyError {
  return new ProxyError(kind, "x", { side: "upstream" });
}

Deno.test("attempts count while they are under way, and only until they are over", () => {
  const cluster = clusterOf(2);
  const { state, choose } = rig(cluster);
  const [one, other] = [choose(), choose()];
  assert(one.kind === "chosen" && other.kind === "chosen");
  assertEquals([state.inFlight, state.endpoints.map(({ inFlight }) => inFlight)], [2, [1, 1]]);
  one.attempt.answered(200);
  assertEquals(state.inFlight, 2, "its body is still to come");
  one.attempt[Symbol.dispose]();
  one.attempt[Symbol.dispose]();
  assertEquals([state.inFlight, state.endpoints.map(({ inFlight }) => inFlight)], [1, [0, 1]]);
  other.attempt[Symbol.dispose]();
  assertEquals(state.inFlight, 0);
});

Deno.test("a breaker counts what policy says, refuses, and says for how long", () => {
  const cluster = clusterOf(2, { circuitBreaker: BREAKER });
  const { state, call, choose, refused } = rig(cluster);
  for (const end of [(it: Attempt) => it.answered(404), (it: Attempt) => it.answered(500)]) {
    call(end);
  }
  assertEquals(state.breakerState, "closed");
  call((attempt) => attempt.failed(failure("deadline")));
  assertEquals(state.breakerState, "open");
  assertEquals(choose(), { kind: "breaker-open", openMs: 1000 });
  assertEquals(refused, ["breaker-open"]);
});

Deno.test("each kind of outcome counts where it is named, and nowhere else", () => {
  const outcomes: Record<string, (attempt: Attempt) => void> = {
    "5xx": (attempt) => attempt.answered(500),
    "gateway-error": (attempt) => attempt.answered(503),
    "timeout": (attempt) => attempt.failed(failure("deadline")),
    "connect": (attempt) => attempt.failed(failure("connect-failed")),
    "reset": (attempt) => attempt.failed(failure("upstream-reset")),
    "INTERNAL": (attempt) => attempt.answered(200, "13"),
    "RESOURCE_EXHAUSTED": (attempt) => attempt.answered(200, "8"),
  };
  const counted = (kinds: BreakerSettings["failOn"]): string[] =>
    Object.entries(outcomes).filter(([, end]) => {
      const { state, call } = rig(clusterOf(1, { circuitBreaker: { ...BREAKER, failOn: kinds } }));
      for (let i = 0; i < 2; i++) call(end);
      return state.breakerState === "open";
    }).map(([name]) => name);
  assertEquals(counted(["5xx"]), ["5xx", "gateway-error"]);
  assertEquals(counted(["gateway-error"]), ["gateway-error"]);
  assertEquals(counted(["timeout"]), ["timeout"]);
  assertEquals(counted(["connect", "reset"]), ["connect", "reset"]);
  assertEquals(counted(["grpc"]), ["INTERNAL"]);
  assertEquals(counted(["RESOURCE_EXHAUSTED"]), ["RESOURCE_EXHAUSTED"]);
});

Deno.test("what the client called off, or a limit of ours refused, is no news of the upstream", () => {
  const cluster = clusterOf(1, { circuitBreaker: { ...BREAKER, failureThreshold: 1 } });
  const { state, call } = rig(cluster);
  call((attempt) => attempt.failed(new ProxyError("downstream-gone", "x", { side: "downstream" })));
  call((attempt) => attempt.failed(new ProxyError("overloaded", "x", { side: "local" })));
  call(() => {});
  assertEquals(state.breakerState, "closed");
});

Deno.test("a slow answer is a failure where policy says how slow", async () => {
  const cluster = clusterOf(1, { circuitBreaker: { ...BREAKER, slowCallMs: 100 } });
  const { clock, state, choose } = rig(cluster);
  for (const ms of [150, 150]) {
    const choice = choose();
    assert(choice.kind === "chosen");
    await clock.advance(ms);
    choice.attempt.answered(200);
    choice.attempt[Symbol.dispose]();
  }
  assertEquals(state.breakerState, "open");
});

Deno.test("with a breaker for each endpoint one that is open is passed over", async () => {
  const cluster = clusterOf(2, { circuitBreaker: { ...BREAKER, scope: "endpoint" } });
  const { clock, state, call } = rig(cluster);
  const bad = (attempt: Attempt) => {
    if (attempt.endpoint.address === "10.0.0.1:80") attempt.failed(failure("upstream-reset"));
    else attempt.answered(200);
  };
  for (let i = 0; i < 4; i++) call(bad);
  assertEquals(state.breakerStateOf(state.endpoints[0]!), "open");
  const seen = new Set(Array.from({ length: 6 }, () => call(bad)));
  assertEquals([...seen], ["10.0.0.2:80"]);
  await clock.advance(1000);
  assertEquals(new Set(Array.from({ length: 2 }, () => call((it) => it.answered(200)))).size, 2);
  assertEquals(state.breakerStateOf(state.endpoints[0]!), "closed");
});

Deno.test("no more requests are under way than the bulkhead has room for", () => {
  const limits = { connections: 10, pending: 10, requests: 2, retries: 1 };
  const { choose, refused } = rig(clusterOf(2, { limits }));
  const first = choose();
  choose();
  assertEquals(choose(), { kind: "too-many-requests" });
  assertEquals(refused, ["requests"]);
  assert(first.kind === "chosen");
  first.attempt[Symbol.dispose]();
  assertEquals(choose().kind, "chosen");
});

Deno.test("retries are bounded by their limit and their budget", () => {
  const retry = { attempts: 3, on: [], backoff: { minMs: 1, maxMs: 1 }, budget: 0.2 };
  const limits = { connections: 10, pending: 10, requests: 100, retries: 1 };
  const cluster = clusterOf(1, { retry, limits });
  const { state } = rig(cluster);
  assert(state.mayRetry(cluster));
  const attempt = state.begin(cluster, cluster.endpoints[0]!, { isRetry: true });
  assert(attempt instanceof Attempt);
  assertEquals([state.retries, state.mayRetry(cluster)], [1, false]);
  attempt[Symbol.dispose]();
  assertEquals([state.retries, state.mayRetry(cluster)], [0, true]);
});

Deno.test("an endpoint that is ejected is not picked, and picked again afterwards", async () => {
  const outlier = {
    consecutiveErrors: 2,
    baseEjectionMs: 1000,
    maxEjectionMs: 1000,
    maxShare: 0.5,
    intervalMs: 10_000,
  };
  const cluster = clusterOf(2, { outlier });
  const { clock, state, call } = rig(cluster);
  const bad = (attempt: Attempt) => {
    if (attempt.endpoint.address === "10.0.0.1:80") attempt.failed(failure("connect-failed"));
    else attempt.answered(200);
  };
  for (let i = 0; i < 4; i++) call(bad);
  assertEquals(new Set(Array.from({ length: 6 }, () => call(bad))), new Set(["10.0.0.2:80"]));
  await clock.advance(1000);
  assertEquals(new Set(Array.from({ length: 2 }, () => call((it) => it.answered(200)))).size, 2);
  state.close();
  assertEquals(clock.pending, 0);
});

Deno.test("a change of policy or endpoints keeps the state of what it does not concern", () => {
  const before = clusterOf(2, { circuitBreaker: BREAKER });
  const { state, call } = rig(before);
  for (let i = 0; i < 2; i++) call((attempt) => attempt.answered(503));
  const known = state.endpoints[0]!;
  const after = { ...clusterOf(3, { circuitBreaker: { ...BREAKER } }), timeoutMs: 1 };
  state.apply(after);
  assertEquals(state.breakerState, "open");
  assertStrictEquals(state.stateOf(after.endpoints[0]!), known);
  assertEquals(state.endpoints.length, 3);
  state.apply(clusterOf(1, { circuitBreaker: { ...BREAKER, openForMs: 5 } }));
  assertEquals([state.breakerState, state.endpoints.length], ["closed", 1]);
  state.apply(clusterOf(1));
  assertEquals(state.breakerState, undefined);
  assertEquals(
    call((attempt) => attempt.answered(200), before),
    "10.0.0.1:80",
    "an old exchange goes on",
  );
});

Deno.test("slow start makes pickers anew while endpoints are new, and then stops", async () => {
  const loadBalancer = { ...DEFAULT_UPSTREAM.loadBalancer, slowStartMs: 1000 };
  const cluster = clusterOf(2, { loadBalancer });
  const { clock, state } = rig(cluster);
  const first = state.pickerOf(cluster);
  assertStrictEquals(state.pickerOf(cluster), first);
  await clock.advance(100);
  assert(state.pickerOf(cluster) !== first);
  await clock.advance(1000);
  const last = state.pickerOf(cluster);
  await clock.advance(5000);
  assertStrictEquals(state.pickerOf(cluster), last);
  assertEquals(clock.pending, 0);
});

Deno.test("peak-ewma learns how long answers take, and that failures are not fast", async () => {
  const loadBalancer = { ...DEFAULT_UPSTREAM.loadBalancer, algorithm: "peak-ewma" as const };
  const cluster = clusterOf(1, { loadBalancer });
  const { clock, state, choose, call } = rig(cluster);
  const choice = choose();
  assert(choice.kind === "chosen");
  await clock.advance(40);
  choice.attempt.began();
  await clock.advance(400);
  choice.attempt.answered(200, "0");
  choice.attempt[Symbol.dispose]();
  const [known] = state.endpoints;
  assert(known!.expectedMs() < 40 && known!.expectedMs() > 35, "to the head, not to the end");
  call((attempt) => attempt.failed(failure("connect-failed")));
  assertEquals(known!.expectedMs(), 1000);
});
