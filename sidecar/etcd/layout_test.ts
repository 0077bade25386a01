import { assertEquals } from "@std/assert";
import {
  historyKey,
  historyPrefix,
  isPast,
  names,
  policyKey,
  revisionOf,
  statusKey,
  statusPrefix,
} from "./layout.ts";

Deno.test("keys stand under their prefix", () => {
  assertEquals(policyKey("/mesh", "a"), "/mesh/policy/a");
  assertEquals(statusKey("/mesh", "a", "a-1"), "/mesh/status/a/a-1");
  assertEquals(statusPrefix("/mesh"), "/mesh/status/");
  assertEquals(statusPrefix("/mesh", "a"), "/mesh/status/a/");
});

Deno.test("history sorts by time, however long the numbers are", () => {
  const keys = [2, 10, 1_800_000_000_000].map((ms) => historyKey("/mesh", "a", ms, "t"));
  assertEquals(keys, keys.toSorted());
  assertEquals(keys.every((key) => key.startsWith(historyPrefix("/mesh", "a"))), true);
});

Deno.test("a revision names both documents, and a status is about each of them", () => {
  assertEquals([revisionOf(0, 0), revisionOf(3, 0), revisionOf(0, 7)], ["none", "3", "7"]);
  const status = { revision: revisionOf(3, 17), accepted: true, error: null, since: "" };
  assertEquals([3, 17, 7, 1].map((written) => names(status, written)), [true, true, false, false]);
  assertEquals([3, 7, 17, 18].map((written) => isPast(status, written)), [true, true, true, false]);
  assertEquals(isPast({ ...status, revision: "none" }, 1), false);
});
