import { assert, assertEquals } from "@std/assert";
import {
  FIELD_VALUE,
  isAuthority,
  isFieldValue,
  isTarget,
  isToken,
  listItems,
  TARGET,
  TOKEN,
} from "./syntax.ts";

/** The bytes that a table allows, as a text. */
function allowed(table: Uint8Array): string {
  return [...table.keys()].filter((byte) => table[byte] === 1)
    .map((byte) => String.fromCharCode(byte)).join("");
}

const VISIBLE = Array.from({ length: 94 }, (_, i) => String.fromCharCode(0x21 + i)).join("");

Deno.test("a token is made of the characters of RFC 9110 5.6.2", () => {
  assertEquals(allowed(TOKEN), VISIBLE.replace(/["(),/:;<=>?@[\\\]{}]/g, ""));
  assert(isToken("x-a1") && !isToken("") && !isToken("a b") && !isToken("\u0161"));
});

Deno.test("a field value is made of the characters of RFC 9110 5.5", () => {
  const above = Array.from({ length: 128 }, (_, i) => String.fromCharCode(0x80 + i)).join("");
  assertEquals(allowed(FIELD_VALUE), "\t " + VISIBLE + above);
  assert(isFieldValue("") && !isFieldValue("a\r\n") && !isFieldValue("\u0100"));
});

Deno.test("a target is visible and has no fragment", () => {
  assertEquals(allowed(TARGET), VISIBLE.replace("#", ""));
  assert(isTarget("/a?b") && !isTarget("") && !isTarget("/a b") && !isTarget("/\u20ac"));
});

Deno.test("an authority is a host and at most one port, or nothing", () => {
  const good = [
    "",
    "a",
    "a:80",
    "a:",
    "a_b-c.d",
    "127.0.0.1:65535",
    "[::1]",
    "[2001:db8::1]:80",
    "%41",
  ];
  for (const text of good) assert(isAuthority(text), text);
  const bad = [
    ":",
    ":80",
    "a:b",
    "a:80:90",
    "a b",
    "a@b",
    "a/b",
    "[",
    "[]",
    "[::1",
    "[::1]x",
    "[g]",
  ];
  for (const text of [...bad, "::1", "x[::1]", "[::1]:", "a:123456", "a:8\xb2", "\u0430"]) {
    assertEquals(isAuthority(text), text === "[::1]:", text);
  }
});

Deno.test("listItems splits at commas and trims spaces and tabs and nothing else", () => {
  assertEquals(listItems("A, b\t,,\tC d "), ["a", "b", "", "c d"]);
  assertEquals(listItems(""), [""]);
  assertEquals(listItems("\xa0a\x85"), ["\xa0a\x85"]);
});
