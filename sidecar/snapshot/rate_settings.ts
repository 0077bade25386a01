// What a limit counts, how, and where. Types only.

/** Whose requests are counted together. */
export type RateKeyPart =
  | { readonly kind: "client" | "user" | "caller" | "route" | "all" }
  /** `name` in lower case. Requests without the header are counted together too. */
  | { readonly kind: "header"; readonly name: string };

export interface RateSettings {
  readonly rate: { readonly count: number; readonly perMs: number };
  readonly burst: number;
  /** Requests with the same of all of these share a count. */
  readonly key: readonly RateKeyPart[];
  readonly algorithm: "token-bucket" | "gcra";
  /** How many tokens a request takes. */
  readonly cost: number;
  /** `global`: counted by all instances together. */
  readonly scope: "local" | "global";
}
