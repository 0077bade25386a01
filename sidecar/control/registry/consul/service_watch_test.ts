import { assertEquals } from "@std/assert";
import { FakeClock, settle } from "../../../../tests/support/fake_clock.ts";
import { MemoryLog } from "../../../../tests/support/memory_log.ts";
import { ScriptedConsul } from "../../../../tests/support/scripted_consul.ts";
import { ServiceWatch } from "./service_watch.ts";

const GRACE_MS = 10_000;

async function rig() {
  const clock = new FakeClock();
  const api = new ScriptedConsul();
  const log = new MemoryLog();
  const reports: string[] = [];
  const news: string[] = [];
  const watch = new ServiceWatch({ service: "a", datacenter: "dc1" }, {
    onEndpoints: (endpoints) => reports.push(endpoints.map(({ port }) => port).join()),
    onAnswer: () => news.push("answer"),
    onFailure: () => news.push("failure"),
  }, { api, clock, random: () => 0, log: log.logger, isStale: true, graceMs: GRACE_MS });
  watch.start();
  await settle();
  /** Answers the query that waits, and waits until the next one does. */
  const answer = async (index: number, ports: readonly number[], knowsLeader = true) => {
    const asked = api.queries.length;
    api.answer(index, ports, knowsLeader);
    await clock.advance(200);
    assertEquals(api.queries.length, asked + 1);
  };
  return { clock, api, log, reports, news, watch, answer };
}

Deno.test("ServiceWatch asks at once first, then waits for what comes after the last index", async () => {
  const { api, reports, watch, answer } = await rig();
  assertEquals(api.last, {
    service: "a",
    datacenter: "dc1",
    index: 0,
    waitMs: 270_000,
    isStale: true,
  });
  await answer(7, [1, 2]);
  assertEquals([reports, api.last.index], [["1,2"], 7]);
  await answer(9, [2, 3]);
  assertEquals([reports, api.last.index], [["1,2", "2,3"], 9]);
  await watch.close();
});

Deno.test("ServiceWatch reports an empty service once, and nothing where nothing has changed", async () => {
  const { reports, watch, answer } = await rig();
  await answer(1, []);
  await answer(2, []);
  await answer(3, [1]);
  await answer(4, [1]);
  assertEquals(reports, ["", "1"]);
  await watch.close();
});

Deno.test("ServiceWatch rests after a change, so that a burst becomes one answer", async () => {
  const { clock, api, watch } = await rig();
  api.answer(1, [1]);
  await clock.advance(199);
  assertEquals(api.queries.length, 1);
  await clock.advance(1);
  assertEquals(api.queries.length, 2);
  await watch.close();
  assertEquals(clock.pending, 0);
});

Deno.test("ServiceWatch begins anew when the index goes backwards, and never waits for an index of 0", async () => {
  const { clock, api, watch, answer } = await rig();
  await answer(900, [1]);
  await answer(3, [1, 2]);
  assertEquals(api.last.index, 0);
  api.answer(0, [1, 2]);
  await clock.advance(0);
  assertEquals(api.last.index, 1);
  await watch.close();
});

Deno.test("ServiceWatch backs off while Consul is away, and starts over when it is back", async () => {
  const { clock, api, log, news, watch, answer } = await rig();
  await answer(5, [1]);
  for (let failures = 0; failures < 4; failures++) {
    api.fail();
    await clock.advance(5000);
  }
  assertEquals(api.last.index, 0);
  assertEquals(news, ["answer", "failure", "failure", "failure", "failure"]);
  assertEquals(log.lines.map(({ message }) => message), [
    "asking Consul for a service failed, retrying",
  ]);
  await answer(2, [1]);
  assertEquals(log.lines.at(-1)?.message, "asking Consul for a service works again");
  await watch.close();
});

Deno.test("ServiceWatch keeps endpoints that a Consul which was away no longer names, for the grace and no longer", async () => {
  const { clock, api, reports, watch, answer } = await rig();
  await answer(50, [1, 2, 3]);
  api.fail();
  await clock.advance(5000);
  await answer(1, []);
  await answer(2, [2]);
  assertEquals(reports, ["1,2,3"], "an agent that lost everything names them one by one");
  await clock.advance(GRACE_MS);
  assertEquals(reports, ["1,2,3", "2"]);
  await watch.close();
});

Deno.test("ServiceWatch believes a Consul that was not away: the last endpoint goes at once", async () => {
  const { reports, watch, answer } = await rig();
  await answer(5, [1]);
  await answer(6, []);
  assertEquals(reports, ["1", ""]);
  await watch.close();
});

Deno.test("ServiceWatch does not trust an empty answer of servers without a leader", async () => {
  const { reports, watch, answer } = await rig();
  await answer(5, [1]);
  await answer(6, [], false);
  assertEquals(reports, ["1"]);
  await watch.close();
});

Deno.test("ServiceWatch gives a query up that may wait on a dead connection, and asks again", async () => {
  const { api, news, watch, answer } = await rig();
  await answer(5, [1]);
  watch.kick();
  await settle();
  assertEquals([api.queries.length, api.last.index], [3, 0]);
  assertEquals(news, ["answer"], "which is no failure of Consul");
  await watch.close();
});
