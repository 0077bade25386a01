import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { fieldId } from "../../http/field_names.ts";
import { latin1Bytes } from "../../lib/bytes.ts";
import { namedAt } from "./name_cache.ts";

function named(name: string) {
  const bytes = latin1Bytes(`..${name}..`);
  return namedAt(bytes, 2, 2 + name.length);
}

Deno.test("namedAt gives a field of that name and number, and the same one again", () => {
  for (const name of ["traceparent", "x-unknown", "a", "\xff\0"]) {
    const field = named(name);
    assertEquals([field.name, field.value, field.id], [name, "", fieldId(name)]);
    assertStrictEquals(named(name), field);
  }
  assertEquals([named("").name, named("x".repeat(1000)).name.length], ["", 1000]);
});

Deno.test("namedAt tells names apart that share their place", () => {
  const names = Array.from({ length: 2000 }, (_, i) => `x-${i}-${i % 7}`);
  for (let round = 0; round < 2; round++) {
    for (const name of names) assertEquals(named(name).name, name);
  }
  assertEquals([named("xAx").name, named("xBx").name, named("xAx").name], ["xAx", "xBx", "xAx"]);
});

Deno.test("namedAt does not keep long names", () => {
  const long = "x".repeat(41);
  assert(named(long) !== named(long));
});
