// Identities from an authority in a directory that the sidecars of one machine share: the first one there makes the root.
import type { IdentityMaterial, IdentitySource } from "./material.ts";
import { RootStore, type RootStoreOptions } from "./root_store.ts";
import { formatId, type Workload } from "./spiffe.ts";

export interface SelfSignedOptions extends Omit<RootStoreOptions, "trustDomain"> {
  readonly workload: Workload;
  /** How long a leaf is good. */
  readonly lifeMs: number;
}

export class SelfSigned implements IdentitySource {
  readonly #options: SelfSignedOptions;
  readonly #store: RootStore;
  #stamps = "";

  constructor(options: SelfSignedOptions) {
    this.#options = options;
    this.#store = new RootStore({ ...options, trustDomain: options.workload.trustDomain });
  }

  async issue(): Promise<IdentityMaterial> {
    const { workload, lifeMs, epoch } = this.#options;
    await this.#store.ensure();
    // Before what is read: a change in between is seen again, and not missed.
    const stamps = await this.#store.stamps();
    const { authority, trustPem } = await this.#store.load();
    const id = formatId(workload);
    const leaf = await authority.issue(id, { nowMs: epoch(), lifeMs });
    this.#stamps = stamps;
    return { ...leaf, id, trustPem };
  }

  async hasChanged(): Promise<boolean> {
    try {
      return await this.#store.stamps() !== this.#stamps;
    } catch {
      // Whatever is the matter, `issue` meets it too and says so.
      return true;
    }
  }
}
