import { assert, assertEquals } from "@std/assert";
import { settle } from "../../tests/support/fake_clock.ts";
import { bodyOf, fakeExchange, type FakeRequest } from "../../tests/support/fake_exchange.ts";
import { ScriptedBody } from "../../tests/support/scripted_body.ts";
import { ok, type ScriptedTransport } from "../../tests/support/scripted_upstream.ts";
import { readBody } from "../http/body.ts";

import { errorOf, FOUR, ONE, rig } from "./test_forward.ts";

/** Cuts a connection as its request arrives, as an upstream does that was about to close it. */
function cutOnRequest(transports: readonly ScriptedTransport[]) {
  return (_request: string, transport: ScriptedTransport): undefined => {
    if (transports.includes(transport)) transport.end();
  };
}

Deno.test("forward sends the request to an endpoint and hands over the response", async () => {
  const { begin, upstream } = rig();
  const { exchange, response } = await begin({ target: "/users/7?a=b", authority: "user-service" });
  assertEquals(upstream.last.received, "GET /users/7?a=b HTTP/1.1\r\nhost: user-service\r\n\r\n");
  upstream.last.send(ok("hello", "x-from: app\r\n"));
  const { status, headers, ...rest } = await response;
  assertEquals([status, headers.get("x-from")], [200, "app"]);
  assertEquals(await bodyOf({ status, headers, ...rest }), "hello");
  assertEquals([exchange.endpoint, exchange.attempts], ["10.0.0.1:80", 1]);
});

Deno.test("forward says that nobody is there in the seed's words, without a try", async () => {
  const { begin, upstream, clock } = rig([]);
  const { exchange, response } = await begin();
  const error = await errorOf(response);
  assertEquals(error.kind, "no-endpoints");
  assertEquals(
    error.message,
    "service unavailable: no healthy instances found for service: user-service",
  );
  assertEquals([exchange.attempts, exchange.endpoint, upstream.dialled], [0, undefined, []]);
  await clock.advance(5000);
  assertEquals(clock.pending, 0);
});

Deno.test("forward speaks no HTTP to an upstream that is raw TCP, whether anybody is there or not", async () => {
  for (const addresses of [ONE, []]) {
    const { forwarder, cluster, upstream } = rig(addresses);
    const tcp = { ...cluster, protocol: "tcp" } as const;
    const error = await errorOf(forwarder.forward(fakeExchange(), tcp, 5000));
    assertEquals([error.kind, upstream.dialled], ["not-implemented", []]);
    assertEquals(
      error.message,
      "user-service is raw TCP: connect to the port that policy dedicates to it " +
        "(upstreams.user-service.bind)",
    );
  }
});

Deno.test("forward uses the same connection for one exchange after another", async () => {
  const { begin, upstream } = rig();
  for (let i = 0; i < 3; i++) {
    const { response } = await begin({ target: `/${i}` });
    upstream.last.send(ok(`${i}`));
    assertEquals(await bodyOf(await response), `${i}`);
  }
  assertEquals(upstream.connections.length, 1);
});

Deno.test("forward passes informational responses on to the exchange", async () => {
  const { begin, upstream } = rig();
  const { exchange, response } = await begin();
  upstream.last.send("HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n" + ok());
  await response;
  const { interims } = exchange.incoming as unknown as { interims: { status: number }[] };
  assertEquals(interims.map(({ status }) => status), [103]);
});

Deno.test("forward goes on to another endpoint when no connection can be made", async () => {
  const { begin, upstream } = rig(FOUR);
  upstream.rules.set("10.0.0.1:80", "refuse").set("10.0.0.2:80", "refuse");
  const { exchange, response } = await begin({ method: "POST", body: "x" });
  upstream.last.send(ok());
  assertEquals((await response).status, 200);
  assertEquals(upstream.dialled, ["10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80"]);
  assertEquals([exchange.endpoint, exchange.attempts], ["10.0.0.3:80", 1]);
});

Deno.test("forward tries three endpoints at most, each once, and then says why", async () => {
  for (const [addresses, tries] of [[FOUR, 3], [FOUR.slice(0, 2), 2], [ONE, 1]] as const) {
    const { begin, upstream } = rig(addresses);
    upstream.rule = "refuse";
    const { exchange, response } = await begin();
    assertEquals((await errorOf(response)).kind, "connect-failed");
    assertEquals(new Set(upstream.dialled).size, tries);
    assertEquals([upstream.dialled.length, exchange.attempts], [tries, 0]);
  }
});

Deno.test("forward goes on to another endpoint when a connection takes too long", async () => {
  const { begin, upstream, clock } = rig(FOUR);
  upstream.rules.set("10.0.0.1:80", "hold");
  const { response } = await begin();
  await clock.advance(3000);
  assert(upstream.held[0]!.signal.aborted);
  upstream.last.send(ok());
  assertEquals((await response).status, 200);
});

Deno.test("forward does not go to another endpoint once a request was sent", async () => {
  const { begin, upstream } = rig(FOUR);
  const { response } = await begin();
  upstream.last.end();
  const error = await errorOf(response);
  assertEquals([error.kind, error.side], ["upstream-reset", "upstream"]);
  assertEquals(upstream.dialled.length, 1);
  assert(upstream.last.isClosed);
});

Deno.test("forward repeats a request once, on a fresh connection, when a kept one turns out to be closed", async () => {
  const { begin, warmUp, upstream } = rig();
  await warmUp();
  upstream.respond = cutOnRequest([upstream.last]);
  const { exchange, response } = await begin({ method: "PUT", target: "/x", body: "whole" });
  assertEquals(upstream.connections.length, 2);
  assert(upstream.last.received.endsWith("content-length: 5\r\n\r\nwhole"), upstream.last.received);
  upstream.last.send(ok("again"));
  assertEquals(await bodyOf(await response), "again");
  assertEquals(exchange.attempts, 2);
});

Deno.test("forward still has its retry when an endpoint died between a kept connection and a fresh one", async () => {
  const retry = {
    attempts: 2,
    on: ["reset"],
    backoff: { minMs: 1, maxMs: 1 },
    budget: 1,
  } as const;
  const { forwarder, cluster, upstream, warmUp, clock } = rig(FOUR.slice(0, 2));
  await warmUp(2);
  const asked: string[] = [];
  upstream.respond = (_request, transport) => {
    asked.push(transport.peer.host);
    if (transport.peer.host === "10.0.0.2") return ok("well");
    transport.end();
    return undefined;
  };
  const exchange = fakeExchange();
  const response = forwarder.forward(exchange, { ...cluster, retry }, 5000);
  await settle();
  await clock.advance(10);
  assertEquals(await bodyOf(await response), "well");
  assertEquals(asked, ["10.0.0.1", "10.0.0.1", "10.0.0.2"]);
});

Deno.test("forward repeats what may be sent twice and nothing else", async () => {
  const key = { "idempotency-key": "k" };
  const streamed = () => {
    const body = new ScriptedBody();
    body.push("a");
    body.end();
    return body;
  };
  const cases: [FakeRequest, boolean][] = [
    [{ method: "GET" }, true],
    [{ method: "HEAD" }, true],
    [{ method: "DELETE" }, true],
    [{ method: "OPTIONS" }, true],
    [{ method: "PUT", body: "x" }, true],
    [{ method: "POST", body: "x", headers: key }, true],
    [{ method: "POST", body: "x" }, false],
    [{ method: "POST" }, false],
    [{ method: "PATCH", body: "x" }, false],
    [{ method: "get" }, false],
    [{ method: "PUT", body: streamed() }, true],
    [{ method: "POST", body: streamed(), headers: key }, true],
    [{ method: "POST", body: streamed() }, false],
  ];
  for (const [request, isRepeated] of cases) {
    const { begin, warmUp, upstream } = rig();
    await warmUp();
    upstream.respond = cutOnRequest([upstream.last]);
    const { response } = await begin(request);
    assertEquals(upstream.connections.length, isRepeated ? 2 : 1, JSON.stringify(request));
    if (!isRepeated) assertEquals((await errorOf(response)).kind, "upstream-reset");
  }
});

Deno.test("forward repeats no request that got any byte of an answer", async () => {
  const { begin, warmUp, upstream } = rig();
  await warmUp();
  const { response } = await begin();
  upstream.last.send("HTTP/1.1 2");
  await settle();
  upstream.last.end();
  assertEquals((await errorOf(response)).kind, "upstream-reset");
  assertEquals(upstream.connections.length, 1);
});

Deno.test("forward repeats no request on a connection that was fresh", async () => {
  const { begin, upstream } = rig();
  const { response } = await begin();
  upstream.last.reset();
  assertEquals((await errorOf(response)).kind, "upstream-reset");
  assertEquals(upstream.connections.length, 1);
});

Deno.test("forward repeats a request once and not for ever", async () => {
  const { begin, warmUp, upstream } = rig();
  await warmUp(2);
  const kept = [...upstream.connections];
  upstream.respond = (_request, transport) => void transport.end();
  const { exchange, response } = await begin();
  assertEquals((await errorOf(response)).kind, "upstream-reset");
  assertEquals(exchange.attempts, 2);
  assertEquals(upstream.connections.length, kept.length + 1);
});

Deno.test("forward repeats a request once also when it gets another kept connection that is closed", async () => {
  const { begin, warmUp, upstream } = rig(ONE, { connections: 1 });
  await warmUp();
  const first = await begin();
  const second = await begin();
  upstream.last.end(); // the first loses its connection; the fresh one goes to the second, who was in line
  await settle();
  upstream.last.send(ok());
  await readBody((await second.response).body, 1024);
  await settle();
  upstream.last.end(); // and the first loses that one too
  assertEquals((await errorOf(first.response)).kind, "upstream-reset");
  assertEquals([first.exchange.attempts, upstream.connections.length], [2, 2]);
});

Deno.test("forward repeats a request that waited for a kept connection which turned out to be closed", async () => {
  const { begin, upstream } = rig(ONE, { connections: 1 });
  const first = await begin({ target: "/first" });
  const second = await begin({ target: "/second" });
  const busy = upstream.last;
  upstream.respond = (request, transport) => {
    if (transport === busy && request.includes("/second")) transport.end();
    return undefined;
  };
  busy.takeReceived();
  busy.send(ok());
  await readBody((await first.response).body, 1024);
  await settle();
  assertEquals(upstream.connections.length, 2);
  upstream.last.send(ok("second"));
  assertEquals(await bodyOf(await second.response), "second");
});

Deno.test("forward sends nothing on a connection that died between its handing over and its use", async () => {
  const { begin, upstream } = rig(ONE, { connections: 1 });
  const first = await begin({ target: "/first" });
  const second = await begin({ method: "POST", target: "/second", body: "x" });
  const busy = upstream.last;
  busy.takeReceived();
  busy.send(ok());
  busy.end(); // it said keep-alive and went away all the same
  await readBody((await first.response).body, 1024);
  await settle();
  assertEquals(busy.received, "");
  assertEquals(upstream.connections.length, 2);
  upstream.last.send(ok("second"));
  assertEquals(await bodyOf(await second.response), "second");
});

Deno.test("forward bounds the head of a response and not its body", async () => {
  const { begin, upstream, clock } = rig();
  const { response } = await begin({}, 5000);
  await clock.advance(4000);
  upstream.last.send("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\na");
  const { body } = await response;
  for (const letter of "bc") {
    await clock.advance(30_000);
    upstream.last.send(letter);
  }
  assertEquals(new TextDecoder().decode((await readBody(body, 10))!), "abc");
});

Deno.test("forward answers for an upstream that sends what is no response", async () => {
  const nonsense = ["SSH-2.0\r\n\r\n", "HTTP/2.0 200 OK\r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n"]
    .concat(["HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n"])
    .concat([
      "HTTP/1.1 101 Switching Protocols\r\n\r\n",
      `HTTP/1.1 200 OK\r\nx: ${"x".repeat(70_000)}`,
    ]);
  for (const bytes of nonsense) {
    const { begin, upstream } = rig(FOUR);
    const { response } = await begin();
    upstream.last.send(bytes);
    const error = await errorOf(response);
    assertEquals(
      [error.kind, error.side, error.retry],
      ["upstream-protocol", "upstream", "no"],
      bytes.slice(0, 40),
    );
    assertEquals([upstream.dialled.length, upstream.last.isClosed], [1, true]);
  }
});

Deno.test("forward sends a request made on behalf of the exchange in place of its own", async () => {
  const { forwarder, cluster, upstream } = rig();
  const exchange = fakeExchange({ target: "/login" });
  const own = fakeExchange({ method: "POST", target: "/verify", body: "x" }).request;
  const response = forwarder.forward(exchange, cluster, 5000, own);
  await settle();
  assert(upstream.last.received.startsWith("POST /verify HTTP/1.1\r\n"));
  upstream.last.send(ok());
  assertEquals((await response).status, 200);
});

Deno.test("forward takes endpoints in turn, one exchange after another", async () => {
  const { begin, upstream } = rig(FOUR.slice(0, 3));
  const endpoints = [];
  for (let i = 0; i < 10; i++) {
    const { exchange, response } = await begin();
    upstream.open.find((transport) => transport.received !== "")!.takeReceived();
    endpoints.push(exchange.endpoint);
    void response;
  }
  assertEquals(endpoints.slice(0, 4), ["10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80", "10.0.0.1:80"]);
  assertEquals(new Set(endpoints).size, 3);
});
