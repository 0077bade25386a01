import { assert, assertEquals } from "@std/assert";
import { FakeClock } from "../../../../tests/support/fake_clock.ts";
import { MemoryLog } from "../../../../tests/support/memory_log.ts";
import { ScriptedConsul } from "../../../../tests/support/scripted_consul.ts";
import type { Instance } from "../registry.ts";
import { type EntryCheck, HeldEntry } from "./held_entry.ts";

const INSTANCE: Instance = {
  id: "a-1",
  service: "a",
  host: "10.0.0.1",
  port: 1,
  tags: ["v1"],
  meta: { version: "v1" },
};
const HTTP: EntryCheck = { kind: "http", url: "http://10.0.0.1:15021/health", timeoutMs: 3000 };

function rig(more: { readonly check?: EntryCheck; readonly api?: ScriptedConsul } = {}) {
  const { check = HTTP, api = new ScriptedConsul() } = more;
  const clock = new FakeClock();
  const log = new MemoryLog();
  const hold = (instance: Partial<Instance> = {}, nonce = "n1") =>
    new HeldEntry({ ...INSTANCE, ...instance }, {
      api,
      clock,
      random: () => 0.5,
      log: log.logger,
      nonce,
      check,
      intervalMs: 10_000,
      deregisterAfterMs: 30_000,
    });
  const messages = () => log.lines.map(({ message }) => message);
  return { api, clock, log, hold, messages };
}

Deno.test("HeldEntry registers with a check that asks the health port, as passing", async () => {
  const { api, clock, hold } = rig();
  const held = hold();
  await held.start();
  assert(held.isKnown);
  const { meta, ...document } = api.entries.get("a-1")!;
  assertEquals(meta["version"], "v1");
  assertEquals(document, {
    id: "a-1",
    name: "a",
    address: "10.0.0.1",
    port: 1,
    tags: ["v1"],
    check: {
      http: "http://10.0.0.1:15021/health",
      interval: "10000ms",
      timeout: "3000ms",
      status: "passing",
      deregistercriticalserviceafter: "30000ms",
    },
  });
  await held.withdraw();
  assertEquals([api.entries.size, held.isKnown, clock.pending], [0, false, 0]);
});

Deno.test("HeldEntry brings back what an agent has lost, within ten seconds", async () => {
  const { api, clock, hold, messages } = rig();
  const held = hold();
  await held.start();
  api.entries.clear();
  await clock.advance(10_000);
  assert(api.entries.has("a-1"));
  assertEquals(messages(), ["our entry in Consul was gone, registering again"]);
  await held.stop();
});

Deno.test("HeldEntry tries on while Consul is away or refuses, says so once, and is there when it can", async () => {
  const { api, clock, hold, messages } = rig();
  api.failure = "Consul answered 403 (the token may not do this)";
  const held = hold();
  await held.start();
  assertEquals(held.isKnown, false);
  await clock.advance(60_000);
  assertEquals(messages(), ["registering in Consul failed, retrying"]);
  api.failure = undefined;
  await clock.advance(5000);
  assert(held.isKnown && api.entries.has("a-1"));
  assertEquals(messages().at(-1), "registering in Consul works again");
  await held.stop();
});

Deno.test("HeldEntry tells the agent by itself where that cannot ask", async () => {
  const { api, clock, hold } = rig({ check: { kind: "ttl" } });
  const held = hold();
  await held.start();
  const { check } = api.entries.get("a-1")!;
  assertEquals("ttl" in check && check.ttl, "10000ms");
  await clock.advance(10_000);
  assertEquals(api.calls.filter((call) => call === "pass a-1").length, 3);
  await held.stop();
  assertEquals(clock.pending, 0);
});

Deno.test("of two live processes with one id the newer holds it, and both say whom they met", async () => {
  const api = new ScriptedConsul();
  const { clock, log, hold } = rig({ api });
  const older = hold();
  await older.start();
  await clock.advance(1000);
  const newer = hold({ host: "10.0.0.9" }, "n2");
  await newer.start();
  await clock.advance(20_000);
  assertEquals([older.isKnown, newer.isKnown], [false, true]);
  assertEquals(api.entries.get("a-1")?.address, "10.0.0.9");
  const complaints = log.lines.map(({ message, ours, theirs }) => [message, ours, theirs]);
  assertEquals(complaints, [
    ["this instance id is held by another process and is taken over", "10.0.0.9:1", "10.0.0.1:1"],
    ["this instance id was taken over by a newer process", "10.0.0.1:1", "10.0.0.9:1"],
  ]);
  await older.withdraw();
  assert(api.entries.has("a-1"), "who gave it up takes nothing out");
  await newer.withdraw();
  assertEquals(api.entries.size, 0);
});

Deno.test("who gave an id up takes it back when the other is gone or dead", async () => {
  const api = new ScriptedConsul();
  const { clock, hold, messages } = rig({ api });
  const older = hold();
  await older.start();
  await clock.advance(1000);
  const newer = hold({ host: "10.0.0.9" }, "n2");
  await newer.start();
  await clock.advance(10_000);
  await newer.stop();
  api.critical.add("a-1");
  await clock.advance(10_000);
  assertEquals([older.isKnown, api.entries.get("a-1")?.address], [true, "10.0.0.1"]);
  assertEquals(messages().at(-1), "this instance id is ours again");
  await older.stop();
});

Deno.test("HeldEntry takes over what an earlier run at the same address left, without a word", async () => {
  const api = new ScriptedConsul();
  const { hold, messages } = rig({ api });
  const before = hold({}, "n0");
  await before.start();
  await before.stop();
  const held = hold();
  await held.start();
  assertEquals([held.isKnown, messages()], [true, []]);
  await held.stop();
});

Deno.test("HeldEntry says when the agent's check does not get through to it", async () => {
  const { api, clock, log, hold } = rig();
  const held = hold();
  await held.start();
  api.critical.add("a-1");
  await clock.advance(30_000);
  assertEquals(log.lines.map(({ message, detail }) => [message, detail]), [
    ["Consul's check of this instance fails, so nobody calls it", "no route"],
  ]);
  await held.stop();
});
