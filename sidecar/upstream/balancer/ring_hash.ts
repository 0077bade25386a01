// Consistent hashing on a ring (Karger et al., 1997; points as in ketama): one key, one endpoint, and an endpoint that comes or goes
// moves its own share of the keys only.
import { murmur32 } from "../../lib/murmur.ts";
import type { Endpoint } from "../../snapshot/snapshot.ts";
import type { HashOn } from "../../snapshot/balancer_settings.ts";
import { hashOf } from "./hash_key.ts";
import type { Asker, Candidate, Picker } from "./picker.ts";

/** Points of an endpoint of weight 1: shares are within a tenth or so of what they should be. */
const POINTS = 256;
/** Of all endpoints together; where there would be more each has half of its own, or a quarter, and so on. */
const MAX_POINTS = 65_536;

export class RingHash implements Picker {
  readonly #on: HashOn | undefined;
  readonly #random: () => number;
  /** Sorted; the endpoint of each at the same place. */
  readonly #hashes: Uint32Array;
  readonly #owners: readonly Endpoint[];

  constructor(candidates: readonly Candidate[], on: HashOn | undefined, random: () => number) {
    this.#on = on;
    this.#random = random;
    const points = pointsOf(candidates).sort((a, b) => a.hash - b.hash);
    this.#hashes = Uint32Array.from(points, ({ hash }) => hash);
    this.#owners = points.map(({ endpoint }) => endpoint);
  }

  /** A request without a key goes anywhere. */
  pick(tried: readonly Endpoint[], asker?: Asker): Endpoint | undefined {
    const key = this.#on && hashOf(this.#on, asker);
    const start = this.#find(key ?? Math.floor(this.#random() * 2 ** 32));
    const owners = this.#owners;
    for (let i = 0; i < owners.length; i++) {
      const owner = owners[(start + i) % owners.length]!;
      if (tried.length === 0 || !tried.includes(owner)) return owner;
    }
    return undefined;
  }

  /** The first point at or behind `hash`, around the end to the first. */
  #find(hash: number): number {
    const hashes = this.#hashes;
    let [low, high] = [0, hashes.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (hashes[middle]! < hash) low = middle + 1;
      else high = middle;
    }
    return low === hashes.length ? 0 : low;
  }
}

/** As many for a weight whoever else is there: an endpoint that comes leaves the points of the others alone. */
function pointsOf(candidates: readonly Candidate[]) {
  const sum = candidates.reduce((total, { weight }) => total + weight, 0);
  let perWeight = POINTS;
  while (perWeight * sum > MAX_POINTS) perWeight /= 2;
  return candidates.flatMap(({ endpoint, weight }) =>
    Array.from({ length: Math.max(1, Math.round(perWeight * weight)) }, (_, index) => ({
      hash: murmur32(`${endpoint.host}:${endpoint.port}#${index}`),
      endpoint,
    }))
  );
}
