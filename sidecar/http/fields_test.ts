import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { ProxyError } from "../errors.ts";
import { Field } from "./field.ts";
import { NameSet } from "./field_names.ts";
import { FieldList } from "./fields.ts";

Deno.test("FieldList keeps fields in order, and those of one name together or apart", () => {
  const fields = new FieldList();
  for (const [name, value] of [["b", "1"], ["a", "2"], ["b", ""]] as const) {
    fields.append(name, value);
  }
  assertEquals([...fields], [["b", "1"], ["a", "2"], ["b", ""]]);
  assertEquals([fields.get("b"), fields.get("c"), fields.has("a")], ["1", undefined, true]);
  assertEquals([fields.all("b"), fields.all("c")], [["1", ""], []]);
});

Deno.test("FieldList replaces every field of a name, and deletes them all", () => {
  const fields = FieldList.of({ a: "1", b: "2" });
  fields.append("a", "3");
  fields.set("a", "4");
  assertEquals([...fields], [["b", "2"], ["a", "4"]]);
  fields.delete("b");
  fields.delete("c");
  assertEquals([...fields], [["a", "4"]]);
});

Deno.test("FieldList does not take a value for a name", () => {
  const fields = FieldList.of({ a: "b", b: "c" });
  fields.delete("c");
  assertEquals([fields.get("c"), fields.all("b"), [...fields].length], [undefined, ["c"], 2]);
});

Deno.test("FieldList refuses to split a head", () => {
  const fields = FieldList.of({ x: "1" });
  for (const value of ["a\r\nb: c", "a\n", "a\r", "\0", "\u20ac", "\x7f"]) {
    const error = assertThrows(() => fields.set("x", value), ProxyError, "refused to write");
    assertEquals([error.kind, error.side], ["internal", "local"]);
    assertThrows(() => fields.append("x", value), ProxyError, "refused to write");
  }
  for (const name of ["", "a b", "a:", "a\n", "\xe9"]) {
    assertThrows(() => fields.append(name, "x"), ProxyError, "refused to write");
  }
  for (const value of ["", " ", "\t", "caf\xe9", "~!@#"]) fields.append("y", value);
  assertEquals(fields.all("y").length, 5);
});

Deno.test("FieldList takes a list of Field objects over and keeps their identity", () => {
  const [date, other] = [new Field("date", "now"), new Field("x-other", "1")];
  const fields = new FieldList([date, other, new Field("date", "then")]);
  fields.append("via", "2 a");
  assert(fields.items[0] === date && fields.items[1] === other);
  assertEquals([fields.get("date"), fields.get("x-other"), fields.has("via")], ["now", "1", true]);
  assertEquals(fields.all("date"), ["now", "then"]);
  fields.delete("date");
  assert(fields.items[0] === other);
  assertEquals([...fields], [["x-other", "1"], ["via", "2 a"]]);
});

Deno.test("FieldList keeps what it has when a value is refused", () => {
  const fields = FieldList.of({ x: "1" });
  assertThrows(() => fields.set("x", "a\r\nb: c"), ProxyError);
  assertEquals([...fields], [["x", "1"]]);
});

Deno.test("FieldList does as a plain list of pairs does, whatever is set, added and deleted", () => {
  const name = fc.constantFrom("host", "date", "via", "x-a", "x-b");
  const operation = fc.tuple(fc.constantFrom("set", "append", "delete"), name, fc.nat(9));
  fc.assert(fc.property(fc.array(operation), (operations) => {
    const fields = new FieldList();
    let model: [string, string][] = [];
    for (const [what, name, value] of operations) {
      if (what !== "append") model = model.filter(([other]) => other !== name);
      if (what !== "delete") model.push([name, String(value)]);
      if (what === "delete") fields.delete(name);
      else if (what === "set") fields.set(name, String(value));
      else fields.append(name, String(value));
    }
    assertEquals([...fields], model);
    for (const name of ["host", "x-a"]) {
      const values = model.filter(([other]) => other === name).map(([, value]) => value);
      assertEquals([fields.all(name), fields.get(name)], [values, values[0]]);
    }
  }));
});

Deno.test("FieldList hands out the same object for a known name that says the same again", () => {
  const [one, two] = [new FieldList(), new FieldList()];
  one.set("via", "1.1 a");
  two.append("via", "1.1 a");
  two.append("x-own", "1");
  one.append("x-own", "1");
  assertStrictEquals(one.items[0], two.items[0]!);
  assert(one.items[1] !== two.items[1]);
});

Deno.test("FieldList.deleteAll deletes each of a set, known or not, and leaves the rest", () => {
  const list = FieldList.of({ "via": "a", "x-own": "b", "host": "c", "x-other": "d" });
  list.append("via", "e");
  list.deleteAll(new NameSet(["via", "x-own", "cookie"]));
  assertEquals([...list], [["host", "c"], ["x-other", "d"]]);
  list.deleteAll(new NameSet(["traceparent"]));
  assertEquals([...list].length, 2);
});
