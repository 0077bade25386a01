// The keys of one issuer at one time. Each is bound to the algorithms of its own kind; a token's header only chooses among
// them.
import { type CryptoKey as JoseKey, importJWK } from "jose";
import { type Algorithm, type PublicJwk, readJwk } from "../../lib/jwk.ts";

/** One key that checks signatures. */
export class VerificationKey {
  readonly kid: string | undefined;
  readonly algorithms: ReadonlySet<Algorithm>;
  /** What makes it this key: the same in two sets means the same key. */
  readonly identity: string;
  /** It has left its set: what it once signed is not believed any more. */
  isRetired = false;
  readonly #jwk: PublicJwk;
  readonly #imported = new Map<Algorithm, Promise<JoseKey | Uint8Array>>();

  constructor(jwk: PublicJwk, kid: string | undefined, algorithms: readonly Algorithm[]) {
    this.kid = kid;
    this.algorithms = new Set(algorithms);
    this.identity = JSON.stringify([kid ?? null, algorithms, jwk]);
    this.#jwk = jwk;
  }

  /** The key for one of its `algorithms`. Rejects where the numbers make no key. */
  imported(algorithm: Algorithm): Promise<JoseKey | Uint8Array> {
    let key = this.#imported.get(algorithm);
    if (key === undefined) this.#imported.set(algorithm, key = importKey(this.#jwk, algorithm));
    return key;
  }
}

/** A secret as a CryptoKey too: a check with raw bytes costs twice as much (measured, 50 to 28 us). */
async function importKey(jwk: PublicJwk, algorithm: Algorithm): Promise<JoseKey | Uint8Array> {
  const key = await importJWK({ ...jwk }, algorithm);
  if (!(key instanceof Uint8Array)) return key;
  const hash = `SHA-${algorithm.slice(2)}`;
  const bytes = new Uint8Array(key);
  return await crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash }, false, ["verify"]);
}

export interface KeySetOptions {
  /** The keys that are in force: a key that stays keeps its object. */
  readonly previous?: KeySet | undefined;
  /** Absent: all that each key is good for. */
  readonly algorithms?: readonly Algorithm[] | undefined;
  /** Whether secrets may stand among the keys. Not in what a server hands to everybody. */
  readonly allowsSecrets: boolean;
}

/** What a token without `kid`, or with one that several keys bear, is tried with at most. */
const MAX_CANDIDATES = 4;
/** Real sets hold two to ten. */
const MAX_KEYS = 100;

export class KeySet {
  readonly keys: readonly VerificationKey[];
  /** Keys that are not used, and why; they do not spoil the others (RFC 7517, section 5). */
  readonly skipped: readonly string[];

  private constructor(keys: readonly VerificationKey[], skipped: readonly string[]) {
    this.keys = keys;
    this.skipped = skipped;
  }

  /** Reads a JWK Set. Throws Error where it is none, or has no key that can be used. */
  static of(document: unknown, options: KeySetOptions): KeySet {
    const keys: VerificationKey[] = [];
    const skipped: string[] = [];
    for (const [index, value] of listOf(document).entries()) {
      const key = readKey(value, options);
      if (typeof key === "string") skipped.push(`keys[${index}]: ${key}`);
      else {keys.push(
          options.previous?.keys.find(({ identity }) => identity === key.identity) ?? key,
        );}
    }
    if (keys.length > 0) return new KeySet(keys, skipped);
    throw new Error(`no key that can be used${skipped.map((why) => `; ${why}`).join("")}`);
  }

  /** Keys that may have signed such a token. A key without kid bears every name. */
  candidates(algorithm: Algorithm, kid: string | undefined): readonly VerificationKey[] {
    const fitting = this.keys.filter((key) =>
      key.algorithms.has(algorithm) &&
      (kid === undefined || key.kid === undefined || key.kid === kid)
    );
    return fitting.slice(0, MAX_CANDIDATES);
  }

  /** Whether a key bears this name, of whatever kind it is. */
  knows(kid: string | undefined): boolean {
    return kid === undefined || this.keys.some((key) => key.kid === kid || key.kid === undefined);
  }

  /** Marks the keys that `next` has not. */
  retireAllBut(next: KeySet): void {
    const kept = new Set(next.keys);
    for (const key of this.keys) if (!kept.has(key)) key.isRetired = true;
  }
}

function listOf(document: unknown): readonly unknown[] {
  const keys = typeof document === "object" && document !== null && "keys" in document
    ? document.keys
    : undefined;
  if (!Array.isArray(keys)) throw new Error("not a JWK Set: it has no list of keys");
  if (keys.length > MAX_KEYS) throw new Error(`more than ${MAX_KEYS} keys`);
  return keys;
}

/** The key, or why it is not used. */
function readKey(value: unknown, options: KeySetOptions): VerificationKey | string {
  const reading = readJwk(value);
  if (!reading.ok) return reading.problem;
  if (reading.jwk["kty"] === "oct" && !options.allowsSecrets) {
    return "a secret among keys that everybody can read";
  }
  const allowed = options.algorithms;
  const algorithms = reading.algorithms.filter((each) => allowed?.includes(each) ?? true);
  if (algorithms.length === 0) return "its algorithm is not allowed by the configuration";
  return new VerificationKey(reading.jwk, reading.kid, algorithms);
}
