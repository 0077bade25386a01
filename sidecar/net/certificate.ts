// One certificate as verification needs it: who signed it, when it holds, what it may be used for.
import { verify, X509Certificate } from "node:crypto";
import { type CertificateParts, parseCertificateDer } from "../identity/certificate_der.ts";
import {
  BIT_STRING,
  BOOLEAN,
  childrenOf,
  INTEGER,
  objectIdentifier,
  onlyElement,
  SEQUENCE,
  valueOf,
} from "../identity/der.ts";
import { dnsSansOf, uriSansOf } from "../identity/uri_san.ts";

/** What the other end of a connection uses its certificate for. */
export type Purpose = "client" | "server";

const PURPOSE_IDS = { client: "1.3.6.1.5.5.7.3.2", server: "1.3.6.1.5.5.7.3.1" } as const;
const ANY_PURPOSE = "2.5.29.37.0";

const BASIC_CONSTRAINTS = "2.5.29.19";
const KEY_USAGE = "2.5.29.15";
const EXTENDED_KEY_USAGE = "2.5.29.37";
const SUBJECT_ALTERNATIVE_NAME = "2.5.29.17";
/** What this code enforces. Any other that is critical (nameConstraints, policies) must be refused: RFC 5280, section 4.2. */
const KNOWN = [BASIC_CONSTRAINTS, KEY_USAGE, EXTENDED_KEY_USAGE, SUBJECT_ALTERNATIVE_NAME];

/** keyCertSign is bit 5, counted from the most significant. */
const CERTIFICATE_SIGNING = 0x04;

/** Signature algorithms by object identifier; SHA-1 and older are not among them. */
const ALGORITHMS: ReadonlyMap<string, { readonly key: string; readonly hash: string | null }> =
  new Map([
    ["1.2.840.10045.4.3.2", { key: "ec", hash: "sha256" }],
    ["1.2.840.10045.4.3.3", { key: "ec", hash: "sha384" }],
    ["1.2.840.10045.4.3.4", { key: "ec", hash: "sha512" }],
    ["1.2.840.113549.1.1.11", { key: "rsa", hash: "sha256" }],
    ["1.2.840.113549.1.1.12", { key: "rsa", hash: "sha384" }],
    ["1.2.840.113549.1.1.13", { key: "rsa", hash: "sha512" }],
    ["1.3.101.112", { key: "ed25519", hash: null }],
  ]);

/** Throws on what is malformed. */
export class Certificate {
  readonly der: Uint8Array;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** SHA-256 of the DER. */
  readonly fingerprint: string;
  /** May sign certificates; how many authorities may stand below it. */
  readonly isAuthority: boolean;
  readonly maxBelow: number;
  /** A critical extension that nothing here enforces. */
  readonly unknownCritical: string | undefined;
  readonly #x509: X509Certificate;
  readonly #parts: CertificateParts;
  readonly #purposes: readonly string[] | undefined;

  constructor(encoded: Uint8Array | string) {
    this.#x509 = new X509Certificate(encoded);
    this.der = new Uint8Array(this.#x509.raw);
    this.#parts = parseCertificateDer(this.der);
    this.fingerprint = this.#x509.fingerprint256;
    this.notBeforeMs = this.#parts.notBeforeMs;
    this.notAfterMs = this.#parts.notAfterMs;
    const { isCa, maxBelow } = basicConstraints(this.#value(BASIC_CONSTRAINTS));
    this.isAuthority = isCa && maySign(this.#value(KEY_USAGE));
    this.maxBelow = maxBelow;
    this.#purposes = purposes(this.#value(EXTENDED_KEY_USAGE));
    this.unknownCritical = [...this.#parts.extensions]
      .find(([id, { isCritical }]) => isCritical && !KNOWN.includes(id))?.[0];
  }

  get x509(): X509Certificate {
    return this.#x509;
  }

  get uris(): string[] {
    return uriSansOf(this.der);
  }

  get dnsNames(): string[] {
    return dnsSansOf(this.der);
  }

  /** As DER. */
  get subject(): Uint8Array {
    return this.#parts.subject;
  }

  /** A certificate without extendedKeyUsage is for everything (RFC 5280, section 4.2.1.12). */
  mayBe(purpose: Purpose): boolean {
    return this.#purposes?.some((id) => id === PURPOSE_IDS[purpose] || id === ANY_PURPOSE) ?? true;
  }

  hasIssuerName(issuer: Certificate): boolean {
    return sameBytes(this.#parts.issuer, issuer.#parts.subject);
  }

  /** Costs 0.6-1.9 ms. Not X509Certificate.verify: that one says no to P-384 signing with SHA-256 (Deno 2.9.3). */
  isSignedBy(issuer: Certificate): boolean {
    const { algorithm, signed, signature } = this.#parts;
    const known = ALGORITHMS.get(algorithm);
    const key = issuer.#x509.publicKey;
    if (known === undefined || known.key !== key.asymmetricKeyType) return false;
    return verify(known.hash, signed, key, signature);
  }

  #value(id: string): Uint8Array | undefined {
    return this.#parts.extensions.get(id)?.value;
  }
}

function basicConstraints(
  value: Uint8Array | undefined,
): { readonly isCa: boolean; readonly maxBelow: number } {
  if (value === undefined) return { isCa: false, maxBelow: 0 };
  const [flag, length] = childrenOf(value, onlyElement(value, SEQUENCE));
  const isCa = flag?.tag === BOOLEAN && value[flag.start] !== 0;
  const hasLength = length?.tag === INTEGER && length.end - length.start === 1;
  return { isCa, maxBelow: hasLength ? value[length.start]! : length === undefined ? Infinity : 0 };
}

function maySign(value: Uint8Array | undefined): boolean {
  if (value === undefined) return true;
  const bits = valueOf(value, onlyElement(value, BIT_STRING));
  return ((bits[1] ?? 0) & CERTIFICATE_SIGNING) !== 0;
}

function purposes(value: Uint8Array | undefined): string[] | undefined {
  if (value === undefined) return undefined;
  return childrenOf(value, onlyElement(value, SEQUENCE)).map((element) =>
    objectIdentifier(value, element)
  );
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** Every certificate of a PEM text, in order; throws where one is malformed. */
export function parseCertificates(pem: string): Certificate[] {
  return (pem.match(PEM_BLOCK) ?? []).map((block) => new Certificate(block));
}

const PEM_BLOCK = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;
