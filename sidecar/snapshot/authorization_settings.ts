// What an operator says of who may call the local app. Types only; authorization.ts compiles them.

export type ClaimValue = string | number | boolean;

/** All that is said must hold; of each list one entry. What is left out takes everything. */
export interface AuthorizationRule {
  readonly name: string;
  readonly action: "allow" | "deny";
  /** Service names, SPIFFE ids, `*` for whoever has an identity, `anonymous` for whoever has none. */
  readonly from?: readonly string[];
  /** In which namespaces the names of `from` are; alone: whoever is in one of them. */
  readonly namespaces?: readonly string[];
  readonly methods?: readonly string[];
  readonly paths?: readonly string[];
  /** `package.Service/Method` or `package.Service/*`. */
  readonly grpc?: readonly string[];
  /** Claims of the caller's token; an empty list takes any value. */
  readonly claims?: Readonly<Record<string, readonly ClaimValue[]>>;
}

export interface AuthorizationSettings {
  /** `dry-run` decides, counts and logs, and refuses nobody. */
  readonly mode: "enforce" | "dry-run";
  /** What holds where no rule takes the request. */
  readonly default: "allow" | "deny";
  /** Which decisions leave a line in the log. */
  readonly audit: "off" | "refused" | "all";
  readonly rules: readonly AuthorizationRule[];
}
