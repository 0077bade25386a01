import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { settle } from "../../tests/support/fake_clock.ts";
import { bodyOf, FakeIncoming } from "../../tests/support/fake_exchange.ts";
import { fakeSnapshot } from "../../tests/support/fake_snapshot.ts";
import { ok } from "../../tests/support/scripted_upstream.ts";
import { upstreamRig } from "../../tests/support/upstream_rig.ts";
import { ProxyError } from "../errors.ts";
import { BytesBody, EMPTY_BODY } from "../http/body.ts";
import { emptyResponse, type Response } from "../http/message.ts";
import { SnapshotStore } from "../snapshot/store.ts";
import { Logger } from "../telemetry/log.ts";
import { Pipeline, type Stage } from "./pipeline.ts";
import { InboundRouter } from "./routers.ts";

import { edge } from "./test_edge.ts";
import { fakeForwarder } from "./test_forward.ts";

/** A pipeline of these stages alone, whose snapshot has an app. */
function inbound(stages: readonly Stage[]) {
  const parts = upstreamRig();
  const lines: string[] = [];
  const log = new Logger({
    level: "debug",
    format: "json",
    write: (line) => void lines.push(line),
    now: () => 0,
  });
  const app = { http: { host: "127.0.0.1", port: 8001 }, timeoutMs: 1000 };
  const pipeline = new Pipeline({
    listener: "inbound",
    stages: [...stages, new InboundRouter()],
    forwarder: fakeForwarder(parts),
    store: new SnapshotStore(fakeSnapshot({ app })),
    clock: parts.clock,
    log,
    onRefused: () => {},
  });
  parts.upstream.respond = () => ok("from the app");
  return { ...parts, pipeline, lines };
}

Deno.test("a pipeline asks its filters in order and sees them off in reverse, and each at the end", async () => {
  const seen: string[] = [];
  const filter = (name: string): Stage => ({
    name,
    onRequest: () => void seen.push(`${name} asked`) as undefined,
    onResponse: () => seen.push(`${name} answered`),
    onEnd: (exchange, response) =>
      seen.push(`${name} ended ${exchange.listener} ${response?.status}`),
  });
  const { pipeline } = inbound([filter("a"), { name: "none" }, filter("b")]);
  const incoming = new FakeIncoming();
  await pipeline.handle(incoming);
  pipeline.finished(incoming, { bodyBytes: 0, error: undefined });
  const wanted = ["a asked", "b asked", "b answered", "a answered"];
  assertEquals(seen, [...wanted, "a ended inbound 200", "b ended inbound 200"]);
});

Deno.test("a pipeline takes the answer of a filter and asks nobody further, now or later", async () => {
  for (const isLater of [false, true]) {
    const answer = emptyResponse(418);
    const { pipeline, upstream } = inbound([
      { name: "answers", onRequest: () => isLater ? Promise.resolve(answer) : answer },
      {
        name: "never",
        onRequest: () => {
          throw new Error("asked");
        },
      },
    ]);
    assertStrictEquals(await pipeline.handle(new FakeIncoming()), answer);
    assertEquals(upstream.dialled, []);
  }
});

Deno.test("a pipeline turns whatever a filter throws into an answer that every filter sees", async () => {
  const thrown: [unknown, number, string][] = [
    [new ProxyError("forbidden", "no", { side: "downstream" }), 403, "forbidden"],
    [new TypeError("a bug with hunter2"), 500, "internal"],
    ["text", 500, "internal"],
  ];
  for (const [error, status, reason] of thrown) {
    for (const isLater of [false, true]) {
      let seen = 0;
      const { pipeline } = inbound([
        {
          name: "sees",
          onResponse: (exchange, response) => {
            assertEquals(exchange.reason, reason);
            seen = response.status;
          },
        },
        {
          name: "throws",
          onRequest: () => {
            if (isLater) return Promise.reject(error);
            throw error;
          },
        },
      ]);
      const response = await pipeline.handle(new FakeIncoming());
      assertEquals([response.status, seen], [status, status]);
      assert(!(await bodyOf(response)).includes("hunter2"));
    }
  }
});

Deno.test("a pipeline logs a bug as an error, an upstream's fault as a warning, a caller's as nothing much", async () => {
  const levels = async (error: unknown): Promise<unknown[]> => {
    const { pipeline, lines } = inbound([{
      name: "throws",
      onRequest: () => {
        throw error;
      },
    }]);
    await pipeline.handle(new FakeIncoming());
    return lines.map((line) => JSON.parse(line).level);
  };
  assertEquals(await levels(new TypeError("x")), ["error"]);
  assertEquals(await levels(new ProxyError("upstream-reset", "x", { side: "upstream" })), ["warn"]);
  assertEquals(await levels(new ProxyError("rate-limited", "x", { side: "downstream" })), [
    "debug",
  ]);
});

Deno.test("a pipeline whose filter fails on the way back answers 500 and lets go of the upstream", async () => {
  const { pipeline, upstream } = inbound([{
    name: "bug",
    onResponse: () => {
      throw new TypeError("bug");
    },
  }]);
  upstream.respond = () => "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\npart";
  const response = await pipeline.handle(new FakeIncoming());
  assertEquals([response.status, response.headers.get("x-mesh-reason")], [500, "internal"]);
  assertEquals(upstream.open, []);
});

Deno.test("a pipeline whose filter fails at the end still asks the others, and throws nothing", async () => {
  const seen: string[] = [];
  const { pipeline, lines } = inbound([
    {
      name: "bug",
      onEnd: () => {
        throw new TypeError("bug");
      },
    },
    { name: "next", onEnd: () => seen.push("next") },
  ]);
  const incoming = new FakeIncoming();
  await pipeline.handle(incoming);
  pipeline.finished(incoming, { bodyBytes: 0, error: undefined });
  assertEquals(seen, ["next"]);
  const { level, filter } = JSON.parse(lines.at(-1)!);
  assertEquals([level, filter], ["error", "bug"]);
});

Deno.test("a pipeline without anybody who chose a destination says that it is a bug", async () => {
  const parts = upstreamRig();
  const lines: string[] = [];
  const log = new Logger({
    level: "info",
    format: "json",
    write: (line) => void lines.push(line),
    now: () => 0,
  });
  const lost = new Pipeline({
    listener: "edge",
    stages: [],
    forwarder: fakeForwarder(parts),
    store: new SnapshotStore(fakeSnapshot()),
    clock: parts.clock,
    log,
    onRefused: () => {},
  });
  assertEquals((await lost.handle(new FakeIncoming())).status, 500);
  assertEquals(lines.length, 1);
});

Deno.test("a pipeline keeps the snapshot with which an exchange began", async () => {
  const { pipeline, store } = await edge();
  const incoming = new FakeIncoming({ method: "POST", target: "/login", body: '{"username":"a"}' });
  const before = store.current;
  const answer = pipeline.handle(incoming);
  store.publish(fakeSnapshot());
  await answer;
  assertStrictEquals((incoming.context as { snapshot: unknown }).snapshot, before);
});

Deno.test("a pipeline answers bytes that are no request, counts them, and calls them a refusal in the log", async () => {
  const { pipeline, refused, lines } = await edge();
  const peer = { host: "192.0.2.1", port: 7 };
  const bad = new ProxyError("bad-request", "a LF without CR", { side: "downstream" });
  const answers: Response[] = [
    pipeline.refuse(bad, peer),
    pipeline.refuse(new TypeError("bug"), peer),
  ];
  assertEquals(answers.map(({ status }) => status), [400, 500]);
  assertEquals(await bodyOf(answers[0]!), '{"error":"a LF without CR"}');
  assertEquals(refused, ["bad-request", "internal"]);
  const logged = lines.map((line) => JSON.parse(line)).map(({ level, peer }) => [level, peer]);
  assertEquals(logged, [["debug", "192.0.2.1:7"], ["error", "192.0.2.1:7"]]);
});

Deno.test("a pipeline leaves a request body to whoever reads it, and streams the response", async () => {
  const { pipeline, upstream } = inbound([]);
  upstream.respond = undefined;
  const incoming = new FakeIncoming({
    method: "POST",
    body: new BytesBody(new Uint8Array(3).fill(97)),
  });
  const answer = pipeline.handle(incoming);
  await settle();
  assert(upstream.last.received.endsWith("content-length: 3\r\n\r\naaa"));
  upstream.last.send("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\na");
  const { body } = await answer;
  assert(body !== EMPTY_BODY);
  assertEquals(new TextDecoder().decode(body.take()!), "a");
  upstream.last.send("b");
  await body.pull();
  assertEquals(new TextDecoder().decode(body.take()!), "b");
});
