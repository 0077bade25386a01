import { assertEquals } from "@std/assert";
import { endpoint } from "../../../tests/support/fake_snapshot.ts";
import { RoundRobin, type Turn } from "./round_robin.ts";
import { candidate } from "./test_candidates.ts";

const ALL = ["a:1", "b:1", "c:1"].map((address) => endpoint(address));
const [A, B, C] = ALL as [typeof ALL[0], typeof ALL[0], typeof ALL[0]];

/** Candidates of weight 1. */
const EVEN = ALL.map((each) => candidate(each));

function picks(picker: RoundRobin, count: number): (string | undefined)[] {
  return Array.from({ length: count }, () => picker.pick()?.id);
}

Deno.test("RoundRobin picks each endpoint in turn", () => {
  const picker = new RoundRobin(EVEN, { next: 0 });
  assertEquals(picks(picker, 7), ["a:1", "b:1", "c:1", "a:1", "b:1", "c:1", "a:1"]);
});

Deno.test("RoundRobin over ten calls to three endpoints gives each its share", () => {
  const counts = new Map<string, number>();
  for (const id of picks(new RoundRobin(EVEN, { next: 5 }), 9)) {
    counts.set(id!, (counts.get(id!) ?? 0) + 1);
  }
  assertEquals([...counts.values()], [3, 3, 3]);
});

Deno.test("RoundRobin goes on with its turn when the endpoints change", () => {
  const turn: Turn = { next: 0 };
  assertEquals(picks(new RoundRobin(EVEN, turn), 2), ["a:1", "b:1"]);
  assertEquals(picks(new RoundRobin([...EVEN], turn), 1), ["c:1"]);
});

Deno.test("RoundRobin never picks what was tried, and says when there is no other", () => {
  const picker = new RoundRobin(EVEN, { next: 0 });
  assertEquals(picker.pick([A])?.id, "b:1");
  assertEquals(picker.pick([A, B])?.id, "c:1");
  assertEquals(picker.pick([B, C])?.id, "a:1");
  assertEquals(picker.pick([C, B, A]), undefined);
  assertEquals(picker.pick()?.id !== undefined, true, "it goes on afterwards");
});

Deno.test("RoundRobin over no endpoint picks none", () => {
  assertEquals(new RoundRobin([], { next: 3 }).pick(), undefined);
});

Deno.test("RoundRobin gives weights their share, as far apart as can be", () => {
  const weighted = [candidate(A, { weight: 5 }), candidate(B), candidate(C)];
  assertEquals(picks(new RoundRobin(weighted, { next: 0 }), 7), [
    "a:1",
    "a:1",
    "b:1",
    "a:1",
    "c:1",
    "a:1",
    "a:1",
  ]);
});

Deno.test("RoundRobin keeps weights that are no whole numbers, and forgets nobody", () => {
  const weighted = [
    candidate(A, { weight: 1 }),
    candidate(B, { weight: 0.25 }),
    candidate(C, { weight: 1000 }),
  ];
  const counts = new Map<string, number>();
  for (const id of picks(new RoundRobin(weighted, { next: 0 }), 10_000)) {
    counts.set(id!, (counts.get(id!) ?? 0) + 1);
  }
  assertEquals([...counts.keys()].toSorted(), ["a:1", "b:1", "c:1"]);
  assertEquals(counts.get("c:1")! > 9_900, true);
});
