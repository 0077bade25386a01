// The certificates of an edge: which one answers for which name, checked whole before any of it is used.
import { createSecureContext, type SecureContext } from "node:tls";
import { dnsSansOf } from "../identity/uri_san.ts";
import type { Certificate } from "./certificate.ts";
import { checkPair, parseRoots, TlsMaterialError } from "./tls_identity.ts";

export interface EdgeCertificate {
  /** Leaf first, then intermediates. */
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

export interface EdgeTlsMaterial {
  /** Each answers for the DNS names it bears; the first one also for all others. */
  readonly certificates: readonly EdgeCertificate[];
  /** Absent: clients are not asked for a certificate. */
  readonly clients?: {
    /** Authorities whose clients are let in. */
    readonly trustPem: readonly string[];
    /** A client without a certificate is refused. */
    readonly isRequired: boolean;
  };
}

/** One generation of it. */
export class EdgeCertificates {
  readonly defaultContext: SecureContext;
  /** Undefined: clients are not asked. */
  readonly clientRoots: readonly Certificate[] | undefined;
  readonly isClientRequired: boolean;
  readonly #byName = new Map<string, SecureContext>();

  /** Throws TlsMaterialError. */
  constructor({ certificates, clients }: EdgeTlsMaterial) {
    this.clientRoots = clients?.trustPem.flatMap(parseRoots);
    if (this.clientRoots?.length === 0) throw new TlsMaterialError("there is no root for clients");
    this.isClientRequired = clients?.isRequired ?? false;
    const contexts = certificates.map((certificate) => this.#add(certificate, clients?.trustPem));
    const [first] = contexts;
    if (first === undefined) throw new TlsMaterialError("there is no certificate");
    this.defaultContext = first;
  }

  /** The certificate for a name that a client asks for. */
  contextFor(serverName: string): SecureContext {
    const name = serverName.toLowerCase();
    // A wildcard stands for exactly one label (RFC 6125, section 6.4.3).
    const dot = name.indexOf(".");
    return this.#byName.get(name) ??
      (dot > 0 ? this.#byName.get(`*${name.slice(dot)}`) : undefined) ?? this.defaultContext;
  }

  #add(certificate: EdgeCertificate, trustPem: readonly string[] | undefined): SecureContext {
    const { certificatePem, privateKeyPem } = certificate;
    const leaf = checkPair(certificatePem, privateKeyPem);
    const context = createSecureContext({
      cert: certificatePem,
      key: privateKeyPem,
      minVersion: "TLSv1.2",
      ...trustPem !== undefined && { ca: [...trustPem] },
    });
    for (const name of dnsSansOf(leaf.der)) {
      const key = name.toLowerCase();
      if (!this.#byName.has(key)) this.#byName.set(key, context);
    }
    return context;
  }
}
