import { assertEquals } from "@std/assert";
import { FakeClock, settle } from "../../../../tests/support/fake_clock.ts";
import { MemoryLog } from "../../../../tests/support/memory_log.ts";
import { ScriptedConsul } from "../../../../tests/support/scripted_consul.ts";
import type { Endpoint } from "../../../snapshot/snapshot.ts";
import { endpointOf } from "../endpoints.ts";
import type { ConsulApi } from "./api.ts";
import { ServiceFeed } from "./service_feed.ts";

/** One Consul a datacenter; "" is that of the agent. */
async function rig(datacenters: readonly (string | undefined)[], remembered?: Endpoint[]) {
  const clock = new FakeClock();
  const places = new Map<string, ScriptedConsul>();
  const of = (datacenter = "") => {
    const api = places.get(datacenter) ?? new ScriptedConsul();
    places.set(datacenter, api);
    return api;
  };
  const api: Pick<ConsulApi, "passing"> = {
    passing: (query, cut) => of(query.datacenter).passing(query, cut),
  };
  const feed = new ServiceFeed("a", {
    api,
    clock,
    random: () => 0,
    log: new MemoryLog().logger,
    isStale: true,
    graceMs: 10_000,
    datacenters,
    recall: () => Promise.resolve(remembered),
    remember: () => {},
    onNews: () => {},
  });
  const told: string[] = [];
  feed.subscribe((endpoints) => told.push(endpoints.map(({ port }) => port).join()));
  await settle();
  const answer = async (datacenter: string, index: number, ports: readonly number[]) => {
    of(datacenter).answer(index, ports);
    await clock.advance(200);
  };
  return { clock, places, of, feed, told, answer };
}

Deno.test("ServiceFeed asks a further datacenter only while those before have no instance", async () => {
  const { places, feed, told, answer } = await rig([undefined, "dc2", "dc3"]);
  await answer("", 1, [1]);
  assertEquals([told, [...places.keys()]], [["1"], [""]]);
  await answer("", 2, []);
  assertEquals(
    [told, [...places.keys()]],
    [["1"], ["", "dc2"]],
    "nothing is said before dc2 is heard",
  );
  await answer("dc2", 1, [21, 22]);
  assertEquals(told, ["1", "21,22"]);
  await answer("", 3, [2]);
  assertEquals(told, ["1", "21,22", "2"]);
  await answer("", 4, []);
  assertEquals(places.get("dc2")!.queries.at(-1)!.index, 0, "it was let go, and is asked anew");
  await feed.close();
});

Deno.test("ServiceFeed says that there is nobody when no datacenter has any, or can be asked", async () => {
  const { clock, of, feed, told, answer } = await rig([undefined, "dc2"]);
  await answer("", 1, []);
  of("dc2").fail("no path to datacenter");
  await clock.advance(0);
  assertEquals(told, [""]);
  await feed.close();
});

Deno.test("ServiceFeed tells what the disk remembers when Consul keeps it waiting, and the truth when it is heard", async () => {
  const old = endpointOf({
    id: "a-9",
    service: "a",
    host: "10.0.0.1",
    port: 9,
    tags: [],
    meta: {},
  });
  const { clock, feed, told, answer } = await rig([undefined], [old]);
  await clock.advance(499);
  assertEquals([told, feed.isFromCache], [[], false]);
  await clock.advance(1);
  assertEquals([told, feed.isFromCache], [["9"], true]);
  await answer("", 1, [1]);
  assertEquals([told, feed.isFromCache], [["9", "1"], false]);
  await feed.close();
  assertEquals(clock.pending, 0);
});

Deno.test("ServiceFeed tells a later listener what is known, and one that left nothing", async () => {
  const { feed, answer } = await rig([undefined]);
  await answer("", 1, [1]);
  const late: number[] = [];
  const leave = feed.subscribe((endpoints) => late.push(endpoints.length));
  await settle();
  leave();
  await answer("", 2, [1, 2]);
  assertEquals(late, [1]);
  await feed.close();
});
