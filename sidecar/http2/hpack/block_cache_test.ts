import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { Field } from "../../http/field.ts";
import { BlockCache } from "./block_cache.ts";

const FIELDS = [new Field("a", "1"), new Field("b", "2")];

/** Asks, and offers where nothing came, as the decoder does. */
function ask(cache: BlockCache, bytes: Uint8Array, changes = 0): Field[] | undefined {
  const fields = cache.get(bytes, 0, bytes.length, changes);
  if (fields === undefined) cache.offer(bytes, 0, bytes.length, changes, FIELDS);
  return fields;
}

function isKept(cache: BlockCache, bytes: Uint8Array): boolean {
  for (let i = 0; i < 2; i++) ask(cache, bytes);
  return ask(cache, bytes) !== undefined;
}

Deno.test("BlockCache keeps a block from the second time on, and gives fresh lists of the same fields", () => {
  const cache = new BlockCache();
  const bytes = Uint8Array.of(1, 2, 3);
  assertEquals([ask(cache, bytes), ask(cache, bytes)], [undefined, undefined]);
  const [first, second] = [ask(cache, bytes), ask(cache, bytes)];
  assert(first !== undefined && second !== undefined && first !== second);
  assertEquals([first.length, second.length], [2, 2]);
  for (const [i, field] of FIELDS.entries()) assertStrictEquals(first[i], field);
});

Deno.test("BlockCache compares the bytes, wherever they stand, and copies what it keeps", () => {
  const cache = new BlockCache();
  const bytes = Uint8Array.of(9, 1, 2, 3, 9);
  for (let i = 0; i < 2; i++) ask(cache, bytes.subarray(1, 4));
  assert(cache.get(bytes, 1, 4, 0) !== undefined);
  for (const [start, end] of [[0, 3], [2, 5], [1, 3], [1, 5]] as const) {
    assertEquals(cache.get(bytes, start, end, 0), undefined);
  }
  bytes[2] = 7;
  assertEquals(cache.get(bytes, 1, 4, 0), undefined);
  assert(cache.get(Uint8Array.of(1, 2, 3), 0, 3, 0) !== undefined);
});

Deno.test("BlockCache forgets whatever came before the table changed", () => {
  const cache = new BlockCache();
  const bytes = Uint8Array.of(1, 2, 3);
  assert(isKept(cache, bytes));
  assertEquals(ask(cache, bytes, 1), undefined);
  assert(ask(cache, bytes, 1) !== undefined, "it came again, after the change");
  assertEquals(ask(cache, bytes, 2), undefined);
});

Deno.test("BlockCache takes no list of many fields", () => {
  for (const [count, isTaken] of [[32, true], [33, false]] as const) {
    const cache = new BlockCache();
    const bytes = Uint8Array.of(1, 2, 3);
    const fields = new Array<Field>(count).fill(FIELDS[0]!);
    for (let i = 0; i < 2; i++) {
      assertEquals(cache.get(bytes, 0, 3, 0), undefined);
      cache.offer(bytes, 0, 3, 0, fields);
    }
    assertEquals(cache.get(bytes, 0, 3, 0) !== undefined, isTaken);
  }
});

Deno.test("BlockCache takes no long blocks, nor empty ones", () => {
  const cache = new BlockCache();
  assert(isKept(cache, new Uint8Array(256).fill(1)));
  assert(!isKept(cache, new Uint8Array(257).fill(1)));
  assert(!isKept(cache, new Uint8Array()));
});

Deno.test("BlockCache looks at few blocks only while none repeats, and at all of them when one did", () => {
  const cache = new BlockCache();
  const repeated = Uint8Array.of(1, 2, 3);
  assert(isKept(cache, repeated));
  for (let i = 0; i < 100; i++) ask(cache, Uint8Array.of(4, i, i));
  const asked: boolean[] = [];
  for (let i = 0; i < 16; i++) asked.push(ask(cache, repeated) !== undefined);
  const found = asked.indexOf(true);
  assert(found > 0, "not looked at first");
  assertEquals(asked.slice(found), new Array(16 - found).fill(true));
});
