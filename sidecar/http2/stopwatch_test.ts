import { assertEquals } from "@std/assert";
import { Stopwatch } from "./stopwatch.ts";

Deno.test("Stopwatch measures how long something has been so without a break", () => {
  const watch = new Stopwatch();
  assertEquals([watch.look(10, false), watch.look(20, true), watch.look(50, true)], [0, 0, 30]);
  assertEquals([watch.look(60, false), watch.look(70, true), watch.look(75, true)], [0, 0, 5]);
});

Deno.test("Stopwatch begins anew when the mark moves", () => {
  const watch = new Stopwatch();
  assertEquals([watch.look(0, true, 1), watch.look(5, true, 1), watch.look(9, true, 2)], [0, 5, 0]);
  assertEquals(watch.look(10, true, 2), 1);
});
