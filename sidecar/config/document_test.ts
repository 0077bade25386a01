import { assertEquals, assertThrows } from "@std/assert";
import { ConfigError } from "../errors.ts";
import { readDocument, type SourceDocument } from "./document.ts";
import type { Path } from "./positions.ts";

function read(text: string, variables: Readonly<Record<string, string>> = {}): SourceDocument {
  return readDocument(text, "f.yaml", (name) => variables[name]);
}

/** The one problem that ends reading, or the first of those noted on the way. */
function problem(text: string): string {
  const error = assertThrows(() => read(text).positions.throwIfAny(), ConfigError);
  return error.message;
}

/** LINE:COLUMN of the key and of the value at `path`. */
function position(text: string, path: Path): [string, string] {
  const at = (side: "key" | "value") => {
    const { positions } = read(text);
    positions.report(path, "", side);
    const [first] = assertThrows(() => positions.throwIfAny(), ConfigError).problems;
    return `${first?.line}:${first?.column}`;
  };
  return [at("key"), at("value")];
}

Deno.test("readDocument reads YAML and JSON into plain values", () => {
  const value = { a: [1, true, null, "x"], b: { c: "off" } };
  assertEquals(read("a: [1, true, null, x]\nb:\n  c: off\n").value, value);
  assertEquals(read(JSON.stringify(value)).value, value);
  assertEquals(read("\uFEFFa: 1\r\nb: 2\r\n").value, { a: 1, b: 2 });
});

Deno.test("readDocument remembers where each key and value stood", () => {
  const text = "a:\n  b: [x,\n    {c: 1}]\n  d: 2\n";
  assertEquals(position(text, ["a"]), ["1:1", "2:3"]);
  assertEquals(position(text, ["a", "b"]), ["2:3", "2:6"]);
  assertEquals(position(text, ["a", "b", 0]), ["2:7", "2:7"]);
  assertEquals(position(text, ["a", "b", 1, "c"]), ["3:6", "3:9"]);
  assertEquals(position(text, ["a", "d"]), ["4:3", "4:6"]);
});

Deno.test("readDocument places what is missing at the key that should hold it", () => {
  assertEquals(position("x: 1\na:\n  b: 1\n", ["a", "nope", "deeper"]), ["2:1", "2:1"]);
  assertEquals(position("x: 1\n", ["nope"]), ["1:1", "1:1"]);
  assertEquals(position("a: 1\nb:\n", ["b"])[0], "2:1");
});

Deno.test("readDocument points into JSON as well", () => {
  const text = '{\n  "a": {\n    "b": 5\n  }\n}';
  assertEquals(position(text, ["a", "b"]), ["3:5", "3:10"]);
});

Deno.test("readDocument places a problem inside an alias at its anchor", () => {
  const text = "base: &base\n  b: 1\na: *base\n";
  assertEquals(read(text).value, { base: { b: 1 }, a: { b: 1 } });
  assertEquals(position(text, ["a", "b"]), ["2:3", "2:6"]);
});

Deno.test("readDocument refuses what is no single clean document, with its position", () => {
  const cases: [string, string][] = [
    ["", "f.yaml:1:1: empty, expected a mapping"],
    ["# only a comment\n", "f.yaml:1:1: empty, expected a mapping"],
    ["a: 1\na: 2\n", 'f.yaml:2:1: a: duplicate key "a", expected it once (first on line 1)'],
    ['{"a": 1, "a": 2}', 'f.yaml:1:10: a: duplicate key "a", expected it once (first on line 1)'],
    ["a:\n\tb: 1\n", "f.yaml:2:1: a tab in the indentation, expected spaces"],
    ["a: 1\n---\nb: 2\n", "f.yaml:2:1: a second document (---), expected only one"],
    ["a: !secret 1\n", "f.yaml:1:4: a YAML tag (!), expected a plain value"],
    ["a: @x\n", "f.yaml:1:4: this character cannot begin a plain value, expected quotes around it"],
    ["a: b: c\n", "f.yaml:1:4: a second key on this line, expected a line of its own or quotes"],
    ["{a: /x/{id}}", "f.yaml:1:8: a { inside a plain value, expected quotes around the value"],
    ["8080: x\n", "f.yaml:1:1: a key that is no text, expected a word or quotes around it"],
    ["? [a]\n: 1\n", "f.yaml:1:3: a key that is no text, expected a word or quotes around it"],
    ["a: *nope\n", "f.yaml:1:4: a: an alias (*) of no anchor, expected one written before it"],
    ["__proto__: {x: 1}\n", 'f.yaml:1:1: unknown key "__proto__"'],
    ["a: \uFDD0\n", "f.yaml:1:4: a noncharacter (U+FDD0 to U+FDD4), expected text"],
  ];
  for (const [text, message] of cases) assertEquals(problem(text), message, text);
});

Deno.test("readDocument never quotes the source in a syntax error", () => {
  for (
    const text of ['{a: 1} "s3cret"', "a: 's3cret", 'a: "s3cret" s3cret\n', "- a\ns3cret: 1\n"]
  ) {
    assertEquals(problem(text).includes("s3cret"), false, problem(text));
  }
});

Deno.test("readDocument bounds size, depth and what aliases multiply to", () => {
  assertEquals(
    problem("a: " + "x".repeat(1024 * 1024)),
    "f.yaml:1:1: larger than 1 MiB, expected a smaller document",
  );
  assertEquals(
    problem("[".repeat(100_000)).endsWith("nested too deeply, expected at most 40 levels"),
    true,
  );
  assertEquals(
    problem("a: " + "[".repeat(60) + "]".repeat(60)).endsWith("expected at most 40 levels"),
    true,
  );
  const tenfold = (of: string) => `[${Array(10).fill(of).join(", ")}]`;
  const levels = ["a", "b", "c", "d", "e", "f"].map((name, index, names) =>
    `${name}: &${name} ${tenfold(index === 0 ? "x" : `*${names[index - 1]}`)}`
  );
  assertEquals(problem(levels.join("\n")).includes("more than 100000 values"), true);
  assertEquals(problem("a: &a [*a]").endsWith("expected at most 40 levels"), true);
});

Deno.test("readDocument resolves references in values of every style, also unquoted in flow", () => {
  const text = [
    "a: ${X}",
    'b: "${X}-${X}"',
    "c: '${X}'",
    "d: { e: ${X}, f: [${X}, ${NOPE:-1,2}] }",
    "g: |",
    "  ${X}",
  ].join("\n");
  assertEquals(read(text, { X: "v" }).value, {
    a: "v",
    b: "v-v",
    c: "v",
    d: { e: "v", f: ["v", "1,2"] },
    g: "v\n",
  });
});

Deno.test("readDocument takes a value as text, whatever YAML it holds", () => {
  const evil = 'x\nadmin: 1.2.3.4 # "} ]';
  assertEquals(read("a: ${X}\nb: [${X}]", { X: evil }).value, { a: evil, b: [evil] });
});

Deno.test("readDocument leaves references in keys alone", () => {
  assertEquals(read("${X}: 1", { X: "v" }).value, { "${X}": 1 });
});

Deno.test("readDocument tells which scalars came from outside", () => {
  const { positions } = read("a: ${X}\nb: v\nc: [1, ${X}]", { X: "v" });
  assertEquals(positions.isReference(["a"]), true);
  assertEquals(positions.isReference(["b"]), false);
  assertEquals(positions.isReference(["c", 1]), true);
});

Deno.test("readDocument notes every reference that cannot be resolved, each at its place", () => {
  assertEquals(
    problem("a: ${ONE}\nb: { c: ${TWO} }"),
    "f.yaml:1:4: a: environment variable ONE is not set, expected it or ${ONE:-default}\n" +
      "f.yaml:2:9: b.c: environment variable TWO is not set, expected it or ${TWO:-default}",
  );
});
