import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { StreamTable } from "./stream_table.ts";

Deno.test("StreamTable holds what a Map would", () => {
  const step = fc.record({ gap: fc.integer({ min: 1, max: 40 }), removed: fc.nat(30) });
  fc.assert(fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
    const table = new StreamTable<{ readonly id: number }>();
    const model = new Map<number, { readonly id: number }>();
    let id = 1;
    for (const { gap, removed } of steps) {
      const item = { id };
      table.add(item);
      model.set(id, item);
      const gone = [...model.keys()][removed];
      if (gone !== undefined) {
        table.delete(gone);
        model.delete(gone);
      }
      table.delete(id + 2 * gap);
      assertEquals(table.size, model.size);
      id += 2 * gap;
    }
    for (let i = 1; i <= id; i += 2) assertEquals(table.get(i), model.get(i));
    const ids = (items: Iterable<{ readonly id: number }>) => [...items].map((x) => x.id).sort();
    assertEquals(ids(table.all()), ids(model.values()));
    table.clear();
    assertEquals([table.size, table.all(), table.get(1)], [0, [], undefined]);
  }));
});

Deno.test("StreamTable keeps a stream that outlives thousands", () => {
  const table = new StreamTable<{ readonly id: number }>();
  const old = { id: 1 };
  table.add(old);
  for (let id = 3; id < 20_000; id += 2) {
    table.add({ id });
    assertEquals(table.get(id)?.id, id);
    table.delete(id);
  }
  assertEquals([table.get(1), table.size], [old, 1]);
});
