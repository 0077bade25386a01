import { assert, assertEquals } from "@std/assert";
import { fieldId } from "./field_names.ts";
import { Field } from "./field.ts";

Deno.test("Field knows the number of its name and what it counts in a table or list", () => {
  assertEquals(new Field("traceparent", "x").id, fieldId("traceparent"));
  assertEquals(new Field("x-unknown", "x").id, 0);
  assertEquals(new Field("a", "bcd").size, 36);
  assertEquals([new Field("a", "").isSensitive, new Field("a", "", true).isSensitive], [
    false,
    true,
  ]);
});

Deno.test("Field is well-formed as RFC 9113 8.2.1 has it", () => {
  const good: [string, string][] = [
    ["a", ""],
    ["x-name", "a b\tc"],
    [":path", "/"],
    ["x", "caf\xe9"],
    ["!#$%&'*+-.^_`|~0", "~"],
  ];
  for (const [name, value] of good) {
    assert(new Field(name, value).isWellFormed, `${name}: ${value}`);
  }
  const names = ["", ":", "::a", "a:", "A", "x-Name", ":Path", "a b", "a\r", "\0", "\x7f", "\xe9"];
  for (const name of names) assert(!new Field(name, "x").isWellFormed, JSON.stringify(name));
  const values = [" a", "a ", "\ta", "a\t", " ", "a\rb", "a\nb", "a\0b", "\x7f", "\x01"];
  for (const value of values) assert(!new Field("a", value).isWellFormed, JSON.stringify(value));
});

Deno.test("Field says the same of itself each time it is asked", () => {
  const [good, bad] = [new Field("a", "b"), new Field("A", "b")];
  assertEquals([good.isWellFormed, good.isWellFormed], [true, true]);
  assertEquals([bad.isWellFormed, bad.isWellFormed], [false, false]);
});
