// What policy says of who may call the local app, once it is read. Types only.

/** All that is said must hold; of each list one entry. */
export interface AuthorizationRuleConfig {
  /** Default: rule-N, N counted from 1. */
  readonly name: string;
  readonly action: "allow" | "deny";
  /** Service names, SPIFFE ids, `*` for whoever has an identity, `anonymous` for whoever has none. */
  readonly from?: readonly string[];
  readonly namespaces?: readonly string[];
  readonly methods?: readonly string[];
  /** `/exact`, `/prefix/*`, or with parameters `/users/{id}`. */
  readonly paths?: readonly string[];
  /** `package.Service/Method` or `package.Service/*`. */
  readonly grpc?: readonly string[];
  /** Claim to the values of which it must have one; an empty list: any value. */
  readonly claims?: Readonly<Record<string, readonly (string | number | boolean)[]>>;
}

export interface AuthorizationConfig {
  readonly mode: "enforce" | "dry-run";
  /** What holds where no rule takes the request. */
  readonly default: "allow" | "deny";
  readonly audit: "off" | "refused" | "all";
  readonly rules: readonly AuthorizationRuleConfig[];
}
