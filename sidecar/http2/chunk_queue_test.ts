import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { ChunkQueue } from "./chunk_queue.ts";

function bytesOf(length: number, first: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => first + i);
}

Deno.test("ChunkQueue gives back the bytes that were pushed, in order, whatever their sizes", () => {
  const size = fc.oneof(fc.integer({ min: 1, max: 1200 }), fc.integer({ min: 16000, max: 16384 }));
  fc.assert(
    fc.property(fc.array(fc.tuple(size, fc.nat(2)), { maxLength: 12 }), (steps) => {
      const queue = new ChunkQueue();
      const pushed: number[] = [];
      const taken: number[] = [];
      const take = () => {
        const chunk = queue.take();
        if (chunk !== undefined) taken.push(...chunk);
        return chunk !== undefined;
      };
      for (const [length, takes] of steps) {
        const source = bytesOf(length + 2, pushed.length);
        queue.push(source, 1, length + 1);
        pushed.push(...source.subarray(1, length + 1));
        source.fill(0);
        for (let i = 0; i < takes; i++) take();
      }
      while (take());
      assertEquals(taken, pushed);
      assert(queue.isEmpty);
    }),
    { numRuns: 25 },
  );
});

Deno.test("ChunkQueue keeps what the reader has until it takes again", () => {
  const queue = new ChunkQueue();
  queue.push(bytesOf(2000, 0), 0, 2000);
  const taken = queue.take()!;
  const other = new ChunkQueue();
  for (let i = 0; i < 10; i++) other.push(new Uint8Array(2000).fill(255), 0, 2000);
  queue.clear();
  other.push(new Uint8Array(16384).fill(255), 0, 16384);
  assertEquals(taken, bytesOf(2000, 0));
});

Deno.test("ChunkQueue puts a window full of tiny frames into few blocks", () => {
  const queue = new ChunkQueue();
  const byte = new Uint8Array([7]);
  for (let i = 0; i < 65535; i++) queue.push(byte, 0, 1);
  let pieces = 0;
  while (queue.take() !== undefined) pieces++;
  assertEquals(pieces, 5);
});

Deno.test("ChunkQueue hands a piece over for good", () => {
  const queue = new ChunkQueue();
  queue.push(bytesOf(2000, 1), 0, 2000);
  assert(queue.isOnePiece);
  const kept = queue.takeForGood()!;
  queue.take();
  for (let i = 0; i < 5; i++) queue.push(new Uint8Array(16384).fill(9), 0, 16384);
  assertEquals(kept, bytesOf(2000, 1));
});
