// One generation of what a sidecar shows and trusts, checked before it is used: the TLS engine takes garbage and keys that do not
// match without a word, and every handshake fails from then on.
import { createPrivateKey, type KeyObject } from "node:crypto";
import { createSecureContext, type SecureContext } from "node:tls";
import { type Certificate, parseCertificates } from "./certificate.ts";

/** PEM as sources of identities have it. */
export interface TlsMaterial {
  /** The SPIFFE id that the leaf must bear. */
  readonly id: string;
  /** Leaf first, then intermediates. */
  readonly certificatePem: string;
  readonly privateKeyPem: string;
  /** Roots, one certificate each. */
  readonly trustPem: readonly string[];
}

/** Material that cannot be used; the message says why and holds no secret. */
export class TlsMaterialError extends Error {
  override readonly name = "TlsMaterialError";
}

/** The contexts are made once and shared by all connections of the generation: a context each costs 0.8 ms and memory. */
export class TlsIdentity {
  readonly id: string;
  readonly trustDomain: string;
  readonly roots: readonly Certificate[];
  readonly serverContext: SecureContext;
  readonly clientContext: SecureContext;

  /** Throws TlsMaterialError. */
  constructor(material: TlsMaterial) {
    const { id, certificatePem, privateKeyPem } = material;
    const leaf = checkPair(certificatePem, privateKeyPem);
    const { uris } = leaf;
    if (uris.length !== 1 || uris[0] !== id) {
      throw new TlsMaterialError(`the certificate is not for ${id} alone: ${JSON.stringify(uris)}`);
    }
    this.id = id;
    this.trustDomain = trustDomainOf(id);
    this.roots = material.trustPem.flatMap(parseRoots);
    if (this.roots.length === 0) throw new TlsMaterialError("there is no root to trust");
    const context = { cert: certificatePem, key: privateKeyPem, ca: [...material.trustPem] };
    this.serverContext = createSecureContext({ ...context, minVersion: "TLSv1.3" });
    this.clientContext = createSecureContext({ ...context, minVersion: "TLSv1.3" });
  }
}

/** The leaf, when everything parses and the key is the leaf's. Throws TlsMaterialError. */
export function checkPair(certificatePem: string, privateKeyPem: string): Certificate {
  const [leaf] = parse("certificate", certificatePem);
  if (leaf === undefined) throw new TlsMaterialError("certificate: there is none in the PEM");
  if (!leaf.x509.checkPrivateKey(parseKey(privateKeyPem))) {
    throw new TlsMaterialError("the private key is not that of the certificate");
  }
  return leaf;
}

/** Authorities to trust. Throws TlsMaterialError. */
export function parseRoots(pem: string): Certificate[] {
  const roots = parse("trust", pem);
  if (roots.length === 0) throw new TlsMaterialError("trust: there is no certificate in the PEM");
  for (const { isAuthority, unknownCritical, x509: { subject } } of roots) {
    if (!isAuthority) throw new TlsMaterialError(`trust: ${subject} is not an authority`);
    if (unknownCritical !== undefined) {
      throw new TlsMaterialError(
        `trust: ${subject} has a critical extension that is not supported: ${unknownCritical}`,
      );
    }
  }
  return roots;
}

function parse(what: string, pem: string): Certificate[] {
  try {
    return parseCertificates(pem);
  } catch (error) {
    throw new TlsMaterialError(`${what}: ${error instanceof Error ? error.message : error}`);
  }
}

/** Of what fails in a key, nothing is told: it is a secret. */
function parseKey(pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    throw new TlsMaterialError("the private key cannot be read: PEM of PKCS 8 is expected");
  }
}

function trustDomainOf(id: string): string {
  const domain = /^spiffe:\/\/([^/]+)\//.exec(id)?.[1];
  if (domain === undefined) throw new TlsMaterialError(`${id} is no SPIFFE id`);
  return domain;
}
