import { assertEquals, assertRejects } from "@std/assert";
import { MemoryTransport } from "../../tests/support/memory_transport.ts";
import { latin1 } from "../lib/bytes.ts";
import { Inbox } from "./inbox.ts";

function unread({ bytes, start, end }: Inbox): string {
  return latin1(bytes, start, end);
}

function counted(length: number): string {
  return Array.from({ length }, (_, i) => String.fromCharCode(i % 251)).join("");
}

Deno.test("Inbox begins with what was received and goes on behind it", async () => {
  const transport = new MemoryTransport();
  const inbox = new Inbox(transport, new TextEncoder().encode("abc"));
  assertEquals(unread(inbox), "abc");
  transport.send("def");
  assertEquals([await inbox.fill(9), unread(inbox)], [true, "abcdef"]);
  transport.end();
  assertEquals([await inbox.fill(9), unread(inbox)], [false, "abcdef"]);
});

Deno.test("Inbox is small while little comes, and has room for whatever is needed", async () => {
  const transport = new MemoryTransport();
  const inbox = new Inbox(transport, new Uint8Array());
  const text = counted(100_000);
  transport.send(text);
  let read = "";
  for (let needed = 9; read.length < text.length;) {
    await inbox.fill(needed);
    // As a reader of frames of 9,000 bytes takes it.
    while (
      inbox.end - inbox.start >= 9000 || read.length + inbox.end - inbox.start === text.length
    ) {
      const count = Math.min(9000, inbox.end - inbox.start);
      if (count === 0) break;
      read += latin1(inbox.bytes, inbox.start, inbox.start + count);
      inbox.start += count;
    }
    needed = 9000;
  }
  assertEquals([read === text, inbox.bytes.length], [true, 65536]);
  transport.send("little");
  await inbox.fill(9);
  inbox.start = inbox.end;
  transport.send("less");
  await inbox.fill(9);
  assertEquals([unread(inbox), inbox.bytes.length], ["less", 4096]);
  inbox.close();
});

Deno.test("Inbox takes more received bytes than its buffers hold", async () => {
  const text = counted(70_000);
  const transport = new MemoryTransport();
  const inbox = new Inbox(transport, Uint8Array.from(text, (letter) => letter.charCodeAt(0)));
  assertEquals(unread(inbox) === text, true);
  inbox.start += 69_990;
  transport.send("x");
  await inbox.fill(20);
  assertEquals(unread(inbox), text.slice(69_990) + "x");
});

Deno.test("Inbox rejects when the transport breaks", async () => {
  const transport = new MemoryTransport();
  const inbox = new Inbox(transport, new Uint8Array());
  transport.reset();
  await assertRejects(() => inbox.fill(9), Error, "reset");
});
