import { assertEquals } from "@std/assert";
import { maxAgeOf } from "./fetch_json.ts";

Deno.test("maxAgeOf reads how long an answer is good, less what it is old", () => {
  const cases: [Record<string, string>, number | undefined][] = [
    [{}, undefined],
    [{ "cache-control": "public" }, undefined],
    [{ "cache-control": "max-age=60" }, 60_000],
    [{ "cache-control": "public, Max-Age=60, must-revalidate" }, 60_000],
    [{ "cache-control": 'max-age="60"' }, 60_000],
    [{ "cache-control": "max-age=60", "age": "20" }, 40_000],
    [{ "cache-control": "max-age=60", "age": "90" }, 0],
    [{ "cache-control": "max-age=60", "age": "soon" }, 60_000],
    [{ "cache-control": "s-maxage=60" }, undefined],
    [{ "cache-control": "x-max-age=60" }, undefined],
    [{ "cache-control": "max-age=-1" }, undefined],
    [{ "cache-control": "max-age=60, no-store" }, 0],
    [{ "cache-control": "no-cache" }, 0],
  ];
  for (const [headers, ms] of cases) {
    assertEquals(maxAgeOf(new Headers(headers)), ms, JSON.stringify(headers));
  }
});
