import { assertEquals } from "@std/assert";
import { FakeClock } from "../../tests/support/fake_clock.ts";
import { fakeExchange } from "../../tests/support/fake_exchange.ts";
import { MemoryLog } from "../../tests/support/memory_log.ts";
import { emptyResponse, type Outcome } from "../http/message.ts";
import { AccessLog } from "./access_log.ts";

const DONE: Outcome = { bodyBytes: 42, error: undefined };

Deno.test("AccessLog writes one line for an exchange, without its query", async () => {
  const clock = new FakeClock();
  const { logger, lines } = new MemoryLog();
  const exchange = fakeExchange({
    method: "POST",
    target: "/orders/7?token=hidden",
    authority: "shop.example",
    headers: { authorization: "Bearer hidden", cookie: "hidden" },
    peer: { host: "10.0.0.9", port: 4711 },
    clientAddress: "203.0.113.7",
    caller: { subject: "alice", claims: { password: "hidden" } },
  });
  Object.assign(exchange, {
    upstream: "orders",
    endpoint: "10.0.0.1:80",
    attempts: 2,
    requestId: "r1",
  });
  await clock.advance(12.3456);
  new AccessLog(logger, clock, "all").onEnd(exchange, emptyResponse(201), DONE);
  assertEquals(lines, [{
    time: "1970-01-01T00:00:00.000Z",
    level: "info",
    message: "request",
    listener: "edge",
    method: "POST",
    path: "/orders/7",
    host: "shop.example",
    status: 201,
    durationMs: 12.35,
    bytes: 42,
    client: "203.0.113.7",
    peer: "10.0.0.9:4711",
    upstream: "orders",
    endpoint: "10.0.0.1:80",
    attempts: 2,
    user: "alice",
    requestId: "r1",
  }]);
});

Deno.test("AccessLog says why an answer is our own, and how an exchange broke off", () => {
  const { logger, lines } = new MemoryLog();
  const exchange = fakeExchange();
  exchange.reason = "no-endpoints";
  const error = new Error("the client went away");
  const log = new AccessLog(logger, new FakeClock(), "all");
  log.onEnd(exchange, undefined, { bodyBytes: 0, error });
  const { status, reason, error: written } = lines[0]!;
  assertEquals({ status, reason, written }, {
    status: 0,
    reason: "no-endpoints",
    written: "the client went away",
  });
});

Deno.test("AccessLog of errors writes 500 and above and what broke off, and nothing else", () => {
  const { logger, lines } = new MemoryLog();
  const log = new AccessLog(logger, new FakeClock(), "errors");
  for (const status of [200, 304, 404, 429, 499, 500, 503]) {
    log.onEnd(fakeExchange(), emptyResponse(status), DONE);
  }
  log.onEnd(fakeExchange(), emptyResponse(200), { bodyBytes: 1, error: new Error("cut") });
  assertEquals(lines.map(({ status, error }) => [status, error]), [
    [500, undefined],
    [503, undefined],
    [200, "cut"],
  ]);
});
