// What the tests of balancers share: candidates with a load that the test decides on, and a seeded chance.
import type { Endpoint } from "../../snapshot/snapshot.ts";
import type { Candidate, Load } from "./picker.ts";

export interface TestLoad extends Load {
  inFlight: number;
  ms: number;
}

export interface About {
  readonly weight?: number;
  readonly load?: TestLoad;
}

export function testLoad(inFlight = 0, ms = 0): TestLoad {
  return {
    inFlight,
    ms,
    expectedMs() {
      return this.ms;
    },
  };
}

export function candidate(
  endpoint: Endpoint,
  { weight = 1, load = testLoad() }: About = {},
): Candidate {
  return { endpoint, weight, load };
}

/** Uniform in [0, 1), the same every time (mulberry32, by T. Ettinger). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
