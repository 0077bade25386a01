// Each endpoint in turn.
import type { Endpoint } from "../../snapshot/snapshot.ts";

/** Made once per endpoint list; picks by position, so it needs no state but a counter. */
export interface Picker {
  /** The next endpoint that is none of `tried`; undefined when there is no other. */
  pick(tried?: readonly Endpoint[]): Endpoint | undefined;
}

/** Where a cluster's turn stands; it outlives pickers, so that a change of endpoints does not start at the first again. */
export interface Turn {
  next: number;
}

export class RoundRobin implements Picker {
  readonly #endpoints: readonly Endpoint[];
  readonly #turn: Turn;

  constructor(endpoints: readonly Endpoint[], turn: Turn) {
    this.#endpoints = endpoints;
    this.#turn = turn;
  }

  pick(tried: readonly Endpoint[] = []): Endpoint | undefined {
    const { length } = this.#endpoints;
    for (let i = 0; i < length; i++) {
      const endpoint = this.#endpoints[this.#turn.next++ % length]!;
      if (tried.length === 0 || !tried.includes(endpoint)) return endpoint;
    }
    return undefined;
  }
}
