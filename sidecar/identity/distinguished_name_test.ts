import { assertEquals, assertThrows } from "@std/assert";
import { utf8Bytes } from "../lib/bytes.ts";
import { DerError } from "./der.ts";
import { distinguishedName } from "./distinguished_name.ts";

const CN = [0x55, 4, 3], O = [0x55, 4, 10], OU = [0x55, 4, 11], UNKNOWN = [0x55, 4, 99];
const UTF8 = 0x0c, PRINTABLE = 0x13, BMP = 0x1e;

function element(tag: number, ...parts: readonly (readonly number[])[]): number[] {
  const bytes = parts.flat();
  return bytes.length < 0x80 ? [tag, bytes.length, ...bytes] : [tag, 0x81, bytes.length, ...bytes];
}

function pair(type: readonly number[], text: string, tag = UTF8): number[] {
  return element(0x30, element(6, type), element(tag, [...utf8Bytes(text)]));
}

/** The text of a name of these parts, each of one pair or of several. */
function said(...parts: readonly (readonly number[])[]): string {
  return distinguishedName(new Uint8Array(element(0x30, ...parts.map((p) => element(0x31, p)))));
}

Deno.test("distinguishedName puts the most specific part first, as RFC 4514 has it", () => {
  assertEquals(said(pair(O, "Acme"), pair(CN, "alice", PRINTABLE)), "CN=alice,O=Acme");
  assertEquals(said([...pair(CN, "a"), ...pair(OU, "b")], pair(O, "c")), "O=c,CN=a+OU=b");
  assertEquals(said(), "");
});

Deno.test("distinguishedName lets no value look like another part, or end the text around it", () => {
  const cases = [
    ["alice,O=Admins", "alice\\2CO\\3DAdmins"],
    ["a\nO=Admins", "a\\0AO\\3DAdmins"],
    ['a";Hash=0', "a\\22\\3BHash\\3D0"],
    ["a\\", "a\\5C"],
    ["a+OU=b", "a\\2BOU\\3Db"],
    ["#01", "\\2301"],
    [" a  b ", "\\20a  b\\20"],
    [" ", "\\20"],
    ["\u00e9", "\\C3\\A9"],
    ["a\0", "a\\00"],
    ["", ""],
  ] as const;
  for (const [value, text] of cases) assertEquals(said(pair(CN, value)), `CN=${text}`, value);
});

Deno.test("distinguishedName tells types and texts that it does not know as their bytes", () => {
  assertEquals(said(pair(UNKNOWN, "a")), "2.5.4.99=#0C0161");
  assertEquals(said(pair(CN, "ab", BMP)), "CN=#1E026162");
});

Deno.test("distinguishedName refuses what is no name", () => {
  for (const bytes of [[], [0x30], [0x30, 2, 5, 0], [0x30, 2, 0x31, 5], [0x31, 0]]) {
    assertThrows(() => distinguishedName(new Uint8Array(bytes)), DerError);
  }
});
