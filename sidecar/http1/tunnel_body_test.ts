import { assertEquals } from "@std/assert";
import { MemoryTransport, quiet } from "../../tests/support/memory_transport.ts";
import { textOf } from "../../tests/support/messages.ts";
import { settle } from "../../tests/support/fake_clock.ts";
import { LIMITS } from "../../tests/support/http1_cases/case.ts";
import { Inbox } from "./inbox.ts";
import { TunnelBody } from "./tunnel_body.ts";
import { WireBody } from "./wire_body.ts";

function wire() {
  const transport = new MemoryTransport();
  const ends: boolean[] = [];
  const inbox = new Inbox(transport, () => {});
  const options = {
    side: "downstream",
    limits: LIMITS,
    onEnd: (isWhole: boolean) => void ends.push(isWhole),
  } as const;
  return { transport, ends, bytes: new WireBody(inbox, { kind: "close" }, options) };
}

Deno.test("TunnelBody has no bytes before the switch, and all of them behind it", async () => {
  const { transport, bytes } = wire();
  const body = new TunnelBody();
  transport.send("early");
  let text: string | undefined;
  textOf(body).then((all) => text = all);
  await quiet(transport);
  assertEquals([body.take(), body.isEnded, body.whole(), body.length], [
    undefined,
    false,
    undefined,
    undefined,
  ]);
  body.grant(bytes);
  transport.send(" and late");
  transport.end();
  await quiet(transport);
  assertEquals([text, body.isEnded], ["early and late", true]);
});

Deno.test("TunnelBody that was refused has nothing, and says so to who waits", async () => {
  const body = new TunnelBody();
  let text: string | undefined;
  textOf(body).then((all) => text = all);
  await settle();
  assertEquals(text, undefined);
  body.refuse();
  await settle();
  assertEquals([text, body.isEnded, body.take()], ["", true, null]);
});

Deno.test("TunnelBody outlives an attempt that failed before the switch", async () => {
  const { transport, bytes } = wire();
  const body = new TunnelBody();
  body.cancel();
  assertEquals(body.isEnded, false);
  body.grant(bytes);
  transport.send("for the second");
  transport.end();
  assertEquals(await textOf(body), "for the second");
});

Deno.test("TunnelBody that is open gives the connection's bytes up with a cancel", () => {
  const { ends, bytes } = wire();
  const body = new TunnelBody();
  body.grant(bytes);
  body.refuse();
  assertEquals(body.isEnded, false, "what was granted cannot be refused");
  body.cancel();
  assertEquals([body.isEnded, body.take(), ends], [true, null, [false]]);
});

Deno.test("TunnelBody that nobody will read takes no grant", async () => {
  const { ends, bytes } = wire();
  const body = new TunnelBody();
  body.end();
  body.grant(bytes);
  assertEquals([ends, await textOf(body)], [[false], ""]);
});
