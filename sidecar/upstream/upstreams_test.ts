import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { settle } from "../../tests/support/fake_clock.ts";
import { fakeRequest } from "../../tests/support/fake_exchange.ts";
import { fakeCluster, fakeSnapshot } from "../../tests/support/fake_snapshot.ts";
import { ok } from "../../tests/support/scripted_upstream.ts";
import { upstreamRig } from "../../tests/support/upstream_rig.ts";
import { readBody } from "../http/body.ts";
import { Cancellation } from "../lib/cancellation.ts";
import type { Cluster } from "../snapshot/snapshot.ts";
import { Upstreams } from "./upstreams.ts";

function rig() {
  const parts = upstreamRig();
  const upstreams = new Upstreams(parts.context);
  /** Sends a request to an endpoint and leaves its response to the test. */
  const begin = async (cluster: Cluster, index = 0) => {
    const connection = await upstreams.pool(cluster, cluster.endpoints[index]!, fakeRequest())
      .connect(new Cancellation());
    const sent = connection.send(fakeRequest(), () => {});
    sent.catch(() => {});
    await settle();
    const transport = parts.upstream.last;
    const finish = async () => {
      transport.send(ok());
      const { body } = await sent;
      await readBody(body, 1024);
    };
    return { transport, finish };
  };
  return { ...parts, upstreams, begin };
}

Deno.test("Upstreams keeps one pool an endpoint, over snapshots and by address", () => {
  const { upstreams } = rig();
  const cluster = fakeCluster("a", ["10.0.0.1:80", "10.0.0.2:80"]);
  const again = fakeCluster("a", ["10.0.0.1:80"]);
  const pool = upstreams.pool(cluster, cluster.endpoints[0]!, fakeRequest());
  assertStrictEquals(upstreams.pool(again, again.endpoints[0]!, fakeRequest()), pool);
  assert(upstreams.pool(cluster, cluster.endpoints[1]!, fakeRequest()) !== pool);
  const other = fakeCluster("b", ["10.0.0.1:80"]);
  assert(
    upstreams.pool(other, other.endpoints[0]!, fakeRequest()) !== pool,
    "clusters share nothing",
  );
});

Deno.test("Upstreams goes on with a cluster's turn when its endpoints change", () => {
  const { upstreams } = rig();
  const before = fakeCluster("a", ["10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80"]);
  const picker = upstreams.state(before).pickerOf(before);
  assertStrictEquals(upstreams.state(before).pickerOf(before), picker);
  assertEquals([picker.pick([])?.id, picker.pick([])?.id], ["10.0.0.1:80", "10.0.0.2:80"]);
  const after = fakeCluster("a", ["10.0.0.1:80", "10.0.0.2:80", "10.0.0.4:80"]);
  assertEquals(upstreams.state(after).pickerOf(after).pick([])?.id, "10.0.0.4:80");
});

Deno.test("Upstreams.apply lets go of endpoints that are gone: idle connections now, busy ones when free", async () => {
  const { upstreams, begin, upstream } = rig();
  const cluster = fakeCluster("a", ["10.0.0.1:80", "10.0.0.2:80"]);
  const idle = await begin(cluster, 0);
  await idle.finish();
  const busy = await begin(cluster, 0);
  const staying = await begin(cluster, 1);
  upstreams.apply(fakeSnapshot({ endpoints: { a: ["10.0.0.2:80"] } }));
  assert(!busy.transport.isClosed && !staying.transport.isClosed);
  assertEquals(upstreams.stats().map(({ address }) => address), ["10.0.0.2:80"]);
  await busy.finish();
  assert(busy.transport.isClosed);
  await staying.finish();
  assertEquals(upstream.open, [staying.transport]);
});

Deno.test("Upstreams.apply keeps the pools of the app and of every cluster that is still there", async () => {
  const { upstreams, begin } = rig();
  const app = { http: { host: "127.0.0.1", port: 8001 }, timeoutMs: 1 };
  const snapshot = fakeSnapshot({ endpoints: { a: ["10.0.0.1:80"] }, app });
  const [one, two] = [await begin(snapshot.app!), await begin(snapshot.clusters.get("a")!)];
  await one.finish();
  await two.finish();
  upstreams.apply(fakeSnapshot({ endpoints: { a: ["10.0.0.1:80"], b: [] }, app }));
  assert(!one.transport.isClosed && !two.transport.isClosed);
});

Deno.test("Upstreams gives an endpoint that comes back a pool of its own", async () => {
  const { upstreams, begin, upstream } = rig();
  const cluster = fakeCluster("a", ["10.0.0.1:80"]);
  const first = await begin(cluster);
  upstreams.apply(fakeSnapshot());
  const second = await begin(cluster);
  await first.finish();
  await second.finish();
  assertEquals(upstream.open, [second.transport]);
});

Deno.test("Upstreams.stats says what is where", async () => {
  const { upstreams, begin } = rig();
  const cluster = fakeCluster("a", ["10.0.0.1:80"]);
  await begin(cluster);
  await (await begin(cluster)).finish();
  assertEquals(upstreams.stats(), [
    { cluster: "a", address: "10.0.0.1:80", protocol: "http1", idle: 1, busy: 1, pending: 0 },
  ]);
});

Deno.test("Upstreams.close cuts every connection, also of endpoints that are gone", async () => {
  const { upstreams, begin, upstream, clock } = rig();
  const cluster = fakeCluster("a", ["10.0.0.1:80", "10.0.0.2:80"]);
  await begin(cluster, 0);
  upstreams.apply(fakeSnapshot({ endpoints: { a: ["10.0.0.2:80"] } }));
  await begin(cluster, 1);
  await (await begin(cluster, 1)).finish();
  upstreams.close();
  assertEquals(upstream.open, []);
  assertEquals(upstreams.stats(), []);
  await clock.advance(3000); // the timer of the connect timeouts, which were all cleared
  assertEquals(clock.pending, 0, "nothing is watched any more");
});
