// What was found of tokens, remembered for as long as it holds: a check costs 28 to 870 us, a hit 0.1 us (measured).
import type { VerificationKey } from "../identity/jwt/key_set.ts";
import type { Clock } from "../lib/clock.ts";
import { LruMap } from "../lib/lru.ts";
import type { Caller } from "./filter.ts";

export interface Accepted {
  readonly kind: "accepted";
  readonly caller: Caller;
  readonly scopes: ReadonlySet<string>;
  readonly untilEpochMs: number;
  /** When it leaves its set, so does what it signed. */
  readonly key: VerificationKey;
}

export interface Refused {
  readonly kind: "refused";
  readonly reason: string;
  readonly untilEpochMs: number;
  /** Of the keys: others may accept it. */
  readonly generation: number;
}

export type Verdict = Accepted | Refused;

/** Bounded, because tokens are somebody else's data. */
const MAX_ACCEPTED = 10_000;
/** Apart from the good ones, which a flood of bad ones must not push out. */
const MAX_REFUSED = 1_000;
/** A longer token is checked each time it comes: kept, 10,000 of the longest would be 160 MB. */
const MAX_KEPT_LENGTH = 4_096;

export class Verdicts {
  readonly #clock: Clock;
  readonly #accepted = new LruMap<string, Accepted>(MAX_ACCEPTED);
  readonly #refused = new LruMap<string, Refused>(MAX_REFUSED);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `generation` is that of the keys in force. */
  get(token: string, generation: number): Verdict | undefined {
    const accepted = this.#accepted.get(token);
    if (accepted !== undefined) {
      if (!accepted.key.isRetired && accepted.untilEpochMs > this.#clock.epoch()) return accepted;
      this.#accepted.delete(token);
      return undefined;
    }
    const refused = this.#refused.get(token);
    if (refused === undefined) return undefined;
    if (refused.generation === generation && refused.untilEpochMs > this.#clock.epoch()) {
      return refused;
    }
    this.#refused.delete(token);
    return undefined;
  }

  put(token: string, verdict: Verdict): void {
    if (token.length > MAX_KEPT_LENGTH) return;
    if (verdict.kind === "accepted") this.#accepted.set(token, verdict);
    else this.#refused.set(token, verdict);
  }
}
