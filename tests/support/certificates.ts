// Certificate authorities and certificates for tests, honest and hostile ones: whatever a verifier must look at can be bent.
import "reflect-metadata"; // @peculiar/x509 does not load without it
import {
  BasicConstraintsExtension,
  ExtendedKeyUsageExtension,
  Extension,
  type JsonGeneralName,
  KeyUsageFlags,
  KeyUsagesExtension,
  Name,
  PemConverter,
  SubjectAlternativeNameExtension,
  type X509Certificate,
  X509CertificateGenerator,
} from "@peculiar/x509";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const DAY_MS = 24 * 3_600_000;
const SUBJECT_ALTERNATIVE_NAME = "2.5.29.17";
const USAGES = { client: "1.3.6.1.5.5.7.3.2", server: "1.3.6.1.5.5.7.3.1" };

/** A certificate and its key, as files and sources have them. */
export interface TestCertificate {
  /** The leaf, and behind it the intermediates, if any. */
  readonly certificatePem: string;
  /** PKCS 8. */
  readonly privateKeyPem: string;
}

export interface LeafOptions {
  /** The most general part first, values as they are. Default: `CN=leaf`. */
  readonly subject?: readonly (readonly [type: string, value: string])[];
  readonly uris?: readonly string[];
  readonly dns?: readonly string[];
  readonly ips?: readonly string[];
  /** The whole subjectAltName extension's value as DER, in place of the names above. */
  readonly rawNames?: Uint8Array;
  /** Default: both; empty: no extendedKeyUsage at all. */
  readonly usages?: readonly ("client" | "server")[];
  readonly notBefore?: Date;
  readonly notAfter?: Date;
}

export interface AuthorityOptions {
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  /** Default true. False: basicConstraints says that it may not sign certificates. */
  readonly isCa?: boolean;
  /** How many intermediates may stand below it. */
  readonly pathLength?: number;
  /** URI names of its own, as the root of a trust domain has one. */
  readonly uris?: readonly string[];
}

/** A root or an intermediate that issues what it is asked for. */
export class TestAuthority {
  readonly certificatePem: string;
  readonly #keys: CryptoKeyPair;
  readonly #certificate: X509Certificate;
  /** Its own certificate and those above it, without the root. */
  readonly #chainPem: string;

  private constructor(keys: CryptoKeyPair, certificate: X509Certificate, chainPem: string) {
    this.#keys = keys;
    this.#certificate = certificate;
    this.#chainPem = chainPem;
    this.certificatePem = pem(certificate);
  }

  /** A root that signs itself. */
  static async root(name: string, options: AuthorityOptions = {}): Promise<TestAuthority> {
    const keys = await newKeys();
    const certificate = await X509CertificateGenerator.createSelfSigned({
      name: `CN=${name}`,
      keys,
      ...validity(options),
      signingAlgorithm: ALGORITHM,
      extensions: authorityExtensions(options),
    });
    return new TestAuthority(keys, certificate, "");
  }

  /** Certificate and key in one text, as the embedded authority of a sidecar keeps its root. */
  async pairPem(): Promise<string> {
    return this.certificatePem + await keyPem(this.#keys.privateKey);
  }

  /** Another certificate of the same name and the same key: all such sign each other. */
  async again(): Promise<TestAuthority> {
    const { subject } = this.#certificate;
    const certificate = await this.#sign(subject, this.#keys, {}, authorityExtensions({}));
    return new TestAuthority(this.#keys, certificate, "");
  }

  /** An authority below this one. */
  async intermediate(name: string, options: AuthorityOptions = {}): Promise<TestAuthority> {
    const keys = await newKeys();
    const certificate = await this.#sign(`CN=${name}`, keys, options, authorityExtensions(options));
    return new TestAuthority(keys, certificate, pem(certificate) + this.#chainPem);
  }

  async issue(options: LeafOptions = {}): Promise<TestCertificate> {
    const keys = await newKeys();
    const { subject = [["CN", "leaf"]] } = options;
    const name = new Name(subject.map(([type, value]) => ({ [type]: [{ utf8String: value }] })));
    const leaf = await this.#sign(name, keys, options, leafExtensions(options));
    return {
      certificatePem: pem(leaf) + this.#chainPem,
      privateKeyPem: await keyPem(keys.privateKey),
    };
  }

  #sign(
    subject: string | Name,
    keys: CryptoKeyPair,
    options: { readonly notBefore?: Date; readonly notAfter?: Date },
    extensions: Extension[],
  ): Promise<X509Certificate> {
    return X509CertificateGenerator.create({
      subject,
      issuer: this.#certificate.subject,
      publicKey: keys.publicKey,
      signingKey: this.#keys.privateKey,
      signingAlgorithm: ALGORITHM,
      extensions,
      ...validity(options),
    });
  }
}

/** A subjectAltName's value as DER, whatever the names hold: for what no generator would write. */
export function rawNames(...names: readonly { readonly tag: number; readonly text: string }[]) {
  const encoded = names.map(({ tag, text }) => element(tag, new TextEncoder().encode(text)));
  return element(0x30, new Uint8Array(encoded.flatMap((bytes) => [...bytes])));
}

/** Tags of names in a subjectAltName. */
export const NAME_TAGS = { dns: 0x82, uri: 0x86 } as const;

function element(tag: number, value: Uint8Array): Uint8Array {
  const { length } = value;
  const head = length < 0x80
    ? [length]
    : length < 0x100
    ? [0x81, length]
    : [0x82, length >> 8, length & 0xff];
  return new Uint8Array([tag, ...head, ...value]);
}

function newKeys(): Promise<CryptoKeyPair> {
  return crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
}

function pem(certificate: X509Certificate): string {
  return certificate.toString("pem") + "\n";
}

async function keyPem(key: CryptoKey): Promise<string> {
  return PemConverter.encode(await crypto.subtle.exportKey("pkcs8", key), "PRIVATE KEY") + "\n";
}

function validity(options: { readonly notBefore?: Date; readonly notAfter?: Date }) {
  return {
    notBefore: options.notBefore ?? new Date(Date.now() - DAY_MS),
    notAfter: options.notAfter ?? new Date(Date.now() + DAY_MS),
  };
}

function authorityExtensions(options: AuthorityOptions): Extension[] {
  const { isCa = true, pathLength, uris = [] } = options;
  const names = alternativeNames({ uris });
  return [
    new BasicConstraintsExtension(isCa, pathLength, true),
    new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
    ...(names === undefined ? [] : [names]),
  ];
}

function leafExtensions(options: LeafOptions): Extension[] {
  const { usages = ["client", "server"] } = options;
  const extensions: Extension[] = [new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true)];
  const names = alternativeNames(options);
  if (names !== undefined) extensions.push(names);
  if (usages.length > 0) {
    extensions.push(new ExtendedKeyUsageExtension(usages.map((usage) => USAGES[usage])));
  }
  return extensions;
}

function alternativeNames(options: LeafOptions): Extension | undefined {
  const { uris = [], dns = [], ips = [], rawNames } = options;
  if (rawNames !== undefined) {
    return new Extension(SUBJECT_ALTERNATIVE_NAME, false, new Uint8Array(rawNames));
  }
  const names: JsonGeneralName[] = [
    ...uris.map((value): JsonGeneralName => ({ type: "url", value })),
    ...dns.map((value): JsonGeneralName => ({ type: "dns", value })),
    ...ips.map((value): JsonGeneralName => ({ type: "ip", value })),
  ];
  return names.length === 0 ? undefined : new SubjectAlternativeNameExtension(names);
}
