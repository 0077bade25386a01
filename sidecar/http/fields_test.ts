import { assertEquals, assertThrows } from "@std/assert";
import { ProxyError } from "../errors.ts";
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
