// What the operator says of how a cluster's endpoints are chosen. Types only; config builds what fits them.

export type Algorithm =
  | "round-robin"
  | "least-request"
  | "peak-ewma"
  | "random"
  | "ring-hash"
  | "maglev";

/** What of a request decides where it goes. */
export type HashOn =
  | { readonly kind: "client" | "path" }
  | { readonly kind: "header" | "cookie" | "claim"; readonly name: string };

export interface BalancerSettings {
  readonly algorithm: Algorithm;
  /** For ring-hash and maglev, and what makes a split stick; absent: by chance. */
  readonly hashOn?: HashOn;
  /** How long an endpoint that is new has less than its share; 0: not at all. */
  readonly slowStartMs: number;
  /** Where less than this share of the endpoints is available, all of them are used. */
  readonly panicThreshold: number;
  /** Whether endpoints of the own zone are preferred. */
  readonly isZoneAware: boolean;
}

/** Endpoints that have all of these. */
export interface Subset {
  readonly tags: readonly string[];
  readonly version?: string;
}

/** A part of the traffic, for the endpoints of one subset. */
export interface SplitPart {
  readonly subset: string;
  /** Of 100. */
  readonly weight: number;
  /** A request that has all of these goes here, whatever the weights say; `*` is any value. Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
}
