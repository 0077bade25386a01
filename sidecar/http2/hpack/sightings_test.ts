import { assert, assertEquals } from "@std/assert";
import { Field } from "../../http/field.ts";
import { Sightings } from "./sightings.ts";

Deno.test("Sightings knows a field the second time, as the same object or as another", () => {
  const sightings = new Sightings();
  const field = new Field("a", "1");
  assertEquals([sightings.isSecond(field), sightings.isSecond(field)], [false, true]);
  assertEquals(sightings.isSecond(field), false, "what was said once is forgotten");
  assertEquals(sightings.isSecond(new Field("a", "1")), true);
  assertEquals(sightings.isSecond(new Field("a", "")), false);
  assertEquals(sightings.isSecond(new Field("a", "")), true);
});

Deno.test("Sightings takes fields that are alike at a glance for what they are", () => {
  const sightings = new Sightings();
  const alike = [new Field("aa", "x1yz"), new Field("ba", "x1yz"), new Field("aa", "w2yz")];
  for (const field of alike) assert(!sightings.isSecond(field), field.name + field.value);
  for (const field of alike) assert(sightings.isSecond(field), field.name + field.value);
});

Deno.test("Sightings sees through a dozen fields that come with every request", () => {
  const sightings = new Sightings();
  const fields = () => Array.from({ length: 12 }, (_, i) => new Field(`x-${i}`, `value ${i * 7}`));
  for (const field of fields()) sightings.isSecond(field);
  for (const field of fields()) assert(sightings.isSecond(field), field.name);
});

Deno.test("Sightings forgets: many fields that come once leave room for others", () => {
  const sightings = new Sightings();
  const first = new Field("first", "1");
  sightings.isSecond(first);
  for (let i = 0; i < 10_000; i++) assert(!sightings.isSecond(new Field("x-once", `id ${i}`)));
  assert(!sightings.isSecond(first));
});
