// Identities from an authority in a directory that the sidecars of one machine share: the first one there makes the root.
//
//   DIRECTORY/root.pem    certificate and private key of the root that signs
//   DIRECTORY/trust.pem   further roots that are trusted: the next one before it signs, the last one until its leaves are gone
import { Authority } from "./authority.ts";
import type { IdentityFiles } from "./files_io.ts";
import { IdentityError, type IdentityMaterial, type IdentitySource } from "./material.ts";
import { formatId, type Workload } from "./spiffe.ts";

export interface SelfSignedOptions {
  readonly directory: string;
  readonly workload: Workload;
  /** How long a leaf is good. */
  readonly lifeMs: number;
  readonly files: IdentityFiles;
  /** Epoch milliseconds. */
  readonly epoch: () => number;
}

export class SelfSigned implements IdentitySource {
  readonly #options: SelfSignedOptions;
  readonly #rootPath: string;
  readonly #trustPath: string;
  #stamps = "";

  constructor(options: SelfSignedOptions) {
    this.#options = options;
    this.#rootPath = `${options.directory}/root.pem`;
    this.#trustPath = `${options.directory}/trust.pem`;
  }

  async issue(): Promise<IdentityMaterial> {
    const { workload, lifeMs, epoch, files } = this.#options;
    await this.#ensureRoot();
    // Before what is read: a change in between is seen again, and not missed.
    const stamps = await this.#readStamps();
    const authority = await this.#authority();
    const further = certificatesIn(await files.read(this.#trustPath) ?? "");
    const id = formatId(workload);
    const leaf = await authority.issue(id, { nowMs: epoch(), lifeMs });
    this.#stamps = stamps;
    return { ...leaf, id, trustPem: [authority.certificatePem, ...further] };
  }

  async hasChanged(): Promise<boolean> {
    try {
      return await this.#readStamps() !== this.#stamps;
    } catch {
      // Whatever is the matter, `issue` meets it too and says so.
      return true;
    }
  }

  /** Of many at once one makes it; the others find it there. */
  async #ensureRoot(): Promise<void> {
    const { files, workload: { trustDomain }, epoch } = this.#options;
    await this.#named(async () => {
      if (await files.stamp(this.#rootPath) !== null) return;
      await files.create(this.#rootPath, await Authority.generate(trustDomain, epoch()));
    });
  }

  #authority(): Promise<Authority> {
    const { files, workload: { trustDomain } } = this.#options;
    return this.#named(async () =>
      await Authority.load(await files.read(this.#rootPath) ?? "", trustDomain)
    );
  }

  /** Whatever goes wrong with the root is told with its path. */
  async #named<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      const what = error instanceof Error ? error.message : String(error);
      throw new IdentityError(`${this.#rootPath}: ${what}`);
    }
  }

  async #readStamps(): Promise<string> {
    const { files } = this.#options;
    return JSON.stringify([
      await files.stamp(this.#rootPath),
      await files.stamp(this.#trustPath),
    ]);
  }
}

function certificatesIn(pem: string): string[] {
  return pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
}
