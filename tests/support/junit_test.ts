import { assertEquals } from "@std/assert";
import { addTotals, countJunit, formatTotals } from "./junit.ts";

function testcase(name: string, result = "", file = "./a_test.ts"): string {
  return `<testcase name="${name}" classname="${file}" time="0.001" line="1" col="6">\n${result}</testcase>\n`;
}

Deno.test("countJunit counts passed, failed, cancelled and skipped tests", () => {
  const xml = testcase("one") + testcase("two", `<failure message="no">at &lt;x&gt;</failure>`) +
    testcase("three", `<skipped/>`) + testcase("four", `<error message="Cancelled"/>`);
  assertEquals(countJunit(xml), { passed: 1, failed: 2, skipped: 1 });
});

Deno.test("countJunit counts a test once however many steps it has", () => {
  const failure = `<failure message="1 test step failed."></failure>`;
  const xml = testcase("outer", failure) + testcase("outer &gt; step", failure) +
    testcase("outer &gt; step &gt; inner") + testcase("a &gt; b is a name too") +
    testcase("outer &gt; step", "", "./b_test.ts");
  assertEquals(countJunit(xml), { passed: 2, failed: 1, skipped: 0 });
});

Deno.test("countJunit leaves out what a filter left out", () => {
  const filtered =
    `<testcase name="two" classname="./a_test.ts" line="1" col="6"><skipped/></testcase>`;
  assertEquals(countJunit(testcase("one") + filtered), { passed: 1, failed: 0, skipped: 0 });
});

Deno.test("countJunit of a report without tests is all zero", () => {
  assertEquals(countJunit(`<testsuites name="deno test" tests="0"></testsuites>`), {
    passed: 0,
    failed: 0,
    skipped: 0,
  });
});

Deno.test("formatTotals names skipped tests only where there are some", () => {
  const some = { passed: 12, failed: 0, skipped: 0 };
  assertEquals(formatTotals(some), "12 passed, 0 failed");
  const more = addTotals(some, { passed: 1, failed: 2, skipped: 3 });
  assertEquals(formatTotals(more), "13 passed, 2 failed, 3 skipped");
});
