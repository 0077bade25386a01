import { assertEquals } from "@std/assert";
import { ClosedStreams } from "./closed_streams.ts";

Deno.test("ClosedStreams knows how a stream ended, until as many came after it", () => {
  const closed = new ClosedStreams();
  assertEquals(closed.endingOf(1), undefined);
  closed.add(1, "ended");
  closed.add(3, "reset-by-us");
  closed.add(2 ** 31 - 1, "reset-by-peer");
  assertEquals([1, 3, 5, 2 ** 31 - 1].map((id) => closed.endingOf(id)), [
    "ended",
    "reset-by-us",
    undefined,
    "reset-by-peer",
  ]);
  closed.add(1 + 2048, "reset-by-us");
  assertEquals([closed.endingOf(1), closed.endingOf(2049)], [undefined, "reset-by-us"]);
});

Deno.test("ClosedStreams remembers a thousand streams that end together", () => {
  const closed = new ClosedStreams();
  for (let id = 5001; id < 5001 + 2000; id += 2) closed.add(id, "reset-by-us");
  for (let id = 5001; id < 5001 + 2000; id += 2) assertEquals(closed.endingOf(id), "reset-by-us");
});
