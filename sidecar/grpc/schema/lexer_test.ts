import { assertEquals, assertThrows } from "@std/assert";
import { ConfigError } from "../../errors.ts";
import { tokenize } from "./lexer.ts";

function texts(source: string): string[] {
  return tokenize("a.proto", source).map(({ kind, text }) => `${kind}:${text}`);
}

Deno.test("tokenize knows names, numbers, strings and symbols", () => {
  assertEquals(texts(`map<a_1,.b>=-0x1F 1.5e-3 .5 017 "x" 'y'`), [
    "name:map",
    "symbol:<",
    "name:a_1",
    "symbol:,",
    "symbol:.",
    "name:b",
    "symbol:>",
    "symbol:=",
    "symbol:-",
    "number:0x1F",
    "number:1.5e-3",
    "number:.5",
    "number:017",
    "string:x",
    "string:y",
    "end:",
  ]);
});

Deno.test("tokenize leaves comments out and counts their lines", () => {
  const tokens = tokenize("a.proto", 'a // x\n/* y\n  "z" */ b\r\n\tc');
  assertEquals(tokens.map(({ text, line, column }) => [text, line, column]), [
    ["a", 1, 1],
    ["b", 3, 10],
    ["c", 4, 2],
    ["", 4, 3],
  ]);
});

Deno.test("tokenize resolves the escapes of strings", () => {
  const source = String.raw`"\n\t\\\"\' \x41 \101 \303\274 \u00e4 \U0001F600 \q"`;
  assertEquals(texts(source)[0], "string:\n\t\\\"' A A ü ä 😀 q");
});

Deno.test("tokenize names the place of what is no token", () => {
  const cases: [string, string][] = [
    ["a\n  $", "a.proto:2:3: unexpected character"],
    ['"abc\n"', "a.proto:1:1: string without an end"],
    ["/* abc", "a.proto:1:1: comment without an end"],
    [String.raw`"\UFFFFFFFF"`, "a.proto:1:1: escape of no Unicode character"],
  ];
  for (const [source, message] of cases) {
    assertThrows(() => tokenize("a.proto", source), ConfigError, message);
  }
});
