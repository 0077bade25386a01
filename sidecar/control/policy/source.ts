// What a source of policy is to the rest of control. Types only.
import type { Policy } from "../../config/bootstrap.ts";
import type { ConfigError } from "../../errors.ts";

/** A document that was accepted. */
export interface PolicyUpdate {
  /** Names the document; equal revisions are equal documents. */
  readonly revision: string;
  readonly policy: Policy;
}

/** A document that was refused whole, or one that cannot be had. What was accepted last stays in force. */
export interface PolicyProblem {
  /** Of the refused document; "missing" or "unreadable" when there is none. */
  readonly revision: string;
  readonly error: ConfigError;
}

/**
 * Until the first update the policy defaults apply. A problem is reported once and lasts until the next update, which
 * may name the revision already in force: then all that changed is that the problem is over.
 */
export interface PolicyListener {
  update(update: PolicyUpdate): void;
  problem(problem: PolicyProblem): void;
}

export interface PolicySource {
  /** Resolves after the first report. Never rejects for what the document says. Called once. */
  start(listener: PolicyListener): Promise<void>;
  /** Ends the reports; may be called twice. */
  close(): Promise<void>;
}
