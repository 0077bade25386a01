import { assertEquals } from "@std/assert";
import { MemoryLog } from "../../tests/support/memory_log.ts";
import { Trouble } from "./trouble.ts";

Deno.test("Trouble says once that it began and once that it is over, each time it comes", () => {
  const log = new MemoryLog();
  const trouble = new Trouble(log.logger, "writing", { file: "a.json" });
  trouble.worked();
  for (let i = 0; i < 5; i++) trouble.failed(new Error(`full ${i}`));
  trouble.worked();
  trouble.worked();
  trouble.failed("again");
  assertEquals(log.lines.map(({ level, message, file, error }) => [level, message, file, error]), [
    ["error", "writing failed, retrying", "a.json", "Error: full 0"],
    ["info", "writing works again", "a.json", undefined],
    ["error", "writing failed, retrying", "a.json", "again"],
  ]);
});
