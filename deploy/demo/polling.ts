// Waiting for something to become true, by asking.

export interface Deadline {
  readonly ms: number;
  /** Time between two questions; default 100. */
  readonly everyMs?: number;
}

/** What did not come in time. */
export class TooLate extends Error {
  override readonly name = "TooLate";
}

/** Resolves when `isTrue` does to true; a rejection counts as not yet. Throws TooLate with `what`. */
export async function until(
  what: string | (() => string),
  { ms, everyMs = 100 }: Deadline,
  isTrue: () => Promise<boolean>,
): Promise<void> {
  const end = performance.now() + ms;
  while (!(await isTrue().catch(() => false))) {
    if (performance.now() >= end) {
      throw new TooLate(`not within ${ms / 1000} s: ${typeof what === "string" ? what : what()}`);
    }
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
