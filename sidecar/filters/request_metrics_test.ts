import { assertEquals, assertMatch } from "@std/assert";
import { FakeClock } from "../../tests/support/fake_clock.ts";
import { type FakeExchange, fakeExchange } from "../../tests/support/fake_exchange.ts";
import { fakeRoute } from "../../tests/support/fake_snapshot.ts";
import { parsePrometheus } from "../../tests/support/prometheus.ts";
import { emptyResponse, type Outcome } from "../http/message.ts";
import { Metrics } from "../telemetry/metrics.ts";
import type { ListenerKind } from "./filter.ts";
import { RequestMetrics } from "./request_metrics.ts";

const GRPC = { version: "2", headers: { "content-type": "application/grpc+proto" } } as const;
const DONE: Outcome = { bodyBytes: 0, error: undefined };

interface Ended {
  readonly listener?: ListenerKind;
  readonly upstream?: string;
  readonly status?: number;
  readonly reason?: string;
  readonly error?: Error;
}

function rig() {
  const clock = new FakeClock();
  const metrics = new Metrics();
  const filter = new RequestMetrics(metrics, clock);
  const end = ({ listener = "edge", upstream, status, reason, error }: Ended): void => {
    const exchange = fakeExchange({ listener });
    exchange.upstream = upstream;
    exchange.reason = reason;
    const response = status === undefined ? undefined : emptyResponse(status);
    filter.onEnd(exchange, response, { ...DONE, error });
  };
  const samples = (name: string) => parsePrometheus(metrics.render()).get(name)!.samples;
  return { clock, metrics, filter, end, samples };
}

Deno.test("RequestMetrics sums up what failed: by the service, or by an answer of our own", () => {
  const { filter, end } = rig();
  for (const status of [200, 204, 404, 500, 503]) end({ upstream: "a", status });
  end({ upstream: "a", status: 429, reason: "rate-limited" });
  end({ upstream: "a", reason: "downstream-gone", error: new Error("gone") });
  assertEquals(filter.traffic, { requests: 7, failures: 3 });
  for (const code of ["0", "5", "13", "14"]) {
    const response = emptyResponse(200);
    response.headers.append("grpc-status", code);
    filter.onEnd(fakeExchange({ listener: "inbound", ...GRPC }), response, DONE);
  }
  assertEquals(filter.traffic, { requests: 11, failures: 5 });
});

Deno.test("RequestMetrics counts exchanges by where they came in, whither they went and how they ended", () => {
  const { end, samples } = rig();
  end({ upstream: "user-service", status: 200 });
  end({ upstream: "user-service", status: 200 });
  end({ listener: "inbound", upstream: "user-service", status: 200 });
  end({ upstream: "user-service", status: 503, reason: "no-endpoints" });
  end({ status: 404, reason: "route-not-found" });
  end({ upstream: "user-service", status: 200, error: new Error("cut") });
  end({ upstream: "user-service", error: new Error("cut") });
  const of = (listener: string, upstream: string, status: number, reason: string) =>
    `mesh_requests_total{listener="${listener}",source="",upstream="${upstream}",route="",` +
    `protocol="http/1.1",status="${status}",grpc_status="",reason="${reason}"}`;
  assertEquals([...samples("mesh_requests_total")], [
    [of("edge", "user-service", 200, "none"), 2],
    [of("inbound", "user-service", 200, "none"), 1],
    [of("edge", "user-service", 503, "no-endpoints"), 1],
    [of("edge", "none", 404, "route-not-found"), 1],
    [of("edge", "user-service", 200, "aborted"), 1],
    [of("edge", "user-service", 0, "aborted"), 1],
  ]);
});

Deno.test("RequestMetrics times exchanges in seconds, from the head to the last byte", async () => {
  const { clock, end, samples } = rig();
  await clock.advance(30);
  end({ upstream: "a", status: 200 });
  await clock.advance(1970);
  end({ upstream: "a", status: 500 });
  const found = samples("mesh_request_duration_seconds");
  const labels = 'listener="edge",source="",upstream="a",route=""';
  const key = `{${labels}}`;
  assertEquals(found.get(`mesh_request_duration_seconds_count${key}`), 2);
  assertEquals(found.get(`mesh_request_duration_seconds_sum${key}`), 2.03);
  assertEquals(
    found.get(`mesh_request_duration_seconds_bucket{${labels},le="0.05"}`),
    1,
  );
});

Deno.test("RequestMetrics stays bounded when upstreams are without number", () => {
  const { end, samples } = rig();
  for (let i = 0; i < 5000; i++) end({ upstream: `s${i}`, status: 200 });
  const found = samples("mesh_requests_total");
  assertEquals(found.size, 2001);
  assertEquals([...found.values()].reduce((sum, count) => sum + count), 5000);
});

Deno.test("RequestMetrics says who called, by which route and protocol, and how a gRPC call ended", () => {
  const { filter, samples } = rig();
  const end = (about: FakeExchange, grpcStatus?: string) => {
    const exchange = fakeExchange(about);
    exchange.upstream = "app";
    const response = emptyResponse(200);
    if (grpcStatus !== undefined) response.headers.append("grpc-status", grpcStatus);
    filter.onEnd(exchange, response, DONE);
  };
  const identity = "spiffe://mesh.local/ns/default/svc/order-service";
  const peer = { host: "10.0.0.1", port: 1, identity };
  end({ listener: "inbound", peer, ...GRPC }, "5");
  end({ listener: "inbound", peer, ...GRPC }, 'made up"');
  end({ listener: "edge", version: "2", route: fakeRoute("/users/*") });
  end({ listener: "edge", version: "2", route: fakeRoute("/users/*") });
  const of = (labels: string) => `mesh_requests_total{${labels},reason="none"}`;
  const call =
    'listener="inbound",source="order-service",upstream="app",route="",protocol="grpc",status="200"';
  const route =
    'listener="edge",source="",upstream="app",route="/users/*",protocol="http/2",status="200"';
  assertEquals([...samples("mesh_requests_total")], [
    [of(`${call},grpc_status="5"`), 1],
    [of(`${call},grpc_status="unknown"`), 1],
    [of(`${route},grpc_status=""`), 2],
  ]);
});

Deno.test("RequestMetrics names the trace of a sampled exchange beside its time, and of no other", async () => {
  const { clock, filter, metrics } = rig();
  const end = (traceId: string, isSampled: boolean) => {
    const exchange = fakeExchange({ listener: "edge" });
    const attempt = () => ({ failed: () => {} });
    exchange.trace = { context: { traceId, spanId: "1".repeat(16), isSampled }, attempt };
    filter.onEnd(exchange, emptyResponse(200), DONE);
  };
  await clock.advance(20);
  end("a".repeat(32), true);
  end("b".repeat(32), false);
  const text = metrics.render("openmetrics");
  assertMatch(text, new RegExp(`le="0.025"\\} 2 # \\{trace_id="${"a".repeat(32)}"\\} 0\\.02 `));
  assertEquals(text.includes("b".repeat(32)), false);
});
