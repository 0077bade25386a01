import { assertEquals } from "@std/assert";
import { FakeClock } from "../../../../tests/support/fake_clock.ts";
import { MemoryLog } from "../../../../tests/support/memory_log.ts";
import { ScriptedConsul } from "../../../../tests/support/scripted_consul.ts";
import { Contact } from "./contact.ts";

function rig() {
  const clock = new FakeClock();
  const api = new ScriptedConsul();
  const log = new MemoryLog();
  const events: string[] = [];
  const contact = new Contact({
    api,
    clock,
    random: () => 0.5,
    log: log.logger,
    onHeard: () => events.push("heard"),
    onLost: () => events.push("lost"),
  });
  return { clock, api, log, events, contact };
}

Deno.test("Contact knows whether Consul answers, since when it was silent, and why", async () => {
  const { clock, api, log, events, contact } = rig();
  assertEquals([contact.isUp, contact.silentMs], [false, undefined]);
  contact.start();
  await clock.advance(0);
  assertEquals([contact.isUp, contact.silentMs, events], [true, 0, ["heard"]]);
  api.failure = "connection refused";
  await clock.advance(10_000);
  assertEquals([contact.isUp, contact.silentMs, contact.error], [
    false,
    10_000,
    "connection refused",
  ]);
  await clock.advance(30_000);
  assertEquals(events, ["heard", "lost"]);
  api.failure = undefined;
  await clock.advance(10_000);
  assertEquals([contact.isUp, contact.error], [true, undefined]);
  assertEquals(log.lines.map(({ message }) => message), [
    "Consul answers",
    "Consul does not answer, the last known endpoints stay",
    "Consul answers",
  ]);
  await contact.close();
  assertEquals(clock.pending, 0);
});

Deno.test("Contact looks at once when a query failed, and not more than once a second", async () => {
  const { clock, api, contact } = rig();
  contact.start();
  await clock.advance(0);
  api.failure = "connection refused";
  contact.hint(false);
  await clock.advance(1000);
  assertEquals(contact.isUp, false);
  api.failure = undefined;
  for (let hint = 0; hint < 50; hint++) {
    contact.hint(true);
    await clock.advance(10);
  }
  await clock.advance(1000);
  assertEquals([contact.isUp, api.calls.length], [true, 2]);
  await contact.close();
});
