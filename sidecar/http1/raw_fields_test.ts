import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { writtenLines } from "../../tests/support/head_reader.ts";
import { rawFields } from "../../tests/support/messages.ts";
import { ProxyError } from "../errors.ts";
import { NameSet } from "../http/field_names.ts";
import { FieldList, type Fields } from "../http/fields.ts";

Deno.test("RawFields finds names in any case, known and unknown, first and all", () => {
  const fields = rawFields("Host: a", "X-A: 1", "x-a: 2", "COOKIE: b", "X-Empty:");
  assertEquals([fields.get("host"), fields.get("cookie"), fields.get("x-a")], ["a", "b", "1"]);
  assertEquals(fields.all("x-a"), ["1", "2"]);
  assertEquals([fields.get("x-empty"), fields.has("x-empty")], ["", true]);
  assertEquals([fields.get("x"), fields.has("x-b"), fields.all("te")], [undefined, false, []]);
});

Deno.test("RawFields gives every field in order, then those added", () => {
  const fields = rawFields("B: 1", "a: 2");
  fields.append("c", "3");
  fields.append("b", "4");
  assertEquals([...fields], [["B", "1"], ["a", "2"], ["c", "3"], ["b", "4"]]);
  assertEquals(fields.all("b"), ["1", "4"]);
});

Deno.test("RawFields writes what nobody touched as the bytes that came", () => {
  const lines = ["Host:a", "X: \t caf\xe9  ", "x:", "\x21#$%&'*+-.^_`|~: y"];
  assertEquals(writtenLines(rawFields(...lines)), lines);
});

Deno.test("RawFields leaves out what was deleted, wherever it stood", () => {
  const lines = ["a: 1", "b: 2", "c: 3", "b: 4", "d: 5"];
  for (const [name, left] of [["a", 4], ["b", 3], ["d", 4], ["x", 5]] as const) {
    const fields = rawFields(...lines);
    fields.delete(name);
    assertEquals(writtenLines(fields), lines.filter((line) => !line.startsWith(name)));
    assertEquals([[...fields].length, fields.has(name)], [left, false]);
  }
});

Deno.test("RawFields deletes a set of names, those that came and those added", () => {
  const fields = rawFields("Via: 1", "a: 2", "x: 3", "VIA: 4", "date: 5");
  fields.deleteAll(new NameSet(["x-request-id", "cookie"]));
  assertEquals([...fields].length, 5);
  fields.append("vary", "6");
  fields.append("b", "7");
  fields.deleteAll(new NameSet(["via", "x", "vary", "b"]));
  assertEquals(writtenLines(fields), ["a: 2", "date: 5"]);
  assertEquals([fields.has("via"), fields.get("vary"), fields.all("b")], [false, undefined, []]);
});

Deno.test("RawFields replaces every field of a name, added ones too", () => {
  const fields = rawFields("X: 1", "y: 2", "x: 3");
  fields.append("x", "4");
  fields.set("x", "5");
  assertEquals(writtenLines(fields), ["y: 2", "x: 5"]);
  assertEquals(fields.all("x"), ["5"]);
  fields.delete("x");
  assertEquals(fields.has("x"), false);
});

Deno.test("RawFields refuses to split a head", () => {
  const fields = rawFields("a: 1");
  for (const value of ["b\r\nc: d", "b\nc", "b\rc", "b\0", "\u0100", "b\u2028"]) {
    assertThrows(() => fields.set("x", value), ProxyError, "not a valid name or value");
    assertThrows(() => fields.append("x", value), ProxyError, "not a valid name or value");
  }
  for (const name of ["", "a b", "a:b", "a\r\n", "\xe9", "(a)"]) {
    assertThrows(() => fields.append(name, "x"), ProxyError, "not a valid name or value");
  }
  assertEquals(writtenLines(fields), ["a: 1"]);
});

Deno.test("RawFields says a length where exactly one field does", () => {
  const says = (length: number, ...lines: string[]) => rawFields(...lines).saysLength(length);
  assertEquals([says(5, "Content-Length: 5"), says(5, "x: y", "content-length:005 ")], [
    true,
    true,
  ]);
  assertEquals([says(5, "Content-Length: 6"), says(5, "Content-Length: x"), says(5)], [
    false,
    false,
    false,
  ]);
  assertEquals(says(5, "Content-Length: 5", "Content-Length: 5"), false);
  const changed = rawFields("Content-Length: 5");
  changed.append("content-length", "5");
  assertEquals(changed.saysLength(5), false);
  changed.set("content-length", "7");
  assertEquals([changed.saysLength(5), changed.get("content-length")], [false, "7"]);
});

Deno.test("RawFields that was cleared has nothing left", () => {
  const fields = rawFields("a: 1");
  fields.append("b", "2");
  fields.clear();
  assertEquals([[...fields], fields.get("a"), fields.get("b")], [[], undefined, undefined]);
});

type Step = readonly ["set" | "append" | "delete" | "deleteAll", string, string];

const name = fc.constantFrom("host", "x", "cookie", "x-long-name-of-a-field", "te", "via");
const value = fc.constantFrom("", "1", "caf\xe9", "a, b", "\ta");
const step: fc.Arbitrary<Step> = fc.tuple(
  fc.constantFrom(
    "set" as const,
    "append" as const,
    "delete" as const,
    "deleteAll" as const,
  ),
  name,
  value,
);

function apply(fields: Fields, steps: readonly Step[]): void {
  for (const [kind, name, value] of steps) {
    if (kind === "delete") fields.delete(name);
    else if (kind === "deleteAll") fields.deleteAll(new NameSet([name, "via", "x-none"]));
    else fields[kind](name, value);
  }
}

Deno.test("RawFields and FieldList agree after any changes, and what is written reads the same", () => {
  const fields = fc.array(fc.tuple(name, value), { maxLength: 40 });
  fc.assert(fc.property(fields, fc.array(step, { maxLength: 10 }), (given, steps) => {
    const raw = rawFields(...given.map(([name, value]) => `${name}: ${value}`));
    const list = new FieldList();
    // A parser takes the white space around a value away.
    for (const [name, value] of given) list.append(name, value.trimStart());
    apply(raw, steps);
    apply(list, steps);
    assertEquals([...raw], [...list]);
    const trimmed = [...raw].map(([name, value]) => [name, value.trimStart()]);
    assertEquals([...rawFields(...writtenLines(raw))].map((field) => [...field]), trimmed);
  }));
});
