// What a jwt section says once it is read, at the gateway or of the inbound side. Types only.
import type { Algorithm } from "../lib/jwk.ts";

/** Where the keys of one issuer come from. Paths count from the current directory. */
export type KeyOriginConfig =
  | { readonly kind: "secret"; readonly secret: string }
  | { readonly kind: "jwks"; readonly keys: readonly Readonly<Record<string, unknown>>[] }
  | { readonly kind: "jwks-file"; readonly path: string }
  | { readonly kind: "jwks-uri"; readonly url: string }
  | { readonly kind: "public-key"; readonly path: string };

export interface IssuerConfig {
  /** Required value of `iss`; absent: any, where there is one issuer alone. */
  readonly issuer?: string;
  /** One of them must be in `aud`; empty: it is not looked at. */
  readonly audiences: readonly string[];
  /** Absent: all that the key is good for. */
  readonly algorithms?: readonly Algorithm[];
  readonly keys: KeyOriginConfig;
}

export type ClaimValue = string | number | boolean;

export type TokenPlaceConfig =
  | { readonly kind: "header"; readonly name: string; readonly scheme?: string }
  | { readonly kind: "cookie"; readonly name: string }
  | { readonly kind: "query"; readonly name: string };

export interface JwtConfig {
  readonly issuers: readonly IssuerConfig[];
  readonly clockSkewMs: number;
  /** Claim to request header, e.g. `user_id: x-user-id`. The headers are removed from what came from outside. */
  readonly claimHeaders: ReadonlyMap<string, string>;
  readonly tokenFrom: readonly TokenPlaceConfig[];
  /** Each claim must have one of its values; an empty list asks that it is there. */
  readonly requiredClaims: ReadonlyMap<string, readonly ClaimValue[]>;
}

/** What is asked of a token beyond that it is good. */
export interface TokenRuleConfig {
  readonly scopes: readonly string[];
  readonly claims: ReadonlyMap<string, readonly ClaimValue[]>;
  /** Empty: any that is configured. */
  readonly issuers: readonly string[];
}

export interface InboundJwtConfig extends JwtConfig {
  readonly auth: "jwt" | "optional";
  readonly tokenRule?: TokenRuleConfig;
}

/** What signs the tokens of the login. */
export type SigningConfig =
  | { readonly kind: "secret"; readonly secret: string; readonly algorithm: Algorithm }
  | {
    readonly kind: "private-key";
    /** PEM, PKCS 8. */
    readonly path: string;
    /** Absent: the usual one of that kind of key. */
    readonly algorithm?: Algorithm;
    readonly kid?: string;
  };
