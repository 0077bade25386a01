// Traffic in parts: each part goes to the endpoints of one subset, by headers of the request or else by weight.
import type { HashOn, SplitPart } from "../../snapshot/balancer_settings.ts";
import type { Endpoint } from "../../snapshot/snapshot.ts";
import { mix } from "../../lib/murmur.ts";
import { hashOf } from "./hash_key.ts";
import type { Asker, Picker } from "./picker.ts";

export interface Part {
  readonly picker: Picker;
  readonly split: SplitPart;
}

export class SplitPicker implements Picker {
  /** Of requests with certain headers, in order. */
  readonly #named: readonly Part[];
  readonly #weighted: readonly Part[];
  readonly #sum: number;
  readonly #on: HashOn | undefined;
  readonly #random: () => number;

  /** `parts` are those that have endpoints. With `on` a key keeps its part. */
  constructor(parts: readonly Part[], on: HashOn | undefined, random: () => number) {
    this.#named = parts.filter(({ split: { headers } }) => headers.size > 0);
    this.#weighted = parts.filter(({ split: { weight } }) => weight > 0);
    this.#sum = this.#weighted.reduce((sum, { split: { weight } }) => sum + weight, 0);
    this.#on = on;
    this.#random = random;
  }

  /** A part whose endpoints were all tried leaves the request to the others. */
  pick(tried: readonly Endpoint[], asker?: Asker): Endpoint | undefined {
    for (let i = 0; i < this.#named.length; i++) {
      const { picker, split } = this.#named[i]!;
      if (asker === undefined || !hasAll(asker, split.headers)) continue;
      const endpoint = picker.pick(tried, asker);
      if (endpoint !== undefined) return endpoint;
    }
    const first = this.#draw(asker);
    for (let i = 0; i < this.#weighted.length; i++) {
      const { picker } = this.#weighted[(first + i) % this.#weighted.length]!;
      const endpoint = picker.pick(tried, asker);
      if (endpoint !== undefined) return endpoint;
    }
    return undefined;
  }

  /** The index of a weighted part. */
  #draw(asker: Asker | undefined): number {
    const hash = this.#on && hashOf(this.#on, asker);
    // Mixed once more: the same hash chooses within the part, and must not choose the same corner of it.
    let left = (hash === undefined ? this.#random() : mix(hash) / 2 ** 32) * this.#sum;
    for (let i = 0; i < this.#weighted.length; i++) {
      left -= this.#weighted[i]!.split.weight;
      if (left < 0) return i;
    }
    return 0;
  }
}

function hasAll({ request: { headers } }: Asker, wanted: SplitPart["headers"]): boolean {
  for (const [name, value] of wanted) {
    const found = headers.get(name);
    if (found === undefined || value !== "*" && found !== value) return false;
  }
  return true;
}
