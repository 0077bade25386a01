import { assert, assertEquals } from "@std/assert";
import { settle } from "../../tests/support/fake_clock.ts";
import { HandshakeQueue } from "./handshake_queue.ts";

Deno.test("HandshakeQueue runs at most so many at once, the others in order, and refuses what cannot wait", async () => {
  const queue = new HandshakeQueue({ maxRunning: 2, maxWaiting: 2 });
  const started: number[] = [];
  const ends = Array.from({ length: 5 }, () => Promise.withResolvers<void>());
  const taken = ends.map((end, i) =>
    queue.offer(() => {
      started.push(i);
      return end.promise;
    })
  );
  assertEquals(taken, [true, true, true, true, false]);
  assertEquals([started, queue.running, queue.waiting], [[0, 1], 2, 2]);
  ends[1]!.resolve();
  await settle();
  assertEquals([started, queue.running, queue.waiting], [[0, 1, 2], 2, 1]);
  assert(queue.offer(() => Promise.resolve()));
  for (const end of ends) end.resolve();
  await settle();
  assertEquals([started, queue.running, queue.waiting], [[0, 1, 2, 3], 0, 0]);
});
