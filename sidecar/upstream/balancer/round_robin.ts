// Each endpoint in turn, those of more weight more often.
import type { Endpoint } from "../../snapshot/snapshot.ts";
import { type Candidate, NONE_TRIED, type Picker } from "./picker.ts";

/** Where a cluster's turn stands; it outlives pickers, so that a change of endpoints does not start at the first again. */
export interface Turn {
  next: number;
}

/** Turns of one round at most; weights that would need more are rounded to it. */
const MAX_ROUND = 4096;

export class RoundRobin implements Picker {
  /** One round: every endpoint as often as its weight says, as far apart as can be. */
  readonly #round: readonly Endpoint[];
  readonly #turn: Turn;

  constructor(candidates: readonly Candidate[], turn: Turn) {
    this.#round = roundOf(candidates);
    this.#turn = turn;
  }

  pick(tried: readonly Endpoint[] = NONE_TRIED): Endpoint | undefined {
    const round = this.#round;
    const { length } = round;
    for (let i = 0; i < length; i++) {
      const endpoint = round[this.#turn.next++ % length]!;
      if (tried.length === 0 || !tried.includes(endpoint)) return endpoint;
    }
    return undefined;
  }
}

function roundOf(candidates: readonly Candidate[]): readonly Endpoint[] {
  const [first] = candidates;
  if (candidates.every(({ weight }) => weight === first?.weight)) {
    return candidates.map(({ endpoint }) => endpoint);
  }
  return smooth(candidates.map(({ endpoint }) => endpoint), wholeWeights(candidates));
}

/** Whole numbers in the proportion of the weights, none of them 0. */
function wholeWeights(candidates: readonly Candidate[]): number[] {
  const weights = candidates.map(({ weight }) => weight);
  const smallest = Math.min(...weights);
  const sum = weights.reduce((total, weight) => total + weight, 0);
  // Tenths of the smallest are told apart, as far as a round is long enough.
  const scale = Math.min(10 / smallest, MAX_ROUND / sum);
  const whole = weights.map((weight) => Math.max(1, Math.round(weight * scale)));
  const divisor = whole.reduce(greatestDivisor);
  return whole.map((weight) => weight / divisor);
}

function greatestDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestDivisor(b, a % b);
}

/** nginx's smooth weighted round-robin: of each step the one that is furthest behind its share. */
function smooth(endpoints: readonly Endpoint[], weights: readonly number[]): Endpoint[] {
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const behind = weights.map(() => 0);
  return Array.from({ length: sum }, () => {
    let best = 0;
    for (let i = 0; i < weights.length; i++) {
      behind[i]! += weights[i]!;
      if (behind[i]! > behind[best]!) best = i;
    }
    behind[best]! -= sum;
    return endpoints[best]!;
  });
}
