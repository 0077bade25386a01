import { assertEquals } from "@std/assert";
import { knownId } from "../http/field_names.ts";
import { ByteWriter } from "../lib/byte_writer.ts";
import { latin1 } from "../lib/bytes.ts";
import { writeFieldLine } from "./field_lines.ts";

const VIA = knownId("via");
const VARY = knownId("vary");

function written(
  ...lines: readonly (readonly [id: number, name: string, value: string])[]
): string {
  const out = new ByteWriter(8);
  for (const [id, name, value] of lines) writeFieldLine(out, id, name, value);
  return latin1(out.bytes, 0, out.length);
}

Deno.test("writeFieldLine writes the same for a value that it wrote before", () => {
  const line = [VIA, "via", "1.1 edge"] as const;
  assertEquals(written(line, line, line), "via: 1.1 edge\r\n".repeat(3));
  assertEquals(written(line), "via: 1.1 edge\r\n");
});

Deno.test("writeFieldLine keeps names and values apart", () => {
  const lines = [[VIA, "via", "a"], [VARY, "vary", "a"], [VIA, "via", "b"], [VARY, "vary", "a"]];
  assertEquals(
    written(...lines as [number, string, string][]),
    "via: a\r\nvary: a\r\nvia: b\r\nvary: a\r\n",
  );
});

Deno.test("writeFieldLine writes long, empty and unknown ones as they are, and bytes above 0x7f", () => {
  for (const length of [0, 1, 120, 121, 122, 300]) {
    const value = "\xe9".repeat(length);
    const line = [VIA, "via", value] as const;
    assertEquals(written(line, line), `via: ${value}\r\n`.repeat(2), `${length} bytes`);
    const other = [0, "x-other", value] as const;
    assertEquals(written(other, other), `x-other: ${value}\r\n`.repeat(2), `${length} bytes`);
  }
});
