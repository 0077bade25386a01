// Stops asking whoever fails, for a while, and then tries carefully. OPEN REJECTS. Pure: time is an argument.
//
//            failureThreshold in a row, or errorRate
//   closed ------------------------------------------> open
//     ^                                               |    ^
//     | successThreshold in a row             openFor |    | one failure
//     '----------------- half-open <------------------'    |
//                            '------------------------------'
import { FailureWindow } from "./failure_window.ts";
import type { BreakerSettings } from "../snapshot/resilience_settings.ts";

export type BreakerSettingsInForce = Pick<
  BreakerSettings,
  "failureThreshold" | "successThreshold" | "openForMs" | "probes" | "errorRate"
>;

type State =
  | { readonly kind: "closed"; failures: number }
  | { readonly kind: "open"; readonly untilMs: number }
  | { readonly kind: "half-open"; successes: number; probes: number };

/** What `admit` answers when it refuses. */
export const REFUSED = 0;

/**
 * `admit` hands out permits; each must come back by exactly one of `succeed`, `fail` and `release`. A permit from before the
 * last change of state says nothing any more: what began before it opened is no news of whether it may close.
 */
export class Breaker {
  readonly #settings: BreakerSettingsInForce;
  readonly #onChange: (state: "closed" | "open" | "half-open") => void;
  readonly #window: FailureWindow | undefined;
  #state: State = { kind: "closed", failures: 0 };
  /** Goes up with every change of state, and is what permits of it are. */
  #era = 1;

  constructor(
    settings: BreakerSettingsInForce,
    onChange: (state: "closed" | "open" | "half-open") => void = () => {},
  ) {
    this.#settings = settings;
    this.#onChange = onChange;
    this.#window = settings.errorRate && new FailureWindow(settings.errorRate.windowMs);
  }

  get state(): "closed" | "open" | "half-open" {
    return this.#state.kind;
  }

  /** Until it lets somebody try again; 0 where it does so now. */
  openMs(nowMs: number): number {
    return this.#state.kind === "open" ? Math.max(0, this.#state.untilMs - nowMs) : 0;
  }

  /** A permit, or REFUSED. */
  admit(nowMs: number): number {
    const state = this.#state;
    if (state.kind === "closed") return this.#era;
    if (state.kind === "open") {
      if (nowMs < state.untilMs) return REFUSED;
      this.#change({ kind: "half-open", successes: 0, probes: 1 });
      return this.#era;
    }
    if (state.probes >= this.#settings.probes) return REFUSED;
    state.probes++;
    return this.#era;
  }

  succeed(permit: number, nowMs: number): void {
    const state = this.#back(permit);
    if (state === undefined) return;
    if (state.kind === "closed") {
      state.failures = 0;
      this.#window?.count(false, nowMs);
    } else if (++state.successes >= this.#settings.successThreshold) {
      this.#change({ kind: "closed", failures: 0 });
    }
  }

  fail(permit: number, nowMs: number): void {
    const state = this.#back(permit);
    if (state === undefined) return;
    if (state.kind === "half-open") return this.#open(nowMs);
    state.failures++;
    this.#window?.count(true, nowMs);
    if (state.failures >= this.#settings.failureThreshold || this.#isRateTooHigh(nowMs)) {
      this.#open(nowMs);
    }
  }

  /** It came to no verdict. */
  release(permit: number): void {
    this.#back(permit);
  }

  /** The state that a permit is of, if that is still so. */
  #back(permit: number): Exclude<State, { kind: "open" }> | undefined {
    const state = this.#state;
    if (permit !== this.#era || state.kind === "open") return undefined;
    if (state.kind === "half-open") state.probes--;
    return state;
  }

  #isRateTooHigh(nowMs: number): boolean {
    const { errorRate } = this.#settings;
    if (errorRate === undefined || this.#window === undefined) return false;
    const { total, failures } = this.#window.sum(nowMs);
    return total >= errorRate.minRequests && failures >= total * errorRate.share;
  }

  #open(nowMs: number): void {
    this.#change({ kind: "open", untilMs: nowMs + this.#settings.openForMs });
  }

  #change(state: State): void {
    this.#state = state;
    this.#era++;
    if (state.kind !== "half-open") this.#window?.clear();
    this.#onChange(state.kind);
  }
}
