import { assertEquals, assertThrows } from "@std/assert";
import {
  childrenOf,
  DerError,
  objectIdentifier,
  onlyElement,
  readElement,
  SEQUENCE,
} from "./der.ts";

const bytes = (...values: number[]) => new Uint8Array(values);

Deno.test("readElement takes lengths in their shortest form only", () => {
  assertEquals(readElement(bytes(4, 1, 9), 0, 3), { tag: 4, from: 0, start: 2, end: 3 });
  const long = new Uint8Array(3 + 200);
  long.set([4, 0x81, 200]);
  assertEquals(readElement(long, 0, long.length).end, 203);
  for (
    const bad of [
      [4, 0x81, 1, 9],
      [4, 0x82, 0, 1, 9],
      [4, 0x80, 0, 0],
      [4, 0x84, 0, 0, 0, 1, 9],
      [4, 0x82, 1],
      [4, 2, 9],
      [4],
      [],
      [0x1f, 1, 9],
    ]
  ) {
    assertThrows(() => readElement(bytes(...bad), 0, bad.length), DerError);
  }
});

Deno.test("childrenOf takes only elements that fill their parent exactly", () => {
  const whole = bytes(0x30, 5, 2, 1, 7, 5, 0);
  assertEquals(childrenOf(whole, onlyElement(whole, SEQUENCE)).map(({ tag }) => tag), [2, 5]);
  const short = bytes(0x30, 4, 2, 1, 7, 5);
  assertThrows(() => childrenOf(short, onlyElement(short, SEQUENCE)), DerError);
});

Deno.test("objectIdentifier spells out what others spell", () => {
  const read = (...values: number[]) => {
    const all = bytes(6, values.length, ...values);
    return objectIdentifier(all, readElement(all, 0, all.length));
  };
  assertEquals(read(0x55, 0x1d, 0x11), "2.5.29.17");
  assertEquals(read(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02), "1.2.840.10045.4.3.2");
  assertEquals(read(0x88, 0x37, 3), "2.999.3");
  assertThrows(() => read(), DerError);
  assertThrows(() => read(0x55, 0x80), DerError);
  assertThrows(() => read(...new Array(10).fill(0xff), 1), DerError, "too large");
});
