import { assert, assertEquals } from "@std/assert";
import { BufferPool } from "./buffer_pool.ts";

Deno.test("BufferPool lends a returned buffer again, with the bytes it had", () => {
  const pool = new BufferPool(8, 2);
  const first = pool.acquire();
  assertEquals(first.length, 8);
  first[0] = 7;
  pool.release(first);
  const again = pool.acquire();
  assert(again === first);
  assertEquals(again[0], 7);
});

Deno.test("BufferPool never lends one buffer to two", () => {
  const pool = new BufferPool(8, 2);
  const first = pool.acquire();
  pool.release(first);
  assert(pool.acquire() !== pool.acquire());
});

Deno.test("BufferPool keeps maxIdle buffers and lets the rest go", () => {
  const pool = new BufferPool(8, 2);
  const lent = [pool.acquire(), pool.acquire(), pool.acquire()];
  for (const buffer of lent) pool.release(buffer);
  const back = [pool.acquire(), pool.acquire(), pool.acquire()];
  assertEquals(back.filter((buffer) => lent.includes(buffer)).length, 2);
});

Deno.test("BufferPool takes back its own size only", () => {
  const pool = new BufferPool(8, 2);
  pool.release(new Uint8Array(16));
  pool.release(new Uint8Array(4));
  assertEquals(pool.acquire().length, 8);
});
