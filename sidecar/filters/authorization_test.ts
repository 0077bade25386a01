import { assertEquals, assertThrows } from "@std/assert";
import { FakeClock } from "../../tests/support/fake_clock.ts";
import { fakeExchange } from "../../tests/support/fake_exchange.ts";
import { fakeSnapshot } from "../../tests/support/fake_snapshot.ts";
import { MemoryLog } from "../../tests/support/memory_log.ts";
import { ProxyError } from "../errors.ts";
import { Authorization, type AuthorizationRule } from "../snapshot/authorization.ts";
import { Metrics } from "../telemetry/metrics.ts";
import { AuthorizationFilter } from "./authorization.ts";

const ORDER = "spiffe://mesh.local/ns/default/svc/order-service";
const RULE: AuthorizationRule = {
  name: "readers",
  action: "allow",
  from: ["order-service"],
  methods: ["GET"],
  paths: ["/users/*"],
};

function rig(mode: "enforce" | "dry-run" = "enforce") {
  const clock = new FakeClock();
  const log = new MemoryLog();
  const metrics = new Metrics();
  const filter = new AuthorizationFilter({ clock, log: log.logger, metrics });
  const place = { trustDomain: "mesh.local", namespace: "default" };
  const authorization = new Authorization({ mode, rules: [RULE] }, place);
  const ask = (target: string, identity: string | undefined = ORDER) => {
    const peer = { host: "10.0.0.9", port: 5, identity };
    const snapshot = { ...fakeSnapshot(), authorization };
    const exchange = fakeExchange({ listener: "inbound", target, peer, snapshot });
    filter.onRequest(exchange);
    return exchange.request.target;
  };
  return { ask, clock, log, metrics };
}

Deno.test("AuthorizationFilter lets pass what a rule allows, and counts it", () => {
  const { ask, log, metrics } = rig();
  assertEquals(ask("/users/1?a=b"), "/users/1?a=b");
  assertEquals(log.lines, []);
  assertEquals(metrics.render().includes('mesh_authorization_total{decision="allowed"} 1'), true);
});

Deno.test("AuthorizationFilter refuses the rest by name, and the log says who asked for what", () => {
  const { ask, log } = rig();
  const error = assertThrows(() => ask("/orders?secret=1"), ProxyError, "no rule allows it");
  assertEquals(error.kind, "forbidden");
  assertThrows(() => ask("/users/1", ""), ProxyError);
  const [line] = log.lines;
  assertEquals([line!["from"], line!["path"], line!["peer"]], [ORDER, "/orders", "10.0.0.9:5"]);
});

Deno.test("AuthorizationFilter judges the path that the app will see, and refuses what has two readings", () => {
  const { ask } = rig();
  assertEquals(ask("//users//%31"), "/users/1");
  for (
    const target of ["/users/../orders", "/users/%2e%2e/orders", "/users/a%2Fb", "/users/..;/x"]
  ) {
    const error = assertThrows(() => ask(target), ProxyError);
    assertEquals(error.kind, "bad-request", target);
  }
});

Deno.test("AuthorizationFilter in dry-run tells whom it would refuse and refuses nobody", () => {
  const { ask, log, metrics } = rig("dry-run");
  ask("/orders");
  assertEquals(log.messages("warn").length, 1);
  assertEquals(
    metrics.render().includes('mesh_authorization_total{decision="would-refuse"} 1'),
    true,
  );
});

Deno.test("AuthorizationFilter bounds its lines in the log, and says how many it left out", async () => {
  const { ask, clock, log } = rig("dry-run");
  for (let i = 0; i < 1000; i++) ask("/orders");
  assertEquals(log.lines.length, 1);
  await clock.advance(100);
  ask("/orders");
  assertEquals(log.lines[1]!["untold"], 999);
});
