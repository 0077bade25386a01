// An identity from Consul's own authority (Connect). The agent keeps a leaf for each service that asks, renews it in time and says
// when roots change; names are the authority's: `spiffe://CLUSTER.consul/ns/NAMESPACE/dc/DATACENTER/svc/NAME`.
import { Backoff } from "../lib/backoff.ts";
import type { Clock } from "../lib/clock.ts";
import type { Logger } from "../telemetry/log.ts";
import { parseCertificateDer } from "./certificate_der.ts";
import type { ConnectAuthority, ConnectLeaf, ConnectRoots } from "./connect_authority.ts";
import { ConnectCache } from "./connect_cache.ts";
import type { IdentityFiles } from "./files_io.ts";
import { Followed } from "./followed.ts";
import { IdentityError, type IdentityMaterial, type IdentitySource } from "./material.ts";
import { certificatesIn, derOf } from "./pem.ts";
import { parseId } from "./spiffe.ts";

export interface ConsulConnectOptions {
  readonly authority: ConnectAuthority;
  readonly service: string;
  /** Where the last identity is kept, for a start while Consul is away. */
  readonly cacheFile: string;
  readonly files: IdentityFiles;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly log: Logger;
}

/** How long a start waits for an agent that may be starting too. */
const START_MS = 30_000;
const RETRY = { minMs: 250, maxMs: 2_000 };

interface Feeds {
  readonly leaf: Followed<ConnectLeaf>;
  readonly roots: Followed<ConnectRoots>;
}

export class ConsulConnect implements IdentitySource {
  readonly #options: ConsulConnectOptions;
  readonly #cache: ConnectCache;
  readonly #cut = new AbortController();
  #feeds: Feeds | undefined;
  #last: IdentityMaterial | undefined;
  #saving: Promise<void> = Promise.resolve();

  constructor(options: ConsulConnectOptions) {
    this.#options = options;
    this.#cache = new ConnectCache(options.cacheFile, options.files);
  }

  /** The first one is asked for; later ones have come by themselves, and where they do not, this says why. */
  async issue(): Promise<IdentityMaterial> {
    if (this.#feeds === undefined) return await this.#start();
    const next = this.#newest(this.#feeds);
    const { leaf, roots } = this.#feeds;
    const failure = leaf.failure ?? roots.failure;
    if (next === this.#last && failure !== undefined) throw new IdentityError(failure);
    this.#last = next;
    return next;
  }

  hasChanged(): Promise<boolean> {
    if (this.#feeds === undefined) return Promise.resolve(false);
    try {
      return Promise.resolve(this.#newest(this.#feeds) !== this.#last);
    } catch {
      // `issue` meets it too and says so.
      return Promise.resolve(true);
    }
  }

  async close(): Promise<void> {
    this.#cut.abort();
    this.#options.authority.close();
    await Promise.all([this.#feeds?.leaf.close(), this.#feeds?.roots.close()]);
    await this.#saving;
  }

  async #start(): Promise<IdentityMaterial> {
    const { authority, service, clock, random } = this.#options;
    const [leaf, roots] = await this.#first();
    const material = this.#material(leaf, roots);
    const follow = { clock, random, onAnswer: () => this.#save() };
    this.#feeds = {
      leaf: new Followed(leaf, (index, cut) => authority.leaf(service, index, cut), follow),
      roots: new Followed(roots, (index, cut) => authority.roots(index, cut), follow),
    };
    this.#last = material;
    if (leaf.index > 0) this.#save();
    return material;
  }

  /** From the agent; from the cache where it does not answer and what is there is good still. */
  async #first(): Promise<readonly [ConnectLeaf, ConnectRoots]> {
    const { authority, service, clock, random, log } = this.#options;
    const backoff = new Backoff({ ...RETRY, random });
    const endsAt = clock.now() + START_MS;
    let said = "";
    for (;;) {
      try {
        const { signal } = this.#cut;
        return await Promise.all([authority.leaf(service, 0, signal), authority.roots(0, signal)]);
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        const known = await this.#recall(reason);
        if (known !== undefined) return known;
        if (clock.now() >= endsAt) throw new IdentityError(reason);
        if (reason !== said) log.error("no identity from Consul yet, trying again", { reason });
        said = reason;
        await new Promise<void>((resolve) => clock.after(backoff.next(), resolve));
      }
    }
  }

  async #recall(reason: string): Promise<readonly [ConnectLeaf, ConnectRoots] | undefined> {
    const { log, cacheFile: file } = this.#options;
    const known = await this.#cache.recall();
    if (known === undefined) return undefined;
    try {
      this.#material(...known);
    } catch {
      return undefined; // expired, or for somebody else
    }
    log.warn("Consul gives no identity, the last one is used", { reason, file });
    return known;
  }

  /** The same object as last time where nothing is new. */
  #newest({ leaf, roots }: Feeds): IdentityMaterial {
    const next = this.#material(leaf.latest, roots.latest);
    return JSON.stringify(next) === JSON.stringify(this.#last) ? this.#last! : next;
  }

  #material(leaf: ConnectLeaf, { trustPem }: ConnectRoots): IdentityMaterial {
    const { service, clock } = this.#options;
    const { id, certificatePem, privateKeyPem } = leaf;
    if (parseId(id)?.service !== service) {
      throw new IdentityError(`Consul made a certificate for ${id} where ${service} was asked for`);
    }
    const [first] = certificatesIn(certificatePem);
    if (first === undefined) throw new IdentityError("there is no certificate in Consul's answer");
    const { notBeforeMs, notAfterMs } = parseCertificateDer(derOf(first));
    if (notAfterMs <= clock.epoch()) {
      throw new IdentityError(
        `Consul's certificate expired at ${new Date(notAfterMs).toISOString()}`,
      );
    }
    return { id, certificatePem, privateKeyPem, trustPem, notBeforeMs, notAfterMs };
  }

  #save(): void {
    const { leaf, roots } = this.#feeds!;
    const save = () => this.#cache.keep(leaf.latest, roots.latest);
    this.#saving = this.#saving.then(save).catch((error) =>
      this.#options.log.warn("the identity cannot be kept for the next start", { error })
    );
  }
}
