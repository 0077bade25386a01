import { assertEquals } from "@std/assert";
import { fakeCluster, fakeSnapshot } from "../../tests/support/fake_snapshot.ts";
import { type FakeExchange, fakeExchange } from "../../tests/support/fake_exchange.ts";
import { settle } from "../../tests/support/fake_clock.ts";
import { ok, outcome } from "../../tests/support/scripted_upstream.ts";
import { upstreamRig } from "../../tests/support/upstream_rig.ts";
import { Upstreams } from "../upstream/upstreams.ts";
import { errorOf, fakeForwarder, ONE } from "./test_forward.ts";

const FIELD = "x-mesh-timeout-ms";

function rig(about: FakeExchange, timeoutMs: number, options = {}) {
  const parts = upstreamRig();
  const upstreams = new Upstreams(parts.context);
  const forwarder = fakeForwarder(parts, upstreams);
  const cluster = { ...fakeCluster("user-service", ONE), ...options };
  const exchange = fakeExchange({ listener: "outbound", snapshot: fakeSnapshot(), ...about });
  const response = forwarder.forward(exchange, cluster, timeoutMs);
  response.catch(() => {});
  /** What the upstream was told. */
  const told = async () => {
    await settle();
    return new RegExp(`^${FIELD}: (.*)\r$`, "im").exec(parts.upstream.last.takeReceived())?.[1];
  };
  return { ...parts, response, told };
}

Deno.test("an edge says how long it waits, to the mesh and to nobody else", async () => {
  const edge = { listener: "edge" } as const;
  assertEquals(await rig(edge, 5000).told(), "5000");
  assertEquals(await rig(edge, 0).told(), undefined);
  assertEquals(await rig(edge, 5000, { tls: "origin" }).told(), undefined);
  assertEquals(await rig({ listener: "outbound" }, 5000).told(), undefined);
});

Deno.test("a caller's time is passed on, bounded by policy, whoever it came from", async () => {
  for (const listener of ["edge", "outbound", "inbound"] as const) {
    const headers = { [FIELD]: "300" };
    assertEquals(await rig({ listener, headers }, 5000).told(), "300");
    assertEquals(await rig({ listener, headers }, 200).told(), "200");
    assertEquals(await rig({ listener, headers }, 0).told(), "300");
  }
});

Deno.test("a caller's time counts from when its request came, and ends the wait", async () => {
  const { response, told, clock } = rig({ headers: { [FIELD]: "300" } }, 5000);
  assertEquals(await told(), "300");
  await clock.advance(299);
  assertEquals((await outcome(response)).is, "pending");
  await clock.advance(1);
  assertEquals((await errorOf(response)).kind, "deadline");
  const late = rig({ headers: { [FIELD]: "300" }, startedAt: -100 }, 5000);
  assertEquals(await late.told(), "200");
});

Deno.test("a request whose caller has no time left is not sent", async () => {
  const { response, upstream } = rig({ headers: { [FIELD]: "0" } }, 5000);
  const { kind, side } = await errorOf(response);
  assertEquals([kind, side, upstream.open.length], ["deadline", "downstream", 0]);
});

Deno.test("what is no time is passed on as it came and bounds nothing", async () => {
  for (const text of ["soon", "-1", "1e3", "", "99999999999"]) {
    const { told, response, upstream } = rig({ headers: { [FIELD]: text } }, 5000);
    assertEquals(await told(), text);
    upstream.last.send(ok());
    assertEquals((await response).status, 200);
  }
});
