import { assertEquals } from "@std/assert";
import { copyBytes, latin1, latin1Bytes, utf8Bytes, writeLatin1 } from "./bytes.ts";

const ALL = Uint8Array.from({ length: 256 }, (_, byte) => byte);
/** On both sides of the length from where native code does the work. */
const LENGTHS = [0, 1, 47, 48, 49, 256];

Deno.test("latin1 and latin1Bytes keep each of the 256 bytes, which windows-1252 would not", () => {
  const text = latin1(ALL, 0, 256);
  assertEquals(text.length, 256);
  for (let byte = 0; byte < 256; byte++) assertEquals(text.charCodeAt(byte), byte);
  assertEquals(latin1Bytes(text), ALL);
});

Deno.test("latin1 reads from start up to end and no further, also in a view into a larger buffer", () => {
  const view = ALL.subarray(64, 128);
  assertEquals(latin1(view, 1, 4), "ABC");
  assertEquals(latin1(view, 3, 3), "");
});

Deno.test("writeLatin1 writes short and long texts alike, at their offset, and says where it stopped", () => {
  for (const length of LENGTHS) {
    const text = latin1(ALL, 0, length);
    const target = new Uint8Array(length + 4).fill(0xee);
    assertEquals(writeLatin1(target, 2, text), length + 2);
    assertEquals([...target.subarray(0, 2)], [0xee, 0xee], "nothing before the offset");
    assertEquals(target.subarray(2, length + 2), ALL.slice(0, length));
    assertEquals([...target.subarray(length + 2)], [0xee, 0xee], "nothing behind it");
  }
});

Deno.test("copyBytes copies short and long runs alike and says where it stopped", () => {
  for (const length of LENGTHS) {
    const target = new Uint8Array(length + 4).fill(0xee);
    const end = copyBytes(target, 2, ALL, 256 - length, 256);
    assertEquals(end, length + 2);
    assertEquals(target.subarray(2, end), ALL.slice(256 - length));
    assertEquals([target[0], target[1], target[end], target[end + 1]], [0xee, 0xee, 0xee, 0xee]);
  }
});

Deno.test("utf8Bytes encodes what Latin-1 cannot hold", () => {
  assertEquals([...utf8Bytes("é€")], [0xc3, 0xa9, 0xe2, 0x82, 0xac]);
});
