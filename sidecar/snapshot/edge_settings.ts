// What the operator says of an edge, as policy may change it while we run. Types only; config builds what fits them.
import type { JwtSettings } from "../identity/jwt/settings.ts";
import type { Algorithm } from "../lib/jwk.ts";
import type { Route } from "./snapshot.ts";

/** Which pages of other origins may call (Fetch standard, "CORS protocol"). */
export interface CorsSettings {
  /** Exact origins, or `*`. */
  readonly origins: readonly string[];
  readonly methods: readonly string[];
  readonly headers: readonly string[];
  readonly exposeHeaders: readonly string[];
  readonly credentials: boolean;
  readonly maxAgeMs: number;
}

/** A token bucket's measure. */
export interface Bucket {
  readonly rate: { readonly count: number; readonly perMs: number };
  readonly burst: number;
}

/** What signs the tokens of the login. */
export type SigningSettings =
  | { readonly kind: "secret"; readonly secret: string; readonly algorithm: Algorithm }
  | {
    readonly kind: "private-key";
    readonly path: string;
    readonly algorithm?: Algorithm;
    readonly kid?: string;
  };

export interface LoginSettings {
  readonly path: string;
  /** Claim to the field of the login body it is taken from. */
  readonly claims: ReadonlyMap<string, string>;
  readonly expiresInMs: number;
  readonly verify: { readonly kind: "passwordless" } | {
    readonly kind: "service";
    readonly service: string;
    readonly path: string;
  };
  /** Tries for one name from one client, and for one client. */
  readonly rateLimit: { readonly user: Bucket; readonly client: Bucket };
  readonly signing: SigningSettings;
  /** What the tokens say of where they come from and whom they are for. */
  readonly issuer?: string;
  readonly audience?: string;
}

/** Parts that are left out are not done. */
export interface EdgeSettings {
  readonly cors?: CorsSettings;
  readonly jwt?: JwtSettings;
  readonly login?: LoginSettings;
  readonly routes: readonly Route[];
}
