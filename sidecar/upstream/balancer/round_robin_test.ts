import { assertEquals } from "@std/assert";
import { endpoint } from "../../../tests/support/fake_snapshot.ts";
import { RoundRobin, type Turn } from "./round_robin.ts";

const ALL = ["a:1", "b:1", "c:1"].map((address) => endpoint(address));
const [A, B, C] = ALL as [typeof ALL[0], typeof ALL[0], typeof ALL[0]];

function picks(picker: RoundRobin, count: number): (string | undefined)[] {
  return Array.from({ length: count }, () => picker.pick()?.id);
}

Deno.test("RoundRobin picks each endpoint in turn", () => {
  const picker = new RoundRobin(ALL, { next: 0 });
  assertEquals(picks(picker, 7), ["a:1", "b:1", "c:1", "a:1", "b:1", "c:1", "a:1"]);
});

Deno.test("RoundRobin over ten calls to three endpoints gives each its share", () => {
  const counts = new Map<string, number>();
  for (const id of picks(new RoundRobin(ALL, { next: 5 }), 9)) {
    counts.set(id!, (counts.get(id!) ?? 0) + 1);
  }
  assertEquals([...counts.values()], [3, 3, 3]);
});

Deno.test("RoundRobin goes on with its turn when the endpoints change", () => {
  const turn: Turn = { next: 0 };
  assertEquals(picks(new RoundRobin(ALL, turn), 2), ["a:1", "b:1"]);
  assertEquals(picks(new RoundRobin([...ALL], turn), 1), ["c:1"]);
});

Deno.test("RoundRobin never picks what was tried, and says when there is no other", () => {
  const picker = new RoundRobin(ALL, { next: 0 });
  assertEquals(picker.pick([A])?.id, "b:1");
  assertEquals(picker.pick([A, B])?.id, "c:1");
  assertEquals(picker.pick([B, C])?.id, "a:1");
  assertEquals(picker.pick([C, B, A]), undefined);
  assertEquals(picker.pick()?.id !== undefined, true, "it goes on afterwards");
});

Deno.test("RoundRobin over no endpoint picks none", () => {
  assertEquals(new RoundRobin([], { next: 3 }).pick(), undefined);
});
