// The directory of an authority, which the sidecars of one machine and `sidecar ca` share. A root is replaced in three steps, with
// time for everybody to see each of them: the next is trusted, the next signs, the last is forgotten.
//
//   DIRECTORY/root.pem    certificate and private key of the root that signs
//   DIRECTORY/next.pem    the same of the next root, while it is only trusted
//   DIRECTORY/trust.pem   further roots that are trusted: the next one before it signs, the last one until its leaves are gone
import { Authority } from "./authority.ts";
import type { IdentityFiles } from "./files_io.ts";
import { IdentityError } from "./material.ts";
import { certificatesIn } from "./pem.ts";

export interface RootStoreOptions {
  readonly directory: string;
  readonly trustDomain: string;
  readonly files: IdentityFiles;
  /** Epoch milliseconds. */
  readonly epoch: () => number;
}

/** What there is to sign with and to trust. */
export interface Roots {
  readonly authority: Authority;
  /** One certificate each; the one that signs first. */
  readonly trustPem: readonly string[];
}

export class RootStore {
  readonly rootPath: string;
  readonly nextPath: string;
  readonly trustPath: string;
  readonly #options: RootStoreOptions;

  constructor(options: RootStoreOptions) {
    const { directory } = options;
    this.#options = options;
    this.rootPath = `${directory}/root.pem`;
    this.nextPath = `${directory}/next.pem`;
    this.trustPath = `${directory}/trust.pem`;
  }

  /** Makes the root where there is none; of many at once one makes it. False when there is one already. Rejects with IdentityError. */
  ensure(): Promise<boolean> {
    const { files } = this.#options;
    return this.#named(this.rootPath, async () => {
      if (await files.stamp(this.rootPath) !== null) return false;
      return await files.create(this.rootPath, await this.#generate());
    });
  }

  /** Rejects with IdentityError. */
  async load(): Promise<Roots> {
    const { trustDomain } = this.#options;
    const authority = await this.#named(
      this.rootPath,
      async () => await Authority.load(await this.#read(this.rootPath), trustDomain),
    );
    const further = certificatesIn(await this.#options.files.read(this.trustPath) ?? "");
    return { authority, trustPem: [authority.certificatePem, ...further] };
  }

  /** Changes with what `load` would return. */
  async stamps(): Promise<string> {
    const { files } = this.#options;
    return JSON.stringify([await files.stamp(this.rootPath), await files.stamp(this.trustPath)]);
  }

  /** First step of three: a next root that is trusted from now on and does not sign yet. Rejects with IdentityError. */
  async beginRoll(): Promise<void> {
    const { files } = this.#options;
    await this.load();
    if (await files.stamp(this.trustPath) !== null) {
      throw new IdentityError(`${this.trustPath}: a roll is under way already`);
    }
    const next = await this.#generate();
    if (!await files.create(this.nextPath, next)) {
      throw new IdentityError(`${this.nextPath}: a roll is under way already`);
    }
    await files.replace(this.trustPath, certificateOf(next));
  }

  /** Second step: the next root signs, and the last one is still trusted. Rejects with IdentityError. */
  async switchRoll(): Promise<void> {
    const { files, trustDomain } = this.#options;
    const { authority: last } = await this.load();
    const next = await this.#named(this.nextPath, async () => {
      const text = await this.#read(this.nextPath);
      await Authority.load(text, trustDomain);
      return text;
    });
    // Both are trusted at every moment in between.
    await files.replace(this.trustPath, last.certificatePem + certificateOf(next));
    await files.replace(this.rootPath, next);
    await files.replace(this.trustPath, last.certificatePem);
    await files.remove(this.nextPath);
  }

  /** Last step: the last root is trusted no more. Rejects with IdentityError. */
  async finishRoll(): Promise<void> {
    const { files } = this.#options;
    if (await files.stamp(this.nextPath) !== null) {
      throw new IdentityError(`${this.nextPath}: the next root does not sign yet`);
    }
    if (await files.stamp(this.trustPath) === null) {
      throw new IdentityError(`${this.trustPath}: no roll is under way`);
    }
    await files.remove(this.trustPath);
  }

  #generate(): Promise<string> {
    const { trustDomain, epoch } = this.#options;
    return Authority.generate(trustDomain, epoch());
  }

  async #read(path: string): Promise<string> {
    const text = await this.#options.files.read(path);
    if (text === null) throw new IdentityError("there is no such file");
    return text;
  }

  /** Whatever goes wrong with a file is told with its path. */
  async #named<T>(path: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      const what = error instanceof Error ? error.message : String(error);
      throw new IdentityError(`${path}: ${what}`);
    }
  }
}

function certificateOf(root: string): string {
  return `${certificatesIn(root)[0]}\n`;
}
