import { assertEquals } from "@std/assert";
import { MemoryTransport, quiet } from "../../tests/support/memory_transport.ts";
import { Output } from "./output.ts";

function open() {
  const transport = new MemoryTransport();
  const seen = { written: 0, broken: 0 };
  const output = new Output(transport, {
    onWritten: () => void seen.written++,
    onBroken: () => void seen.broken++,
  });
  return { transport, output, seen };
}

Deno.test("Output writes once what one turn appended, and what comes meanwhile in the next write", async () => {
  const { transport, output, seen } = open();
  output.open().text("a");
  output.open().text("b");
  assertEquals([output.pending, output.appended, output.handed, output.isBusy], [2, 2, 0, true]);
  await Promise.resolve();
  assertEquals([output.isWriting, output.pending, output.handed], [true, 0, 2]);
  output.open().text("c");
  output.open().text("d");
  await quiet(transport);
  assertEquals([transport.take(), seen.written], ["abcd", 2]);
  assertEquals([output.isBusy, output.handed, output.appended], [false, 4, 4]);
});

Deno.test("Output has room for one buffer, and more behind each write", async () => {
  const { transport, output } = open();
  transport.stall();
  output.open().text("x");
  await quiet(transport);
  const before = output.room;
  output.open().text("x".repeat(60_000));
  assertEquals(output.room, before - 60_000);
  transport.resume();
  await quiet(transport);
  assertEquals([output.room, transport.take().length], [before, 60_001]);
});

Deno.test("Output tells once that the transport broke, and swallows the rest", async () => {
  const { transport, output, seen } = open();
  transport.refuseWrites();
  output.open().text("x");
  await quiet(transport);
  assertEquals([seen.broken, output.isBroken], [1, true]);
  for (let i = 0; i < 3; i++) output.open().text("y".repeat(1000));
  await quiet(transport);
  assertEquals([seen.broken, output.pending <= 1000, transport.take()], [1, true, ""]);
});
