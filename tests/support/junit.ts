// Counts what `deno test --junit-path` wrote. A test counts once however many steps it has.

/** How many tests went which way. */
export interface Totals {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export const NO_TESTS: Totals = { passed: 0, failed: 0, skipped: 0 };

/** The sum of two runs. */
export function addTotals(a: Totals, b: Totals): Totals {
  return {
    passed: a.passed + b.passed,
    failed: a.failed + b.failed,
    skipped: a.skipped + b.skipped,
  };
}

/** The plain line that people and CI read: `N passed, N failed`, and `, N skipped` only if any. */
export function formatTotals(totals: Totals): string {
  const skipped = totals.skipped === 0 ? "" : `, ${totals.skipped} skipped`;
  return `${totals.passed} passed, ${totals.failed} failed${skipped}`;
}

const TESTCASE = /<testcase name="([^"]*)" classname="([^"]*)"([^>]*)>(.*?)<\/testcase>/gs;

/**
 * Reads a JUnit report as Deno writes it: a step is a case named `TEST > STEP` of the same class, and a test that a filter left out is
 * a skipped case without a time.
 */
export function countJunit(xml: string): Totals {
  const cases = [...xml.matchAll(TESTCASE)]
    .map(([, name = "", file = "", more = "", result = ""]) => ({
      id: `${file} ${name}`,
      result,
      isFilteredOut: result.includes("<skipped") && !more.includes(" time="),
    }));
  const ids = new Set(cases.map(({ id }) => id));
  const tests = cases.filter(({ id, isFilteredOut }) => !isFilteredOut && !isStep(id, ids));
  const failed = tests.filter(({ result }) => /<(failure|error)\b/.test(result)).length;
  const skipped = tests.filter(({ result }) => result.includes("<skipped")).length;
  return { passed: tests.length - failed - skipped, failed, skipped };
}

function isStep(id: string, ids: ReadonlySet<string>): boolean {
  const separator = " &gt; ";
  for (let end = id.indexOf(separator); end >= 0; end = id.indexOf(separator, end + 1)) {
    if (ids.has(id.slice(0, end))) return true;
  }
  return false;
}
