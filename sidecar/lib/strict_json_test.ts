import { assertEquals, assertThrows } from "@std/assert";
import { parseStrictJson } from "./strict_json.ts";

Deno.test("parseStrictJson reads what JSON.parse reads", () => {
  const texts = [
    "1",
    '"a:b"',
    "[]",
    "{}",
    '{"a":{"a":1},"b":[{"a":1},{"a":2}]}',
    '{"a\\"":"{\\"a\\":1,\\"a\\":2}","a":"\\\\"}',
    ' { "a" : "b" , "b" : "a" } ',
    '["a","a"]',
    '{"a":"a"}',
  ];
  for (const text of texts) assertEquals(parseStrictJson(text), JSON.parse(text), text);
});

Deno.test("parseStrictJson refuses a name that comes twice, at any depth and in any spelling", () => {
  const texts = [
    '{"a":1,"a":1}',
    '{"a":1,"b":2,"a":3}',
    '{"exp":1,"\\u0065xp":2}',
    '{"x":{"y":[{"a":1,"a":2}]}}',
    '{"a" \n:1,\t"a"\r:2}',
    '{"":1,"":2}',
    '{"a\\/b":1,"a/b":2}',
    '{"__proto__":1,"__proto__":2}',
  ];
  for (const text of texts) assertThrows(() => parseStrictJson(text), SyntaxError, "twice");
});

Deno.test("parseStrictJson refuses what is no JSON, and does not fall over what is deep", () => {
  for (const text of ["", "{", "{'a':1}", '{"a":1}x', '{"a"']) {
    assertThrows(() => parseStrictJson(text), SyntaxError);
  }
  const depth = 5000;
  parseStrictJson("[".repeat(depth) + "]".repeat(depth));
});
