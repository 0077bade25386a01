// An endpoint by chance, in proportion to weights.
import type { Endpoint } from "../../snapshot/snapshot.ts";
import { type Candidate, NONE_TRIED, type Picker } from "./picker.ts";

export class RandomPicker implements Picker {
  readonly #endpoints: readonly Endpoint[];
  readonly #weights: readonly number[];
  readonly #sum: number;
  readonly #isEven: boolean;
  readonly #random: () => number;

  constructor(candidates: readonly Candidate[], random: () => number) {
    this.#endpoints = candidates.map(({ endpoint }) => endpoint);
    this.#weights = candidates.map(({ weight }) => weight);
    this.#sum = this.#weights.reduce((total, weight) => total + weight, 0);
    this.#isEven = this.#weights.every((weight) => weight === this.#weights[0]);
    this.#random = random;
  }

  pick(tried: readonly Endpoint[] = NONE_TRIED): Endpoint | undefined {
    const endpoints = this.#endpoints;
    if (tried.length > 0) return this.#among(tried);
    if (this.#isEven) return endpoints[Math.floor(this.#random() * endpoints.length)];
    let left = this.#random() * this.#sum;
    for (let i = 0; i < endpoints.length; i++) {
      left -= this.#weights[i]!;
      if (left < 0) return endpoints[i];
    }
    return endpoints.at(-1);
  }

  #among(tried: readonly Endpoint[]): Endpoint | undefined {
    let last: Endpoint | undefined;
    let sum = 0;
    for (let i = 0; i < this.#endpoints.length; i++) {
      if (!tried.includes(this.#endpoints[i]!)) sum += this.#weights[i]!;
    }
    let left = this.#random() * sum;
    for (let i = 0; i < this.#endpoints.length; i++) {
      if (tried.includes(this.#endpoints[i]!)) continue;
      last = this.#endpoints[i]!;
      left -= this.#weights[i]!;
      if (left < 0) return last;
    }
    return last;
  }
}
