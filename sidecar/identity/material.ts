// What an identity is made of, and what a source of them does. Types only, and the error that a source fails with.

/** One generation: a leaf with its key, and whom to trust. Fits what net/ takes. */
export interface IdentityMaterial {
  /** The SPIFFE id that the leaf bears. */
  readonly id: string;
  /** Leaf first, then intermediates. */
  readonly certificatePem: string;
  /** PKCS 8, or SEC 1. Secret. */
  readonly privateKeyPem: string;
  /** Roots, one certificate each. */
  readonly trustPem: readonly string[];
  /** Of the leaf, in epoch milliseconds. */
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** No identity is to be had; the message is for the operator and holds no secret. */
export class IdentityError extends Error {
  override readonly name = "IdentityError";
}

export interface IdentitySource {
  /** Material that is new, or the same object as last time where there is none. Rejects with IdentityError. */
  issue(): Promise<IdentityMaterial>;
  /** Whether what `issue` would return differs from what it returned last, its age aside. Never rejects. */
  hasChanged(): Promise<boolean>;
  /** Absent: it holds nothing that must be let go. */
  close?(): Promise<void>;
}
