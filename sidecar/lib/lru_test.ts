import * as fc from "fast-check";
import { assertEquals } from "@std/assert";
import { LruMap } from "./lru.ts";

function filled(...keys: string[]): LruMap<string, string> {
  const map = new LruMap<string, string>(3);
  for (const key of keys) map.set(key, key.toUpperCase());
  return map;
}

function held(map: LruMap<string, string>): string[] {
  return ["a", "b", "c", "d", "e"].filter((key) => map.get(key) !== undefined);
}

Deno.test("LruMap forgets what was set first when nothing was read", () => {
  assertEquals(held(filled("a", "b", "c", "d", "e")), ["c", "d", "e"]);
});

Deno.test("LruMap counts reading as use", () => {
  const map = filled("a", "b", "c");
  assertEquals(map.get("a"), "A");
  map.set("d", "D");
  assertEquals(held(map), ["a", "c", "d"]);
});

Deno.test("LruMap counts setting again as use, and grows by nothing", () => {
  const map = filled("a", "b", "c");
  map.set("a", "again");
  assertEquals(map.size, 3);
  map.set("d", "D");
  assertEquals(held(map), ["a", "c", "d"]);
  assertEquals(map.get("a"), "again");
});

Deno.test("LruMap never holds more than its size", () => {
  const map = new LruMap<number, number>(10);
  for (let i = 0; i < 1000; i++) {
    map.set(i, i);
    assertEquals(map.size <= 10, true);
  }
  assertEquals(map.size, 10);
});

Deno.test("LruMap deletes one and makes room by it", () => {
  const map = filled("a", "b", "c");
  map.delete("b");
  map.delete("nothing");
  map.set("d", "D");
  assertEquals(held(map), ["a", "c", "d"]);
});

Deno.test("LruMap gives what it has now for the key used last, also when it was replaced or deleted", () => {
  const map = new LruMap<string, number>(2);
  map.set("a", 1);
  assertEquals(map.get("a"), 1);
  map.set("a", 2);
  assertEquals([map.get("a"), map.get("a")], [2, 2]);
  map.delete("a");
  assertEquals([map.get("a"), map.size], [undefined, 0]);
  map.set("b", 3);
  map.set("c", 4);
  map.get("b");
  map.set("d", 5);
  assertEquals([map.get("b"), map.get("c"), map.get("d")], [3, undefined, 5]);
});

Deno.test("LruMap does what a list in order of use does, whatever comes", () => {
  const step = fc.record({
    kind: fc.constantFrom("get", "set", "delete"),
    key: fc.integer({ min: 0, max: 6 }),
  });
  fc.assert(fc.property(fc.integer({ min: 1, max: 5 }), fc.array(step), (size, steps) => {
    const map = new LruMap<number, number>(size);
    let list: [key: number, value: number][] = [];
    steps.forEach(({ kind, key }, turn) => {
      const known = list.find(([each]) => each === key);
      const others = list.filter(([each]) => each !== key);
      if (kind === "delete") {
        map.delete(key);
        list = others;
      } else if (kind === "set") {
        map.set(key, turn);
        list = [...others, [key, turn] as [number, number]].slice(-size);
      } else {
        assertEquals(map.get(key), known?.[1]);
        if (known !== undefined) list = [...others, known];
      }
      assertEquals(map.size, list.length);
    });
    assertEquals(list.map(([key]) => map.get(key)), list.map(([, value]) => value));
  }));
});
