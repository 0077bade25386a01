import { assertEquals } from "@std/assert";
import { editDistance, suggest, unknownKey } from "./suggest.ts";

Deno.test("editDistance counts insertions, deletions, substitutions and swaps of neighbours", () => {
  const cases: [string, string, number][] = [
    ["", "", 0],
    ["", "abc", 3],
    ["abc", "abc", 0],
    ["abc", "abd", 1],
    ["abc", "ab", 1],
    ["abc", "abxc", 1],
    ["abcd", "abdc", 1],
    ["listener", "listeners", 1],
    ["timoeut", "timeout", 1],
    ["kitten", "sitting", 3],
  ];
  for (const [left, right, distance] of cases) {
    assertEquals(editDistance(left, right), distance, `${left} ${right}`);
    assertEquals(editDistance(right, left), distance, `${right} ${left}`);
  }
});

Deno.test("suggest finds slips, letter case and beginnings, the nearest first", () => {
  const allowed = ["listeners", "limits", "log", "registry", "headTimeout", "head"];
  assertEquals(suggest("listener", allowed), "listeners");
  assertEquals(suggest("lsiteners", allowed), "listeners");
  assertEquals(suggest("Listeners", allowed), "listeners");
  assertEquals(suggest("limit", allowed), "limits");
  assertEquals(suggest("reg", allowed), "registry");
  assertEquals(suggest("registryFiles", allowed), "registry");
  assertEquals(suggest("heads", allowed), "head");
});

Deno.test("suggest stays silent where nothing is near", () => {
  assertEquals(suggest("tracing", ["listeners", "log"]), undefined);
  assertEquals(suggest("to", ["log", "id"]), undefined);
  assertEquals(suggest("", ["log"]), undefined);
});

Deno.test("unknownKey asks, or else lists the keys that exist", () => {
  const allowed = ["service", "listeners"];
  assertEquals(
    unknownKey("listener", allowed),
    'unknown key "listener", did you mean "listeners"?',
  );
  assertEquals(
    unknownKey("retry", allowed),
    'unknown key "retry", expected one of service, listeners',
  );
  assertEquals(unknownKey("retry", ["file"]), 'unknown key "retry", expected only file');
});
