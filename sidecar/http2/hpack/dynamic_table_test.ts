import { assertEquals } from "@std/assert";
import { Field } from "../../http/field.ts";
import { DynamicTable } from "./dynamic_table.ts";

function numbered(count: number, maxBytes = 4096): DynamicTable {
  const table = new DynamicTable(maxBytes);
  for (let i = 0; i < count; i++) table.add(new Field("n", String(i % 10)));
  return table;
}

Deno.test("DynamicTable counts from the newest entry back, however many there are", () => {
  for (const count of [1, 15, 16, 17, 100]) {
    const table = numbered(count);
    assertEquals([table.length, table.added], [count, count]);
    for (let back = 1; back <= count; back++) {
      assertEquals(table.newest(back)?.value, String((count - back) % 10));
    }
    assertEquals([table.newest(count + 1), table.newest(2 ** 28)], [undefined, undefined]);
  }
});

Deno.test("DynamicTable evicts in the order of adding, and grows while it goes round", () => {
  const table = numbered(14);
  for (let i = 0; i < 10; i++) assertEquals(table.evict().value, String(i));
  for (let i = 14; i < 50; i++) table.add(new Field("n", String(i % 10)));
  assertEquals([table.length, table.newest(40)?.value, table.newest(41)], [40, "0", undefined]);
  assertEquals(table.backOf(49), 1);
});

Deno.test("DynamicTable is full by the sizes of RFC 7541 4.1, and never when it is empty", () => {
  const table = numbered(2, 100);
  assertEquals([table.isFull(32), table.isFull(33)], [false, true]);
  table.resize(67);
  assertEquals(table.isFull(0), true);
  table.evict();
  assertEquals([table.isFull(0), table.isFull(33), table.isFull(34)], [false, false, true]);
  table.evict();
  assertEquals(table.isFull(1000), false);
});

Deno.test("DynamicTable says that it changed: by adding, by evicting, by a new maximum", () => {
  const table = numbered(1);
  const seen = [table.changes];
  table.add(new Field("a", "b"));
  seen.push(table.changes);
  table.evict();
  seen.push(table.changes);
  table.resize(100);
  seen.push(table.changes);
  assertEquals(new Set(seen).size, 4);
});
