// The better of two endpoints drawn by chance (Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing", 2001): nearly
// as good as the best of all, and a crowd does not run to the one that was best a moment ago.
import type { Endpoint } from "../../snapshot/snapshot.ts";
import { type Candidate, NONE_TRIED, type Picker } from "./picker.ts";

/** What one more request costs there; the less the better. */
export type Cost = (candidate: Candidate) => number;

/** Requests under way, in proportion to the weight. */
export const leastRequest: Cost = ({ load, weight }) => (load.inFlight + 1) / weight;

/** What an endpoint is taken to need which has requests and never answered one. */
const UNKNOWN_MS = 1_000_000;

/** The expected wait, behind what is under way (Finagle's peak EWMA). */
export const peakEwma: Cost = ({ load, weight }) => {
  const expectedMs = load.expectedMs();
  const ms = expectedMs === 0 && load.inFlight > 0 ? UNKNOWN_MS : expectedMs;
  return ms * (load.inFlight + 1) / weight;
};

export class TwoChoices implements Picker {
  readonly #candidates: readonly Candidate[];
  readonly #cost: Cost;
  readonly #random: () => number;

  constructor(candidates: readonly Candidate[], cost: Cost, random: () => number) {
    this.#candidates = candidates;
    this.#cost = cost;
    this.#random = random;
  }

  pick(tried: readonly Endpoint[] = NONE_TRIED): Endpoint | undefined {
    const candidates = tried.length === 0 ? this.#candidates : this.#without(tried);
    const { length } = candidates;
    if (length < 2) return candidates[0]?.endpoint;
    const first = Math.floor(this.#random() * length);
    // One of the others, each as likely.
    const second = (first + 1 + Math.floor(this.#random() * (length - 1))) % length;
    const one = candidates[first]!;
    const other = candidates[second]!;
    return this.#cost(other) < this.#cost(one) ? other.endpoint : one.endpoint;
  }

  #without(tried: readonly Endpoint[]): readonly Candidate[] {
    return this.#candidates.filter(({ endpoint }) => !tried.includes(endpoint));
  }
}
