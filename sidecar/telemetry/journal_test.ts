import { assertEquals } from "@std/assert";
import { Journal, type JournalEntry } from "./journal.ts";

function entry(requestId: string): JournalEntry {
  return { requestId } as JournalEntry;
}

Deno.test("Journal keeps the last two hundred failures, newest first", () => {
  const journal = new Journal();
  journal.record(entry("well"), false);
  assertEquals(journal.failures(), []);
  for (let n = 0; n < 3; n++) journal.record(entry(String(n)), true);
  assertEquals(journal.failures().map(({ requestId }) => requestId), ["2", "1", "0"]);
  for (let n = 3; n < 450; n++) journal.record(entry(String(n)), true);
  const ids = journal.failures().map(({ requestId }) => Number(requestId));
  assertEquals(ids, Array.from({ length: 200 }, (_, back) => 449 - back));
});

Deno.test("Journal tells followers of everything until they leave", () => {
  const journal = new Journal();
  const seen: string[] = [];
  assertEquals(journal.isFollowed, false);
  const following = journal.follow({
    entry: ({ requestId }) => void seen.push(requestId),
    end: () => void seen.push("end"),
  });
  assertEquals(journal.isFollowed, true);
  journal.record(entry("a"), false);
  journal.record(entry("b"), true);
  following[Symbol.dispose]();
  journal.record(entry("c"), true);
  assertEquals([seen, journal.isFollowed], [["a", "b"], false]);
  journal.follow({ entry: () => {}, end: () => void seen.push("end") });
  journal.end();
  assertEquals([seen, journal.isFollowed], [["a", "b", "end"], false]);
});
