import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import fc from "fast-check";
import { settle } from "../../tests/support/fake_clock.ts";
import { MemoryTransport } from "../../tests/support/memory_transport.ts";
import { latin1 } from "../lib/bytes.ts";
import { Inbox } from "./inbox.ts";

function open() {
  const transport = new MemoryTransport();
  let ends = 0;
  const inbox = new Inbox(transport, () => void ends++);
  return { transport, inbox, ends: () => ends };
}

function unread(inbox: Inbox): string {
  return latin1(inbox.bytes, inbox.start, inbox.end);
}

/** Text in which every part says where it stands. */
function counted(length: number): string {
  let text = "";
  for (let i = 0; text.length < length; i++) text += `${i},`;
  return text.slice(0, length);
}

Deno.test("Inbox reads what comes, behind what is there already", async () => {
  const { transport, inbox } = open();
  transport.send("abc");
  await inbox.fill();
  assertEquals([unread(inbox), inbox.available], ["abc", 3]);
  inbox.start++;
  transport.send("def");
  await inbox.fill();
  assertEquals(unread(inbox), "bcdef");
});

Deno.test("Inbox has at most one read outstanding", async () => {
  const { transport, inbox } = open();
  const first = inbox.fill();
  assertEquals(inbox.fill(100_000) === first, true);
  transport.send("a");
  await first;
  assertEquals([unread(inbox), transport.isReading], ["a", false]);
});

Deno.test("Inbox tells the end once, and a fill behind it returns at once", async () => {
  const { transport, inbox, ends } = open();
  transport.send("a");
  transport.end();
  await inbox.fill();
  assertEquals([inbox.isEnded, ends()], [false, 0]);
  await inbox.fill();
  await inbox.fill();
  assertEquals([inbox.isEnded, inbox.error, ends(), unread(inbox)], [true, undefined, 1, "a"]);
});

Deno.test("Inbox keeps why a connection broke and does not throw it", async () => {
  const { transport, inbox, ends } = open();
  const filling = inbox.fill();
  transport.reset();
  await filling;
  assertEquals([inbox.isEnded, inbox.error?.message, ends()], [
    true,
    "connection reset by peer",
    1,
  ]);
});

Deno.test("Inbox starts over in the same buffer when everything was read", async () => {
  const { transport, inbox } = open();
  const { bytes } = inbox;
  for (let i = 0; i < 10; i++) {
    transport.send(counted(3000));
    await inbox.fill();
    inbox.start = inbox.end;
  }
  assertEquals(inbox.bytes === bytes, true);
  assertEquals(inbox.end, 3000);
});

Deno.test("Inbox grows for what does not fit and never loses a byte of it", async () => {
  const { transport, inbox } = open();
  const text = counted(60_000);
  transport.send(text);
  while (inbox.available < text.length) await inbox.fill();
  assertEquals(unread(inbox) === text, true);
  inbox.start = inbox.end;
  transport.send("x");
  await inbox.fill();
  assertEquals([unread(inbox), inbox.bytes.length], ["x", 4096]);
});

Deno.test("Inbox takes a large buffer for many bytes to come and gives it back afterwards", async () => {
  const { transport, inbox } = open();
  transport.send("head");
  await inbox.fill();
  transport.send(counted(65_000));
  await inbox.fill(1_000_000);
  assertEquals([inbox.bytes.length, inbox.available], [65_536, 65_004]);
  inbox.start = inbox.end;
  transport.send("x");
  await inbox.fill();
  assertEquals([inbox.bytes.length, unread(inbox)], [4096, "x"]);
});

Deno.test("Inbox leaves held bytes where they are while a big body streams behind them", async () => {
  for (const wanted of [0, 10, 5000, 1_000_000]) {
    const { transport, inbox } = open();
    const head = counted(500);
    transport.send(head + "body");
    await inbox.fill();
    inbox.hold();
    const { bytes } = inbox;
    inbox.start = 500;
    let seen = "";
    for (let i = 0; i < 100; i++) {
      seen += unread(inbox);
      inbox.start = inbox.end;
      transport.send("z".repeat(1500));
      await inbox.fill(wanted);
      assertEquals(latin1(bytes, 0, 500) === head, true, `${wanted} wanted, ${i} read`);
    }
    assertEquals(seen, "body" + "z".repeat(99 * 1500));
  }
});

Deno.test("Inbox does not lend a held buffer to another connection", async () => {
  const held = open();
  held.transport.send(counted(65_000));
  while (held.inbox.available < 65_000) await held.inbox.fill(65_000);
  held.inbox.hold();
  const { bytes } = held.inbox;
  held.inbox.start = held.inbox.end;
  held.transport.send(counted(6000));
  await held.inbox.fill();
  assert(held.inbox.bytes !== bytes);
  const other = open();
  other.transport.send("x".repeat(65_000));
  while (other.inbox.available < 65_000) await other.inbox.fill(65_000);
  assertEquals(latin1(bytes, 0, 65_000) === counted(65_000), true);
});

Deno.test("Inbox may move bytes again once they were released", async () => {
  const { transport, inbox } = open();
  transport.send(counted(4000));
  await inbox.fill();
  inbox.hold();
  inbox.start = 3900;
  inbox.release();
  const { bytes } = inbox;
  transport.send("!");
  await inbox.fill();
  assertEquals([inbox.bytes === bytes, inbox.start], [true, 0]);
  assertEquals(unread(inbox), counted(4000).slice(3900) + "!");
});

Deno.test("Inbox gives every byte once and in order, whatever is read, held and taken", async () => {
  const step = fc.record({
    send: fc.integer({ min: 1, max: 9000 }),
    wanted: fc.constantFrom(0, 1, 3000, 5000, 70_000),
    taken: fc.integer({ min: 0, max: 100 }),
    then: fc.constantFrom("hold", "release", "nothing"),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const { transport, inbox } = open();
      const all = counted(steps.reduce((sum, { send }) => sum + send, 0));
      let sent = 0, seen = "";
      for (const { send, wanted, taken, then } of steps) {
        transport.send(all.slice(sent, sent += send));
        await inbox.fill(wanted);
        const count = Math.ceil(inbox.available * taken / 100);
        seen += latin1(inbox.bytes, inbox.start, inbox.start + count);
        inbox.start += count;
        if (then !== "nothing") inbox[then as "hold" | "release"]();
        assertLessOrEqual(inbox.bytes.length, 2 * Math.max(65_536, inbox.available * 2));
      }
      transport.end();
      while (!inbox.isEnded) await inbox.fill();
      assert(all === seen + unread(inbox));
    }),
    { numRuns: 200 },
  );
});

Deno.test("Inbox's read ends when its connection is closed", async () => {
  const { transport, inbox } = open();
  inbox.fill();
  await settle();
  transport.close();
  await settle();
  assertEquals([inbox.isEnded, inbox.error?.message], [true, "closed while reading"]);
});
