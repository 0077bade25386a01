import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { FakeClock } from "../../tests/support/fake_clock.ts";
import { type FakeExchange, fakeExchange } from "../../tests/support/fake_exchange.ts";
import { fakeRoute } from "../../tests/support/fake_snapshot.ts";
import { emptyResponse } from "../http/message.ts";
import type { Span } from "../telemetry/span.ts";
import { Tracing, type TracingSettings } from "./tracing.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const PARENT = "b7ad6b7169203331";
const SAMPLED = `00-${TRACE}-${PARENT}-01`;
const UNSAMPLED = `00-${TRACE}-${PARENT}-00`;
const ALL: TracingSettings = { sample: 1, slowMs: 1000, keepsErrors: true };

interface Ended {
  readonly status?: number;
  readonly reason?: string;
  readonly error?: Error;
  readonly grpcStatus?: string;
}

function rig(settings: Partial<TracingSettings> = {}) {
  const clock = new FakeClock();
  const spans: Span[] = [];
  const filter = new Tracing({ ...ALL, ...settings }, clock, (span) => void spans.push(span));
  const begin = (about: FakeExchange = {}) => {
    const exchange = fakeExchange({ startedAt: clock.now(), ...about });
    filter.onRequest(exchange);
    const told = () => exchange.request.headers.get("traceparent") ?? "";
    const end = ({ status = 200, reason, error, grpcStatus }: Ended = {}) => {
      exchange.reason = reason;
      const response = emptyResponse(status);
      if (grpcStatus !== undefined) response.headers.append("grpc-status", grpcStatus);
      filter.onEnd(exchange, response, { bodyBytes: 0, error });
      return spans.splice(0);
    };
    return { exchange, told, end };
  };
  return { clock, begin };
}

function inbound(traceparent: string): FakeExchange {
  return { listener: "inbound", headers: { traceparent } };
}

Deno.test("Tracing goes on with the caller's trace, and is the upstream's caller in it", () => {
  const { told, end } = rig().begin({ ...inbound(SAMPLED), target: "/users/7?token=x" });
  assertMatch(told(), new RegExp(`^00-${TRACE}-[0-9a-f]{16}-01$`));
  const [span, ...more] = end();
  assertEquals(more, []);
  assertEquals([span?.traceId, span?.parentId, span?.kind, span?.name], [
    TRACE,
    PARENT,
    "server",
    "GET",
  ]);
  assertEquals(told(), `00-${TRACE}-${span?.spanId}-01`);
  assertEquals(span?.attributes["url.path"], "/users/7");
  assertEquals(JSON.stringify(span).includes("token"), false);
});

Deno.test("Tracing begins a trace where there is none", () => {
  const { told, end } = rig().begin({ listener: "inbound" });
  const [span] = end();
  assertEquals(span?.parentId, undefined);
  assertEquals(told(), `00-${span?.traceId}-${span?.spanId}-01`);
});

Deno.test("an edge has a span for itself and one for each attempt, which is the upstream's caller", () => {
  const { clock, begin } = rig();
  const { exchange, told, end } = begin({
    listener: "edge",
    method: "POST",
    route: fakeRoute("/api/orders/*"),
  });
  const first = exchange.trace!.attempt(exchange.request, "10.0.0.1:80");
  const toldFirst = told();
  first.failed("upstream-reset");
  exchange.trace!.attempt(exchange.request, "10.0.0.2:80");
  clock.stepEpoch(0);
  const [server, one, two] = end();
  assertEquals([server?.name, server?.kind, server?.error], [
    "POST /api/orders/*",
    "server",
    undefined,
  ]);
  assertEquals([one?.parentId, two?.parentId], [server?.spanId, server?.spanId]);
  assertEquals([one?.error, two?.error], ["upstream-reset", undefined]);
  assertEquals(two?.attributes["http.request.resend_count"], 1);
  assertEquals([two?.attributes["server.address"], two?.attributes["server.port"]], [
    "10.0.0.2",
    80,
  ]);
  assertEquals(toldFirst, `00-${server?.traceId}-${one?.spanId}-01`);
  assertEquals(told(), `00-${server?.traceId}-${two?.spanId}-01`);
});

Deno.test("an app's call is one client span that tells of its attempts", () => {
  const { exchange, told, end } = rig().begin({ listener: "outbound" });
  exchange.trace!.attempt(exchange.request, "10.0.0.1:80").failed("503");
  exchange.trace!.attempt(exchange.request, "10.0.0.2:80");
  const [span, ...more] = end();
  assertEquals([span?.kind, more.length], ["client", 0]);
  assertEquals(span?.events.map(({ name }) => name), ["attempt", "attempt failed", "retry"]);
  assertEquals(told(), `00-${span?.traceId}-${span?.spanId}-01`);
});

Deno.test("Tracing keeps what is sampled, and what failed or was slow whether sampled or not", async () => {
  const { clock, begin } = rig({ sample: 0 });
  const unsampled = () => begin(inbound(UNSAMPLED));
  assertEquals(unsampled().end().length, 0);
  assertEquals(unsampled().end({ status: 404 }).length, 0);
  assertEquals(unsampled().end({ status: 503, reason: "no-endpoints" }).length, 1);
  assertEquals(unsampled().end({ error: new Error("cut") }).length, 1);
  const slow = unsampled();
  await clock.advance(1000);
  assertEquals(slow.end().length, 1);
  assertEquals(begin(inbound(SAMPLED)).end().length, 1);
  assertEquals(rig({ sample: 0, keepsErrors: false }).begin().end({ status: 503 }).length, 0);
});

Deno.test("Tracing at an edge decides by itself what is sampled, whatever the outside says", () => {
  const ask = (sample: number, traceparent: string) =>
    rig({ sample }).begin({ listener: "edge", headers: { traceparent } });
  assertMatch(ask(0, SAMPLED).told(), new RegExp(`^00-${TRACE}-.*-00$`));
  assertMatch(ask(1, UNSAMPLED).told(), new RegExp(`^00-${TRACE}-.*-01$`));
});

Deno.test("Tracing says by the conventions how an exchange ended", () => {
  const ending = (about: FakeExchange, ended: Ended) => {
    const [span] = rig().begin(about).end(ended);
    return [span?.error, span?.attributes["error.type"], span?.attributes["mesh.reason"]];
  };
  const [server, client] = [{ listener: "inbound" }, { listener: "outbound" }] as const;
  assertEquals(ending(server, { status: 404 }), [undefined, undefined, undefined]);
  assertEquals(ending(client, { status: 404 }), ["404", "404", undefined]);
  assertEquals(ending(server, { status: 500 }), ["500", "500", undefined]);
  const reason = "no-endpoints";
  assertEquals(ending(server, { status: 503, reason }), [reason, reason, reason]);
  assertEquals(ending(server, { error: new Error("x") })[0], "aborted");
});

Deno.test("Tracing knows a gRPC call by its method and status", () => {
  const call = (listener: "inbound" | "outbound", grpcStatus: string) =>
    rig().begin({
      listener,
      version: "2",
      method: "POST",
      target: "/user.UserService/GetUser",
      headers: { "content-type": "application/grpc" },
    }).end({ grpcStatus })[0];
  const well = call("inbound", "0");
  assertEquals([well?.name, well?.error], ["user.UserService/GetUser", undefined]);
  assertEquals([well?.attributes["rpc.service"], well?.attributes["rpc.method"]], [
    "user.UserService",
    "GetUser",
  ]);
  assertEquals(well?.attributes["rpc.grpc.status_code"], 0);
  assertEquals([call("inbound", "5")?.error, call("outbound", "5")?.error], [
    undefined,
    "grpc-status 5",
  ]);
  assertEquals(call("inbound", "14")?.error, "grpc-status 14");
});

Deno.test("Tracing passes B3 callers on as traceparent, and tracestate as it came", () => {
  const headers = { b3: `${TRACE}-${PARENT}-1`, tracestate: "vendor=x" };
  const { told, end, exchange } = rig().begin({ listener: "inbound", headers });
  assert(told().startsWith(`00-${TRACE}-`));
  assertEquals(exchange.request.headers.get("tracestate"), "vendor=x");
  const [span] = end();
  assertEquals([span?.parentId, span?.traceState], [PARENT, "vendor=x"]);
  assertNotEquals(span?.spanId, PARENT);
});
