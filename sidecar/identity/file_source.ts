// An identity from PEM files that somebody else keeps fresh (cert-manager, Vault, SPIRE's helper, `sidecar ca issue`). Links are
// followed, so that a directory which is exchanged as a whole, as Kubernetes does it, is one change.
import { parseCertificateDer } from "./certificate_der.ts";
import type { IdentityFiles } from "./files_io.ts";
import { IdentityError, type IdentityMaterial, type IdentitySource } from "./material.ts";
import { certificatesIn, derOf } from "./pem.ts";
import { formatId, type Workload } from "./spiffe.ts";

/** Paths. */
export interface IdentityPaths {
  /** Leaf first, then intermediates. */
  readonly certificate: string;
  readonly key: string;
  /** One root or several. */
  readonly trustBundle: string;
}

export interface FileSourceOptions {
  readonly paths: IdentityPaths;
  readonly workload: Workload;
  readonly files: IdentityFiles;
  /** Epoch milliseconds. */
  readonly epoch: () => number;
}

/** Files that are being written are read again, so often at once; then it is for the next look. */
const READS = 3;

export class FileSource implements IdentitySource {
  readonly #options: FileSourceOptions;
  #stamps = "";
  #last: IdentityMaterial | undefined;

  constructor(options: FileSourceOptions) {
    this.#options = options;
  }

  /** The same object as last time where the files say the same. */
  async issue(): Promise<IdentityMaterial> {
    const { stamps, texts } = await this.#readSet();
    const next = this.#material(texts);
    const isSame = JSON.stringify(next) === JSON.stringify(this.#last);
    this.#stamps = stamps;
    if (!isSame || this.#last === undefined) this.#last = next;
    return this.#last;
  }

  async hasChanged(): Promise<boolean> {
    try {
      return await this.#readStamps() !== this.#stamps;
    } catch {
      // Whatever is the matter, `issue` meets it too and says so.
      return true;
    }
  }

  /** All three as they stood at one moment. */
  async #readSet(): Promise<{ readonly stamps: string; readonly texts: IdentityPaths }> {
    const { paths: { certificate, key, trustBundle } } = this.#options;
    for (let read = 0; read < READS; read++) {
      const stamps = await this.#readStamps();
      const texts = {
        certificate: await this.#read(certificate),
        key: await this.#read(key),
        trustBundle: await this.#read(trustBundle),
      };
      if (await this.#readStamps() === stamps) return { stamps, texts };
    }
    throw new IdentityError(`${certificate}: still being written`);
  }

  #material({ certificate, key, trustBundle }: IdentityPaths): IdentityMaterial {
    const { paths, workload, epoch } = this.#options;
    const { notBeforeMs, notAfterMs } = datesOf(certificate, paths.certificate);
    const now = epoch();
    if (notAfterMs <= now) throw new IdentityError(`${paths.certificate}: ${expired(notAfterMs)}`);
    if (notBeforeMs > now) {
      throw new IdentityError(
        `${paths.certificate}: not valid before ${new Date(notBeforeMs).toISOString()}`,
      );
    }
    const trustPem = certificatesIn(trustBundle);
    if (trustPem.length === 0) {
      throw new IdentityError(`${paths.trustBundle}: there is no certificate in it`);
    }
    return {
      id: formatId(workload),
      certificatePem: certificate,
      privateKeyPem: key,
      trustPem,
      notBeforeMs,
      notAfterMs,
    };
  }

  async #read(path: string): Promise<string> {
    const text = await named(path, () => this.#options.files.read(path));
    if (text === null) throw new IdentityError(`${path}: there is no such file`);
    return text;
  }

  async #readStamps(): Promise<string> {
    const { files, paths: { certificate, key, trustBundle } } = this.#options;
    const stamps = [certificate, key, trustBundle].map((path) =>
      named(path, () => files.stamp(path))
    );
    return JSON.stringify(await Promise.all(stamps));
  }
}

function datesOf(pem: string, path: string) {
  const [leaf] = certificatesIn(pem);
  if (leaf === undefined) throw new IdentityError(`${path}: there is no certificate in it`);
  try {
    return parseCertificateDer(derOf(leaf));
  } catch {
    throw new IdentityError(`${path}: its first certificate cannot be read`);
  }
}

function expired(notAfterMs: number): string {
  return `expired at ${new Date(notAfterMs).toISOString()}`;
}

/** What the system says of a file, with the file. */
async function named<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new IdentityError(`${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
