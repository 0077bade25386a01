// The embedded certificate authority: makes a root, and leaves for the workloads of its trust domain. X.509 is the library's.
import "reflect-metadata"; // @peculiar/x509 does not load without it
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from "@peculiar/x509";
import { IdentityError } from "./material.ts";
import { parseId } from "./spiffe.ts";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;

const ROOT_LIFE_MS = 10 * 365 * 24 * 3_600_000;
/** Clocks of two machines differ; a leaf that is not valid yet is refused. */
const BACKDATED_MS = 60_000;
const SERIAL_BYTES = 16;

export interface Leaf {
  readonly certificatePem: string;
  /** PKCS 8. */
  readonly privateKeyPem: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

export class Authority {
  readonly certificatePem: string;
  readonly trustDomain: string;
  readonly #certificate: X509Certificate;
  readonly #key: CryptoKey;

  private constructor(certificate: X509Certificate, key: CryptoKey, trustDomain: string) {
    this.#certificate = certificate;
    this.#key = key;
    this.certificatePem = pemOf(certificate);
    this.trustDomain = trustDomain;
  }

  /** A new root: its certificate and its key (PKCS 8) in one PEM text. Secret. */
  static async generate(trustDomain: string, nowMs: number): Promise<string> {
    const keys = await newKeys();
    const certificate = await X509CertificateGenerator.createSelfSigned({
      serialNumber: newSerial(),
      name: `CN=${trustDomain} mesh root`,
      keys,
      notBefore: new Date(nowMs - BACKDATED_MS),
      notAfter: new Date(nowMs + ROOT_LIFE_MS),
      signingAlgorithm: ALGORITHM,
      extensions: [
        new BasicConstraintsExtension(true, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
        new SubjectAlternativeNameExtension([{ type: "url", value: `spiffe://${trustDomain}` }]),
        await SubjectKeyIdentifierExtension.create(keys.publicKey),
      ],
    });
    return pemOf(certificate) + await keyPemOf(keys.privateKey);
  }

  /** Reads what `generate` made. Throws IdentityError where it is not that, or of another trust domain. */
  static async load(pem: string, trustDomain: string): Promise<Authority> {
    try {
      const certificate = new X509Certificate(blockOf(pem, "CERTIFICATE"));
      const der = PemConverter.decodeFirst(blockOf(pem, "PRIVATE KEY"));
      const key = await crypto.subtle.importKey("pkcs8", der, ALGORITHM, false, ["sign"]);
      await checkPair(certificate, key);
      const authority = new Authority(certificate, key, trustDomain);
      authority.#checkDomain();
      return authority;
    } catch (error) {
      if (error instanceof IdentityError) throw error;
      // What the library says may quote the key.
      throw new IdentityError("expected the certificate and the private key of a root, in PEM");
    }
  }

  #checkDomain(): void {
    const names = this.#certificate.getExtension(SubjectAlternativeNameExtension)?.names.items ??
      [];
    const uris = names.filter(({ type }) => type === "url").map(({ value }) => value);
    if (uris.length === 1 && uris[0] === `spiffe://${this.trustDomain}`) return;
    throw new IdentityError(`the root is of ${uris.join(", ")}, not of ${this.trustDomain}`);
  }

  /** A leaf for a workload of this trust domain, good for `lifeMs`. Throws IdentityError for any other id. */
  async issue(
    id: string,
    options: { readonly nowMs: number; readonly lifeMs: number },
  ): Promise<Leaf> {
    if (parseId(id)?.trustDomain !== this.trustDomain) {
      throw new IdentityError(`${JSON.stringify(id)} is no workload of ${this.trustDomain}`);
    }
    const keys = await newKeys();
    const notBefore = new Date(options.nowMs - BACKDATED_MS);
    const notAfter = new Date(
      Math.min(options.nowMs + options.lifeMs, this.#certificate.notAfter.getTime()),
    );
    const certificate = await X509CertificateGenerator.create({
      serialNumber: newSerial(),
      issuer: this.#certificate.subject,
      publicKey: keys.publicKey,
      signingKey: this.#key,
      notBefore,
      notAfter,
      signingAlgorithm: ALGORITHM,
      extensions: [
        new BasicConstraintsExtension(false, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
        new ExtendedKeyUsageExtension([ExtendedKeyUsage.clientAuth, ExtendedKeyUsage.serverAuth]),
        // Critical, as the certificate has no subject (RFC 5280, section 4.2.1.6).
        new SubjectAlternativeNameExtension([{ type: "url", value: id }], true),
        await AuthorityKeyIdentifierExtension.create(this.#certificate.publicKey),
      ],
    });
    return {
      certificatePem: pemOf(certificate),
      privateKeyPem: await keyPemOf(keys.privateKey),
      // The certificate holds whole seconds.
      notBeforeMs: certificate.notBefore.getTime(),
      notAfterMs: certificate.notAfter.getTime(),
    };
  }
}

async function checkPair(certificate: X509Certificate, key: CryptoKey): Promise<void> {
  const message = crypto.getRandomValues(new Uint8Array(32));
  const signature = await crypto.subtle.sign(ALGORITHM, key, message);
  const publicKey = await certificate.publicKey.export(ALGORITHM, ["verify"]);
  if (await crypto.subtle.verify(ALGORITHM, publicKey, signature, message)) return;
  throw new IdentityError("the private key is not that of the root's certificate");
}

function newKeys(): Promise<CryptoKeyPair> {
  return crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
}

/** Positive, and not to be guessed (RFC 5280, section 4.1.2.2). */
function newSerial(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(SERIAL_BYTES));
  bytes[0] = bytes[0]! & 0x7f | 0x40;
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function pemOf(certificate: X509Certificate): string {
  return `${certificate.toString("pem")}\n`;
}

async function keyPemOf(key: CryptoKey): Promise<string> {
  return `${PemConverter.encode(await crypto.subtle.exportKey("pkcs8", key), "PRIVATE KEY")}\n`;
}

/** The first block with this label, as PEM. */
function blockOf(pem: string, label: string): string {
  const start = pem.indexOf(`-----BEGIN ${label}-----`);
  const ending = `-----END ${label}-----`;
  const end = pem.indexOf(ending, start);
  if (start < 0 || end < 0) throw new IdentityError(`there is no ${label} in the PEM`);
  return pem.slice(start, end + ending.length);
}
