import { assertEquals } from "@std/assert";
import { MemoryTransport, quiet } from "../../tests/support/memory_transport.ts";
import { carry } from "./tcp_lane.ts";

function rig() {
  const [from, to] = [new MemoryTransport(), new MemoryTransport()];
  const moved: number[] = [];
  const broken: string[] = [];
  let isOver = false;
  carry(from, to, {
    onMoved: (bytes) => void moved.push(bytes),
    onBroken: (side, cause) => void broken.push(`${side}: ${(cause as Error).message}`),
  }).then(() => isOver = true);
  return { from, to, moved, broken, isOver: () => isOver };
}

Deno.test("carry passes bytes on as they are, and the end behind them", async () => {
  const { from, to, moved, broken, isOver } = rig();
  const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
  from.send(bytes);
  from.send("more");
  await quiet(from, to);
  assertEquals([to.isWriteClosed, isOver()], [false, false]);
  from.end();
  await quiet(from, to);
  assertEquals(to.received, String.fromCharCode(...bytes) + "more");
  assertEquals([to.isWriteClosed, isOver()], [true, true]);
  assertEquals([to.isClosed, from.isClosed], [false, false], "the other way may go on");
  assertEquals([moved, broken], [[256, 0, 4, 0], []]);
});

Deno.test("carry reads no more while the receiver does not take what was read", async () => {
  const { from, to } = rig();
  to.stall();
  from.send(new Uint8Array(1_000_000));
  await quiet(from, to);
  assertEquals(from.bytesRead, 4096);
  to.resume();
  await quiet(from, to);
  assertEquals(from.bytesRead, 1_000_000);
});

Deno.test("carry takes more at a time from a sender that transfers, and less again when it talks", async () => {
  const { from, to, moved } = rig();
  from.send(new Uint8Array(4096 + 65_536 + 10));
  await quiet(from, to);
  from.send(new Uint8Array(5000));
  await quiet(from, to);
  assertEquals(moved.filter((bytes) => bytes > 0), [4096, 65_536, 10, 4096, 904]);
});

Deno.test("carry says which side broke", async () => {
  const sender = rig();
  sender.from.send("lost");
  sender.from.reset();
  await quiet(sender.from, sender.to);
  assertEquals(sender.broken, ["sender: connection reset by peer"]);
  assertEquals([sender.to.isWriteClosed, sender.isOver()], [false, true], "half is not whole");

  const receiver = rig();
  receiver.to.refuseWrites();
  receiver.from.send("x");
  await quiet(receiver.from, receiver.to);
  assertEquals(receiver.broken, ["receiver: broken pipe"]);
  assertEquals([receiver.moved, receiver.isOver()], [[1], true]);
});
