// Where the keys of one issuer come from, as the verifier sees it, and the source that never changes.
import type { KeySet } from "./key_set.ts";

/**
 * What looking for a key that is not in force brought: `found` = the set was renewed and has it; `absent` = there is none;
 * `unavailable` = whoever knows could not be asked, so nothing can be said.
 */
export type Sought = "found" | "absent" | "unavailable";

export interface KeySource {
  /** For the log and metrics. */
  readonly name: string;
  /** The keys in force; undefined until there were any. */
  readonly current: KeySet | undefined;
  /** Tries to renew them that failed since the last that went well. */
  readonly failures: number;
  /** Since the last renewal that went well; undefined before it, and where nothing is to be renewed. */
  readonly ageMs: number | undefined;
  /** Asks for a key of that name where `current` has none, or for any keys where there are none yet. */
  seek(kid: string | undefined): Promise<Sought>;
  /** Keeps the keys and renews them no more. */
  close(): void;
}

/** What a source tells whoever remembers verdicts: other keys are in force. */
export type OnKeysChanged = () => void;

/** Keys that stand in the configuration. */
export class FixedKeys implements KeySource {
  readonly name: string;
  readonly current: KeySet;
  readonly failures = 0;
  readonly ageMs = undefined;

  constructor(name: string, current: KeySet) {
    this.name = name;
    this.current = current;
  }

  seek(): Promise<Sought> {
    return Promise.resolve("absent");
  }

  close(): void {}
}
