// What chooses an endpoint for one attempt. A balancer is slow and knows things; the picker that it makes is made for one list of
// endpoints, is never changed, and is asked for every request. Types only.
import type { Endpoint } from "../../snapshot/snapshot.ts";

/** Who asks, for pickers that go by something of the request. */
export interface Asker {
  readonly request: {
    readonly target: string;
    readonly headers: { get(name: string): string | undefined };
  };
  /** The address of the first client, as far as proxies in front are trusted. */
  readonly clientAddress: string;
  readonly caller?: {
    readonly subject: string;
    readonly claims: Readonly<Record<string, unknown>>;
  } | undefined;
}

export interface Picker {
  /** An endpoint that is none of `tried`; undefined when there is no other. Without an asker, as for one without any key. */
  pick(tried: readonly Endpoint[], asker?: Asker): Endpoint | undefined;
}

/** What a balancer goes by that changes with every request. */
export interface Load {
  /** Attempts under way at the endpoint. */
  readonly inFlight: number;
  /** What the next request may expect to wait for an answer, in milliseconds. */
  expectedMs(): number;
}

/** An endpoint with all that balancers know of it. */
export interface Candidate {
  readonly endpoint: Endpoint;
  /** Share of the traffic in proportion to others; more than 0. */
  readonly weight: number;
  readonly load: Load;
}

/** None of these are left. */
export const NONE_TRIED: readonly Endpoint[] = Object.freeze([]);
