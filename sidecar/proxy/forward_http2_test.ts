import { assert, assertEquals, assertRejects } from "@std/assert";
import { settle } from "../../tests/support/fake_clock.ts";
import { fakeExchange, type FakeRequest } from "../../tests/support/fake_exchange.ts";
import { endpoint, fakeCluster } from "../../tests/support/fake_snapshot.ts";
import { Http2Upstream } from "../../tests/support/http2_upstream.ts";
import { upstreamRig } from "../../tests/support/upstream_rig.ts";
import { ProxyError } from "../errors.ts";
import { grpcAnswer } from "../grpc/errors.ts";
import { GRPC } from "../grpc/status.ts";
import { readBody } from "../http/body.ts";
import { FieldList } from "../http/fields.ts";
import { emptyResponse, type Response, textResponse } from "../http/message.ts";
import type { Cluster, RetrySettings } from "../snapshot/snapshot.ts";
import { Upstreams } from "../upstream/upstreams.ts";
import { errorOf, fakeForwarder } from "./test_forward.ts";

const RETRY: RetrySettings = {
  attempts: 3,
  on: ["connect", "reset", "gateway-error", "grpc-unavailable"],
  backoff: { minMs: 10, maxMs: 20 },
  budget: 0.2,
};

const CALL: FakeRequest = {
  method: "POST",
  version: "2",
  target: "/user.UserService/GetUser",
  headers: { "content-type": "application/grpc", "te": "trailers" },
  body: "\0\0\0\0\x01a",
};

/** A forwarder to endpoints that announce HTTP/2. */
function rig(count = 1, settings: Partial<Cluster> = {}) {
  const parts = upstreamRig();
  const upstream = new Http2Upstream();
  const context = { ...parts.context, dial: upstream.dial };
  const upstreams = new Upstreams(context);
  const forwarder = fakeForwarder({ ...parts, context }, upstreams);
  const meta = { protocols: "http1,http2" };
  const endpoints = Array.from(
    { length: count },
    (_, i) => endpoint(`10.0.0.${i + 1}:80`, { meta }),
  );
  const cluster: Cluster = { ...fakeCluster("user-service", []), endpoints, ...settings };
  const begin = async (request: FakeRequest = CALL, timeoutMs = 5000) => {
    const exchange = fakeExchange(request);
    const response = forwarder.forward(exchange, cluster, timeoutMs);
    response.catch(() => {});
    await settle();
    return { exchange, response };
  };
  return { ...parts, upstream, upstreams, begin };
}

async function statusOf(
  response: Promise<Response>,
): Promise<[string | undefined, string | undefined]> {
  const { headers, body } = await response;
  await readBody(body, 1024);
  const fields = body.trailers ?? headers;
  return [fields.get("grpc-status"), fields.get("grpc-message")];
}

Deno.test("forward speaks HTTP/2 to an endpoint that announces it, many requests on one connection", async () => {
  const { upstream, upstreams, begin } = rig();
  upstream.respond = () => textResponse(200, "hello", "text/plain");
  for (let i = 0; i < 3; i++) {
    const { response } = await begin({ target: `/${i}` });
    assertEquals(await readBody((await response).body, 10), new TextEncoder().encode("hello"));
  }
  assertEquals(upstream.connections.length, 1);
  assertEquals(upstream.requests.map(({ request }) => request.target), ["/0", "/1", "/2"]);
  upstreams.close();
});

Deno.test("forward balances each request and not each connection", async () => {
  const { upstream, upstreams, begin } = rig(3);
  const counts = new Map<string, number>();
  upstream.respond = (_, address) => {
    counts.set(address, (counts.get(address) ?? 0) + 1);
    return emptyResponse(200);
  };
  for (let i = 0; i < 9; i++) await (await begin()).response;
  assertEquals([...counts.values()], [3, 3, 3]);
  upstreams.close();
});

Deno.test("forward passes what is left of the caller's deadline on", async () => {
  const { upstream, upstreams, begin, clock } = rig();
  clock.advance(0);
  const { response } = await begin({
    ...CALL,
    headers: { ...CALL.headers as Record<string, string>, "grpc-timeout": "2S" },
  });
  await response;
  assertEquals(upstream.requests[0]!.request.headers.get("grpc-timeout"), "2000000u");
  upstreams.close();
});

Deno.test("forward ends a call whose deadline has passed, also within its body", async () => {
  const { upstream, upstreams, begin, clock } = rig();
  const pending = Promise.withResolvers<Response>();
  upstream.respond = () => pending.promise;
  const headers = { ...CALL.headers as Record<string, string>, "grpc-timeout": "100m" };
  const { response } = await begin({ ...CALL, headers });
  clock.advance(101);
  await settle();
  const error = await errorOf(response);
  assertEquals([error.kind, error.side], ["deadline", "upstream"]);
  await settle();
  assert(upstream.requests[0]!.cancellation.isCancelled, "the upstream is told");
  upstreams.close();
});

Deno.test("forward tells a call that breaks within its body by trailers", async () => {
  const { upstream, upstreams, begin } = rig();
  const { promise, reject } = Promise.withResolvers<void>();
  let taken = 0;
  upstream.respond = () => ({
    status: 200,
    headers: FieldList.of({ "content-type": "application/grpc" }),
    body: {
      length: undefined,
      isEnded: false,
      take: () => taken++ === 0 ? new Uint8Array([0, 0, 0, 0, 0]) : undefined,
      whole: () => undefined,
      pull: () => promise,
      cancel: () => {},
      trailers: undefined,
    },
  });
  const { response } = await begin();
  const { status, body } = await response;
  assertEquals(status, 200);
  reject(new ProxyError("upstream-reset", "broke", { side: "upstream" }));
  assertEquals(await readBody(body, 10), new Uint8Array(5));
  assertEquals(body.trailers?.get("grpc-status"), String(GRPC.UNAVAILABLE));
  assertEquals(body.trailers?.get("grpc-message"), "bad gateway");
  upstreams.close();
});

Deno.test("forward sends a request again that a connection going away did not take", async () => {
  const { upstream, upstreams, begin } = rig();
  const { response: first } = await begin();
  await first;
  // The client has not read the GOAWAY when it sends: the stream is above the last one.
  upstream.connections[0]!.server.drain();
  const { response } = await begin();
  assertEquals((await response).status, 200);
  upstreams.close();
});

Deno.test("forward does not retry what a policy does not ask for", async () => {
  const { upstream, upstreams, begin } = rig();
  upstream.respond = () => grpcAnswer(GRPC.UNAVAILABLE, "not now");
  const { response } = await begin();
  assertEquals(await statusOf(response), ["14", "not now"]);
  assertEquals(upstream.requests.length, 1);
  upstreams.close();
});

Deno.test("forward retries UNAVAILABLE on the next endpoint, after a rest, where policy says so", async () => {
  const { upstream, upstreams, begin, clock } = rig(2, { retry: RETRY });
  const asked: string[] = [];
  upstream.respond = (_, address) => {
    asked.push(address);
    return asked.length < 3 ? grpcAnswer(GRPC.UNAVAILABLE, "not now") : grpcAnswer(GRPC.OK, "");
  };
  const { exchange, response } = await begin();
  assertEquals(asked, ["10.0.0.1:80"]);
  for (let i = 0; i < 2; i++) {
    clock.advance(20);
    await settle();
    await settle();
  }
  assertEquals(asked, ["10.0.0.1:80", "10.0.0.2:80", "10.0.0.1:80"]);
  assertEquals(await statusOf(response), ["0", undefined]);
  assertEquals(exchange.attempts, 3);
  upstreams.close();
});

Deno.test("forward gives the last answer when its attempts are used up", async () => {
  const { upstream, upstreams, begin, clock } = rig(1, { retry: { ...RETRY, attempts: 2 } });
  upstream.respond = () => emptyResponse(503);
  const { response } = await begin({ version: "2" });
  clock.advance(20);
  assertEquals((await response).status, 503);
  assertEquals(upstream.requests.length, 2);
  upstreams.close();
});

Deno.test("forward does not retry a POST without an idempotency key, nor an error that is an answer", async () => {
  const { upstream, upstreams, begin } = rig(1, { retry: RETRY });
  upstream.respond = () => emptyResponse(503);
  const { response } = await begin({ method: "POST", version: "2", body: "x" });
  assertEquals((await response).status, 503);
  upstream.respond = () => grpcAnswer(GRPC.INTERNAL, "");
  assertEquals(await statusOf((await begin()).response), ["13", undefined]);
  assertEquals(upstream.requests.length, 2);
  upstreams.close();
});

Deno.test("forward stops retrying when the budget of the cluster is used up", async () => {
  const { upstream, upstreams, begin, clock } = rig(1, {
    retry: { ...RETRY, attempts: 2, budget: 0.25 },
  });
  upstream.respond = () => emptyResponse(503);
  const responses = [];
  for (let i = 0; i < 20; i++) responses.push((await begin({ version: "2" })).response);
  clock.advance(20);
  for (const response of await Promise.all(responses)) assertEquals(response.status, 503);
  assertEquals(upstream.requests.length, 20 + 10 + 5, "a reserve of ten, and one in four");
  upstreams.close();
});

Deno.test("forward gives up a rest between two attempts when the caller leaves", async () => {
  const { upstream, upstreams, begin } = rig(1, { retry: RETRY });
  upstream.respond = () => emptyResponse(503);
  const { exchange, response } = await begin({ version: "2" });
  const gone = new ProxyError("downstream-gone", "left", { side: "downstream" });
  exchange.incoming.cancellation.cancel(gone);
  await assertRejects(() => response, ProxyError, "left");
  assertEquals(upstream.requests.length, 1);
  upstreams.close();
});
