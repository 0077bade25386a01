// Whether another process is still alive, judged without trusting anybody's wall clock.

/** How far the clocks of two machines may differ before a first sight is misjudged. */
export const MAX_SKEW_MS = 2000;

/**
 * Counts the time during which we looked and saw no change. Time in which we did not look (a stalled or suspended
 * process, an unreachable directory) does not count, and the age that a heartbeat claims counts only at first sight.
 */
export class Pulse {
  #silentMs = 0;
  #claimedMs: number;

  /** `ageMs`: our wall clock minus the heartbeat at first sight; negative when clocks differ. */
  constructor(ageMs: number) {
    this.#claimedMs = Math.max(0, ageMs - MAX_SKEW_MS);
  }

  /** How long we have watched it do nothing. */
  get silentMs(): number {
    return this.#silentMs;
  }

  /** It changed: it lives, whatever it claims the time to be. */
  beat(): void {
    this.#silentMs = 0;
    this.#claimedMs = 0;
  }

  /** We looked again and nothing had changed for `ms` more. */
  pass(ms: number): void {
    this.#silentMs += ms;
  }

  isAlive(staleMs: number): boolean {
    return this.#silentMs + this.#claimedMs < staleMs;
  }
}
