import { assertEquals } from "@std/assert";
import { Field } from "../../http/field.ts";
import { EncoderTable } from "./encoder_table.ts";

Deno.test("EncoderTable finds an entry by object, by text and by name; the newest of a name first", () => {
  const table = new EncoderTable();
  const [a1, a2, b] = [new Field("a", "1"), new Field("a", "2"), new Field("b", "1")];
  for (const field of [a1, a2, b]) table.add(field);
  assertEquals([table.indexOf(a1), table.indexOf(a2), table.indexOf(b)], [64, 63, 62]);
  assertEquals(table.indexOf(new Field("a", "1")), 0);
  assertEquals([table.indexOfText(new Field("a", "1")), table.indexOfText(new Field("a", "2"))], [
    64,
    63,
  ]);
  assertEquals([table.indexOfText(new Field("a", "3")), table.indexOfText(new Field("c", "1"))], [
    0,
    0,
  ]);
  assertEquals([table.indexOfName("a"), table.indexOfName("b"), table.indexOfName("c")], [
    63,
    62,
    0,
  ]);
});

Deno.test("EncoderTable finds no more what it evicted, one after the other", () => {
  const table = new EncoderTable();
  const fields = Array.from({ length: 6 }, (_, i) => new Field(i % 2 === 0 ? "a" : "b", String(i)));
  for (const field of fields) table.add(field);
  for (let gone = 1; gone <= fields.length; gone++) {
    table.resize((fields.length - gone) * 34);
    for (const [i, field] of fields.entries()) {
      const index = i < gone ? 0 : 61 + fields.length - i;
      assertEquals(table.indexOf(field), index);
      assertEquals(table.indexOfText(new Field(field.name, field.value)), index);
    }
    assertEquals(table.indexOfName("a"), gone >= 5 ? 0 : 63);
    assertEquals(table.indexOfName("b"), gone >= 6 ? 0 : 62);
  }
});

Deno.test("EncoderTable knows a field that other tables took in as well, in any order", () => {
  const tables = [new EncoderTable(), new EncoderTable(), new EncoderTable()];
  const [shared, other] = [new Field("a", "1"), new Field("b", "2")];
  tables[0]!.add(shared);
  tables[1]!.add(shared);
  tables[1]!.add(other);
  for (let round = 0; round < 3; round++) {
    assertEquals(tables.map((table) => table.indexOf(shared)), [62, 63, 0]);
  }
  tables[0]!.resize(0);
  assertEquals(tables.map((table) => table.indexOf(shared)), [0, 63, 0]);
  tables[0]!.resize(4096);
  tables[0]!.add(new Field("c", "3"));
  assertEquals(tables[0]!.indexOf(shared), 0);
  tables[0]!.add(shared);
  assertEquals(tables.map((table) => table.indexOf(shared)), [62, 63, 0]);
});

Deno.test("EncoderTable knows another object with an entry's text once it was found by it", () => {
  const table = new EncoderTable();
  const [field, same] = [new Field("a", "1"), new Field("a", "1")];
  table.add(field);
  assertEquals([table.indexOf(same), table.indexOfText(same), table.indexOf(same)], [0, 62, 62]);
  table.resize(0);
  assertEquals([table.indexOf(same), table.indexOf(field)], [0, 0]);
});
