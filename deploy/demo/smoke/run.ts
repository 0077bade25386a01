// Runs the checks one after the other and prints a line each.
import type { Session } from "./check.ts";
import { FAILURE_CHECKS } from "./failure_checks.ts";
import { POLICY_CHECKS } from "./policy_checks.ts";
import { SESSION_CHECKS } from "./session_checks.ts";

/** Counts what the checks came to. */
export interface Totals {
  passed: number;
  failed: number;
}

export interface RunOptions {
  readonly totals: Totals;
  readonly say: (line: string) => void;
  /** After it nothing is counted or said any more. */
  readonly cut: AbortSignal;
}

/** Goes on after a failure, to show all of them. */
export async function runChecks(session: Session, { totals, say, cut }: RunOptions): Promise<void> {
  const policyChecks = session.etcd === undefined ? [] : POLICY_CHECKS;
  for (const { name, run } of [...SESSION_CHECKS, ...policyChecks, ...FAILURE_CHECKS]) {
    const failure = await run(session).then(() => undefined, messageOf);
    if (cut.aborted) return;
    if (failure === undefined) totals.passed++;
    else totals.failed++;
    say(failure === undefined ? `ok   ${name}` : `FAIL ${name}: ${failure}`);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
