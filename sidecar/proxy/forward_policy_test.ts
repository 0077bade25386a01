// Retries, hedges and fallbacks of an exchange, as policy wants them.
import { assert, assertEquals } from "@std/assert";
import { settle } from "../../tests/support/fake_clock.ts";
import { bodyOf, fakeExchange, type FakeRequest } from "../../tests/support/fake_exchange.ts";
import { fakeCluster, fakeSnapshot } from "../../tests/support/fake_snapshot.ts";
import { ok } from "../../tests/support/scripted_upstream.ts";
import { upstreamRig } from "../../tests/support/upstream_rig.ts";
import type { UpstreamSettings } from "../snapshot/snapshot.ts";
import { seeded } from "../upstream/balancer/test_candidates.ts";
import { Faults } from "./faults.ts";
import type { FallbackSettings, FaultSettings } from "../snapshot/resilience_settings.ts";
import { Upstreams } from "../upstream/upstreams.ts";
import { rescue } from "./rescue.ts";
import { errorOf, fakeForwarder, gone } from "./test_forward.ts";

const TWO = ["10.0.0.1:80", "10.0.0.2:80"];
const RETRY = {
  attempts: 2,
  on: ["connect", "reset", "gateway-error"],
  backoff: { minMs: 10, maxMs: 10 },
  budget: 0.2,
} as const;

function rig(settings: Partial<UpstreamSettings>, addresses: readonly string[] = TWO) {
  const parts = upstreamRig();
  const upstreams = new Upstreams(parts.context, { random: () => 0 });
  const forwarder = fakeForwarder(parts, upstreams);
  const cluster = { ...fakeCluster("user-service", addresses), ...settings };
  const begin = async (request: FakeRequest = {}, timeoutMs = 5000) => {
    const snapshot = fakeSnapshot({ endpoints: { other: ["10.0.9.9:80"] } });
    const exchange = fakeExchange({ snapshot, ...request });
    const response = forwarder.forward(exchange, cluster, timeoutMs);
    response.catch(() => {});
    await settle();
    return { exchange, response };
  };
  const state = upstreams.state(cluster);
  return { ...parts, upstreams, cluster, begin, state };
}

function status(code: number, headers = ""): string {
  return `HTTP/1.1 ${code} X\r\ncontent-length: 0\r\n${headers}\r\n`;
}

Deno.test("a retry goes to another endpoint first, and back to the first where there is no other", async () => {
  const { begin, upstream, clock } = rig({ retry: { ...RETRY, attempts: 3 } });
  const asked: string[] = [];
  upstream.respond = (_, { peer: { host } }) => {
    asked.push(host);
    return asked.length < 3 ? status(503) : ok();
  };
  const { response } = await begin();
  await clock.advance(100);
  assertEquals((await response).status, 200);
  assertEquals(asked, ["10.0.0.1", "10.0.0.2", "10.0.0.1"]);
});

Deno.test("a try that takes too long is given up, and the next one answers", async () => {
  const { begin, upstream, clock, state } = rig({ retry: { ...RETRY, perTryTimeoutMs: 100 } });
  const { response } = await begin();
  const [slow] = upstream.connections;
  await clock.advance(99);
  assertEquals(slow!.isClosed, false);
  await clock.advance(1);
  assertEquals(slow!.isClosed, true);
  await clock.advance(10);
  upstream.last.send(ok("second"));
  assertEquals(await bodyOf(await response), "second");
  assertEquals(state.endpoints.map(({ address }) => address), TWO);
});

Deno.test("the last try that takes too long is answered as a deadline", async () => {
  const { begin, clock } = rig({ retry: { ...RETRY, perTryTimeoutMs: 100 } });
  const { response } = await begin();
  await clock.advance(500);
  const error = await errorOf(response);
  assertEquals([error.kind, error.message], ["deadline", "no response within 100 ms of this try"]);
  await clock.advance(10_000);
  assertEquals(clock.pending, 0);
});

Deno.test("Retry-After is waited for, and where it asks for more than there is time the answer goes on", async () => {
  const { begin, upstream, clock } = rig({ retry: RETRY });
  const { response } = await begin();
  upstream.last.send(status(503, "retry-after: 2\r\n"));
  await settle();
  await clock.advance(1999);
  assertEquals(upstream.connections.length, 1);
  await clock.advance(1);
  upstream.last.send(ok());
  assertEquals((await response).status, 200);
  upstream.respond = () => status(503, "retry-after: 60\r\n");
  const late = await begin();
  assertEquals((await late.response).status, 503);
});

Deno.test("an open breaker answers at once in the seed's words, and says when to come again", async () => {
  const circuitBreaker = {
    scope: "cluster",
    failureThreshold: 2,
    successThreshold: 1,
    openForMs: 30_000,
    probes: 1,
    failOn: ["5xx"],
  } as const;
  const { begin, upstream } = rig({ circuitBreaker });
  for (let i = 0; i < 2; i++) {
    const { response } = await begin();
    upstream.last.send(status(500));
    await response;
  }
  const dialled = upstream.dialled.length;
  const { response } = await begin();
  const answer = rescue(await errorOf(response));
  assertEquals([answer.status, await bodyOf(answer)], [503, '{"error":"circuit breaker is open"}']);
  assertEquals(answer.headers.get("retry-after"), "30");
  assertEquals(answer.headers.get("x-mesh-reason"), "breaker-open");
  assertEquals(upstream.dialled.length, dialled);
});

Deno.test("an exchange is under way until it is over, whatever its end", async () => {
  const { begin, upstream, state } = rig({});
  const { exchange, response } = await begin();
  assertEquals(state.inFlight, 1);
  upstream.last.send(ok());
  await response;
  assertEquals(state.inFlight, 1);
  exchange.release();
  assertEquals(state.inFlight, 0);
  const cut = await begin();
  cut.exchange.incoming.cancellation.cancel(gone());
  await errorOf(cut.response);
  assertEquals(state.inFlight, 0);
});

const HEDGE = { hedge: { afterMs: 50 } };

Deno.test("a slow first attempt has a second beside it elsewhere, and the first answer of the two counts", async () => {
  const { begin, upstream, clock, state } = rig(HEDGE);
  const { exchange, response } = await begin();
  await clock.advance(49);
  assertEquals(upstream.dialled, TWO.slice(0, 1));
  await clock.advance(1);
  assertEquals([upstream.dialled, state.inFlight], [TWO, 2]);
  const [slow, quick] = upstream.connections;
  quick!.send(ok("second"));
  await settle();
  assertEquals(await bodyOf(await response), "second");
  assertEquals([slow!.isClosed, state.inFlight, exchange.attempts], [true, 1, 2]);
  exchange.release();
  assertEquals(state.inFlight, 0);
  await clock.advance(100_000);
  assertEquals(clock.pending, 0);
});

Deno.test("a first attempt that answers in time has no second, and one that fails is the answer", async () => {
  const { begin, upstream, clock } = rig(HEDGE);
  const quick = await begin();
  upstream.last.send(ok());
  await quick.response;
  await clock.advance(1000);
  const failing = await begin();
  upstream.last.end();
  const error = await errorOf(failing.response);
  assertEquals(error.kind, "upstream-reset");
  assertEquals(upstream.dialled.length <= 3, true);
});

Deno.test("where one of the two fails the other is waited for", async () => {
  const { begin, upstream, clock } = rig(HEDGE);
  const { response } = await begin();
  await clock.advance(50);
  const [first, second] = upstream.connections;
  second!.end();
  await settle();
  first!.send(ok("first"));
  assertEquals(await bodyOf(await response), "first");
});

Deno.test("what may not be sent twice is not, and second attempts are one in ten in the long run", async () => {
  const { begin, upstream, clock } = rig(HEDGE);
  await begin({ method: "POST", body: "x" });
  await clock.advance(100);
  assertEquals(upstream.dialled.length, 1);
  for (let i = 0; i < 20; i++) {
    const { exchange } = await begin();
    await clock.advance(60);
    exchange.incoming.cancellation.cancel(gone());
    await settle();
  }
  // Ten from the start, and a tenth of twenty.
  const seconds = upstream.dialled.length - 21;
  assert(seconds === 11 || seconds === 12, `${seconds}`);
});

function fallback(
  answer: FallbackSettings["answer"],
  on: FallbackSettings["on"] = ["connect", "5xx"],
) {
  return { fallback: { on, answer } };
}

const SORRY = {
  kind: "static",
  status: 200,
  headers: new Map([["x-a", "b"]]),
  body: '{"items":[]}',
} as const;

Deno.test("a fallback that policy wrote is answered after the failures that it names, marked as such", async () => {
  const { begin, upstream } = rig(fallback(SORRY));
  const { response } = await begin();
  upstream.last.send(status(500));
  const answer = await response;
  assertEquals([answer.status, await bodyOf(answer)], [200, '{"items":[]}']);
  const names = ["content-type", "x-a", "x-mesh-fallback"];
  assertEquals(names.map((name) => answer.headers.get(name)), ["application/json", "b", "5xx"]);
  upstream.rules.set("10.0.0.1:80", "refuse").set("10.0.0.2:80", "refuse");
  const other = rig(fallback(SORRY));
  other.upstream.rules.set("10.0.0.1:80", "refuse").set("10.0.0.2:80", "refuse");
  assertEquals((await (await other.begin()).response).headers.get("x-mesh-fallback"), "connect");
  const named = rig(fallback(SORRY, ["breaker-open"]));
  named.upstream.rules.set("10.0.0.1:80", "refuse").set("10.0.0.2:80", "refuse");
  assertEquals((await errorOf((await named.begin()).response)).kind, "connect-failed");
});

Deno.test("no fallback stands in for a good answer, or for a gRPC call's failure", async () => {
  const { begin, upstream } = rig(fallback(SORRY));
  const { response } = await begin();
  upstream.last.send(ok("fine"));
  assertEquals(await bodyOf(await response), "fine");
  const grpc = rig(fallback(SORRY));
  grpc.upstream.rules.set("10.0.0.1:80", "refuse").set("10.0.0.2:80", "refuse");
  const call = await grpc.begin({
    method: "POST",
    version: "2",
    headers: { "content-type": "application/grpc" },
  });
  assertEquals((await errorOf(call.response)).kind, "connect-failed");
});

Deno.test("another service may answer in place, and when it fails too the first failure is told", async () => {
  const { begin, upstream } = rig(fallback({ kind: "service", service: "other" }));
  const { response } = await begin();
  upstream.last.send(status(502));
  await settle();
  assertEquals(upstream.dialled.at(-1), "10.0.9.9:80");
  upstream.last.send(ok("instead"));
  const answer = await response;
  assertEquals([await bodyOf(answer), answer.headers.get("x-mesh-fallback")], ["instead", "5xx"]);
  upstream.rules.set("10.0.9.9:80", "refuse");
  const again = rig(fallback({ kind: "service", service: "other" }));
  for (const address of [...TWO, "10.0.9.9:80"]) again.upstream.rules.set(address, "refuse");
  assertEquals((await errorOf((await again.begin()).response)).kind, "connect-failed");
});

Deno.test("the last good answer to the same GET is shown while it is young, and to nobody whose own it may not be", async () => {
  const settings = fallback({ kind: "last-good", maxAgeMs: 60_000 });
  const { begin, upstream, clock } = rig(settings);
  const answered = async (request: FakeRequest, text: string) => {
    upstream.respond = () => text;
    const { response } = await begin(request);
    const answer = await response;
    return [answer.status, await bodyOf(answer), answer.headers.get("age")];
  };
  await answered({ target: "/a" }, ok("good"));
  await answered({ target: "/mine", headers: { authorization: "x" } }, ok("private"));
  await answered({ target: "/set" }, ok("own", "set-cookie: a=b\r\n"));
  await clock.advance(5000);
  assertEquals(await answered({ target: "/a" }, status(500)), [200, "good", "5"]);
  for (const target of ["/mine", "/set", "/never"]) {
    assertEquals((await answered({ target }, status(500)))[0], 500, target);
  }
  assertEquals((await answered({ target: "/a", headers: { cookie: "a=b" } }, status(500)))[0], 500);
  await clock.advance(60_000);
  assertEquals((await answered({ target: "/a" }, status(500)))[0], 500);
});

Deno.test("a last good answer that comes in pieces is kept once it is whole, and never in part", async () => {
  const { begin, upstream } = rig(fallback({ kind: "last-good", maxAgeMs: 60_000 }), [
    "10.0.0.1:80",
  ]);
  const { response } = await begin({ target: "/a" });
  upstream.last.send("HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\nfour");
  const whole = bodyOf(await response);
  await settle();
  upstream.last.send("more");
  assertEquals(await whole, "fourmore");
  const cut = await begin({ target: "/a" });
  upstream.last.send("HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\nhalf");
  const broken = bodyOf(await cut.response).catch(() => "broken");
  await settle();
  upstream.last.end();
  assertEquals(await broken, "broken");
  const failing = await begin({ target: "/a" });
  upstream.last.send(status(500));
  assertEquals(await bodyOf(await failing.response), "fourmore");
  assert(upstream.connections.length === 2);
});

function faultOf(more: Partial<FaultSettings>): Partial<UpstreamSettings> {
  return { fault: { headers: new Map(), ...more } };
}

Deno.test("an abort that policy asks for is its status to HTTP, and no upstream hears of it", async () => {
  const { begin, upstream } = rig(faultOf({ abort: { status: 418, share: 1 } }));
  const { response } = await begin();
  const answer = rescue(await errorOf(response));
  assertEquals([answer.status, answer.headers.get("x-mesh-reason")], [418, "fault-injected"]);
  assertEquals(upstream.dialled, []);
});

Deno.test("a delay that policy asks for passes, and a client that goes meanwhile ends it", async () => {
  const { begin, upstream, clock } = rig(faultOf({ delay: { timeMs: 200, share: 1 } }));
  upstream.respond = () => ok("late");
  const { response } = await begin();
  await clock.advance(199);
  assertEquals(upstream.dialled.length, 0);
  await clock.advance(1);
  assertEquals(await bodyOf(await response), "late");
  const gives = await begin();
  gives.exchange.incoming.cancellation.cancel(gone());
  assertEquals((await errorOf(gives.response)).kind, "downstream-gone");
  await clock.advance(100_000);
  assertEquals(clock.pending, 0);
});

Deno.test("faults meet the share of requests that policy says, and only those with its headers", async () => {
  const parts = upstreamRig();
  const injected: string[] = [];
  const faults = new Faults({
    timeouts: parts.timeouts,
    random: seeded(3),
    onInjected: (_, what) => void injected.push(what),
  });
  const settings = { abort: { status: 500, share: 0.2 }, headers: new Map([["x-test", "*"]]) };
  let aborted = 0;
  for (let i = 0; i < 5000; i++) {
    const exchange = fakeExchange({ headers: { "x-test": `${i}` } });
    await faults.inject(exchange, "a", settings)?.catch(() => aborted++);
  }
  // Four standard deviations of 5000 tosses are 113.
  assert(Math.abs(aborted - 1000) < 113, `${aborted}`);
  assertEquals(injected.length, aborted);
  assertEquals(faults.inject(fakeExchange(), "a", settings), undefined);
});

Deno.test("a mirrored request goes to the other service too, marked, and its fate is nobody's matter", async () => {
  const { begin, upstream } = rig({ mirror: { to: "other", share: 1 } });
  const seen: string[] = [];
  upstream.respond = (request, { peer: { host } }) => {
    seen.push(`${host} ${/x-mesh-mirror: 1/.test(request)} ${request.endsWith("body")}`);
    return host === "10.0.9.9" ? undefined : ok("original");
  };
  const { response } = await begin({ method: "POST", body: "body" });
  assertEquals(await bodyOf(await response), "original");
  assertEquals(seen.toSorted(), ["10.0.0.1 false true", "10.0.9.9 true true"]);
  const copy = await begin({ headers: { "x-mesh-mirror": "1" } });
  await copy.response;
  assertEquals(seen.length, 3, "a copy is not copied");
  upstream.rules.set("10.0.9.9:80", "refuse");
  assertEquals((await (await begin()).response).status, 200);
});

Deno.test("no more copies are under way than there is room for", async () => {
  const { begin, upstream } = rig({ mirror: { to: "other", share: 1 } });
  let copies = 0;
  upstream.respond = (_, { peer: { host } }) => {
    if (host !== "10.0.9.9") return ok();
    copies++;
    return undefined;
  };
  for (let i = 0; i < 120; i++) await bodyOf(await (await begin()).response);
  // Ten connections of the rig are busy, ninety copies wait for one, and the rest is not made.
  assertEquals(copies, 10);
});
