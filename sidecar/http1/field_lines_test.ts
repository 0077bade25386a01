import { assertEquals, assertThrows } from "@std/assert";
import { ProxyError } from "../errors.ts";
import { knownId } from "../http/field_names.ts";
import { ByteWriter } from "../lib/byte_writer.ts";
import { latin1 } from "../lib/bytes.ts";
import { prepareFieldLine, writeFieldLine } from "./field_lines.ts";

const VIA = knownId("via");
const VARY = knownId("vary");

type Line = readonly [id: number, name: string, value: string];

function written(...lines: readonly Line[]): string {
  const out = new ByteWriter(8);
  for (const [id, name, value] of lines) writeFieldLine(out, id, name, value);
  return latin1(out.bytes, 0, out.length);
}

Deno.test("a field line is the same with and without having been prepared", () => {
  for (const length of [0, 1, 60, 120, 121, 122, 123, 300]) {
    const value = "\xe9".repeat(length);
    for (const [id, name] of [[VIA, "via"], [0, "x-other"]] as const) {
      const before = written([id, name, value]);
      prepareFieldLine(id, name, value);
      assertEquals(before, `${name}: ${value}\r\n`, `${length} bytes`);
      assertEquals(written([id, name, value]), before, `${length} bytes`);
    }
  }
});

Deno.test("field lines keep names and values apart, whatever was prepared last", () => {
  const lines: Line[] = [[VIA, "via", "a"], [VARY, "vary", "a"], [VIA, "via", "bb"]];
  const expected = "via: a\r\nvary: a\r\nvia: bb\r\n";
  for (const line of lines) {
    prepareFieldLine(...line);
    assertEquals(written(...lines), expected);
  }
});

Deno.test("a value that could split a head is refused, and what was prepared before still holds", () => {
  for (const value of ["a\r\nb: c", "a\n", "\0", "\x7f", "a\u0100", "a\u010d\u010a"]) {
    prepareFieldLine(VIA, "via", "good");
    assertThrows(() => prepareFieldLine(VIA, "via", value), ProxyError, "not a valid");
    assertEquals(written([VIA, "via", "good"]), "via: good\r\n");
    assertThrows(() => prepareFieldLine(0, "x-other", value), ProxyError, "not a valid");
    assertThrows(
      () => prepareFieldLine(VIA, "via", "x".repeat(200) + value),
      ProxyError,
      "not a valid",
    );
  }
});
