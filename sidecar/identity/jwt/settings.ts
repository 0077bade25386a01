// What the operator says of tokens, with every default filled in. Types only; config builds what fits them.
import type { Algorithm } from "../../lib/jwk.ts";

/** Where an issuer's keys come from. */
export type KeyOrigin =
  | { readonly kind: "secret"; readonly secret: string }
  | { readonly kind: "jwks"; readonly keys: readonly Readonly<Record<string, unknown>>[] }
  | { readonly kind: "jwks-file"; readonly path: string }
  | { readonly kind: "jwks-uri"; readonly url: string }
  /** PEM, SubjectPublicKeyInfo. */
  | { readonly kind: "public-key"; readonly path: string };

export interface IssuerSettings {
  /** Required value of `iss`; absent: any, where there is one issuer alone. */
  readonly issuer?: string;
  /** One of them must be in `aud`; empty: it is not looked at. */
  readonly audiences: readonly string[];
  /** Absent: all that the key is good for. */
  readonly algorithms?: readonly Algorithm[];
  readonly keys: KeyOrigin;
}

export type ClaimValue = string | number | boolean;

/** Where a request carries its token. */
export type TokenPlace =
  | { readonly kind: "header"; readonly name: string; readonly scheme?: string }
  | { readonly kind: "cookie"; readonly name: string }
  | { readonly kind: "query"; readonly name: string };

export interface JwtSettings {
  readonly issuers: readonly IssuerSettings[];
  readonly clockSkewMs: number;
  /** Claim to header field. */
  readonly claimHeaders: ReadonlyMap<string, string>;
  /** In order: the first that is there counts. */
  readonly tokenFrom: readonly TokenPlace[];
  /** Each claim must have one of its values; an empty list asks that it is there. */
  readonly requiredClaims: ReadonlyMap<string, readonly ClaimValue[]>;
}

/** What a route asks of the token beyond that it is good. */
export interface TokenRule {
  /** Every one must be granted. */
  readonly scopes: readonly string[];
  readonly claims: ReadonlyMap<string, readonly ClaimValue[]>;
  /** Empty: any that is configured. */
  readonly issuers: readonly string[];
}

/** What an inbound listener asks of every request. */
export interface InboundJwtSettings extends JwtSettings {
  readonly auth: "jwt" | "optional";
  readonly tokenRule?: TokenRule;
}
