// The policy in etcd: PREFIX/policy/SERVICE over PREFIX/policy/_default; while one is on trial here, PREFIX/canary/SERVICE.
import type { Policy } from "../../config/bootstrap.ts";

import {
  canaryKey,
  canaryOf,
  DEFAULT_POLICY,
  type InstanceStatus,
  policyKey,
  revisionOf,
  statusKey,
  type Traffic,
} from "../../etcd/layout.ts";
import type { EtcdStore, OpenEtcd, Reading } from "../../etcd/store.ts";
import type { Clock } from "../../lib/clock.ts";
import type { Logger } from "../../telemetry/log.ts";
import { LatestRun } from "../latest_run.ts";
import { Trouble } from "../trouble.ts";
import { fileError, refusalOf } from "./document.ts";
import type { Documents, LastGood } from "./last_good.ts";
import type { PolicyListener, PolicySource } from "./source.ts";

export interface EtcdPolicySourceOptions {
  readonly open: OpenEtcd;
  readonly prefix: string;
  readonly service: string;
  /** Id of this instance. */
  readonly instance: string;
  /** What became of requests here. */
  readonly traffic: () => Traffic;
  /** Rejects with ConfigError for documents that do not validate, with any other error for what cannot be put into force here. */
  readonly parse: (documents: Documents) => Promise<Policy>;
  readonly lastGood: LastGood;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
}

/** How long a start waits for etcd before it goes on with what is on disk. */
const START_MS = 3000;
/**
 * Changes come by watching. This often etcd is asked all the same: it renews the lease of the status, and a watch that a
 * network has swallowed is found out.
 */
const POLL_MS = 2000;
/** Each wait is up to this part shorter or longer, so that a thousand sidecars do not ask at once. */
const JITTER = 0.25;

/**
 * Reads, then watches from the revision read. A change only says that it is time to read: what is in force is always
 * one whole state of etcd, whatever was missed between. One job at a time; failures keep what is in force.
 */
export class EtcdPolicySource implements PolicySource {
  readonly #options: EtcdPolicySourceOptions;
  readonly #trouble: Trouble;
  readonly #statusTrouble: Trouble;
  readonly #syncs = new LatestRun(() => this.#sync());
  readonly #keys: readonly string[];
  readonly #statusKey: string;
  readonly #first = Promise.withResolvers<void>();
  #listener: PolicyListener | undefined;
  #store: EtcdStore | undefined;
  #watch: Disposable | undefined;
  #poll: Disposable | undefined;
  #judged: string | undefined;
  #hasHeard = false;
  #status: InstanceStatus | undefined;
  /** Whether etcd holds that status. */
  #isAnnounced = false;
  /** Somebody compares what becomes of requests at the instances of this service. */
  #isCompared = false;

  constructor(options: EtcdPolicySourceOptions) {
    const { log, prefix, service, instance } = options;
    this.#options = options;
    this.#trouble = new Trouble(log, "reading the policy from etcd", { prefix });
    this.#statusTrouble = new Trouble(log, "writing the status to etcd", { prefix });
    const names = [DEFAULT_POLICY, service];
    this.#keys = [...names.map((name) => policyKey(prefix, name)), canaryKey(prefix, service)];
    this.#statusKey = statusKey(prefix, service, instance);
  }

  async start(listener: PolicyListener): Promise<void> {
    this.#listener = listener;
    const { clock } = this.#options;
    void this.#syncs.run();
    using _limit = clock.after(START_MS, () => this.#first.resolve());
    await this.#first.promise;
    if (this.#judged === undefined) await this.#recall();
    this.#schedule();
  }

  async close(): Promise<void> {
    this.#listener = undefined;
    this.#poll?.[Symbol.dispose]();
    if (!this.#isAnnounced) this.#disconnect(); // nobody waits for an etcd that is away
    await this.#syncs.idle();
    await this.#store?.withdraw().catch(() => {}); // the lease ends it soon
    this.#disconnect();
  }

  #schedule(): void {
    const { clock, random } = this.#options;
    const wait = POLL_MS * (1 + JITTER * (2 * random() - 1));
    this.#poll = clock.after(wait, async () => {
      await this.#syncs.run();
      if (this.#listener !== undefined) this.#schedule();
    });
  }

  /** Begins with the last run's policy; what etcd has said meanwhile goes first. */
  async #recall(): Promise<void> {
    const { lastGood, log, prefix } = this.#options;
    const documents = await lastGood.recall();
    if (this.#judged !== undefined) return;
    if (documents === undefined) {
      const error = fileError(prefix, "etcd has not answered; the policy defaults apply");
      return this.#listener?.problem({ revision: "missing", error });
    }
    log.warn("etcd has not answered, starting with the last good policy", {
      revision: documents.revision,
    });
    await this.#judge(documents);
    this.#judged = undefined; // etcd has the last word
  }

  async #sync(): Promise<void> {
    if (this.#listener === undefined) return;
    try {
      const store = this.#store ??= await this.#options.open();
      const reading = await store.read(this.#keys);
      const { documents, isOnTrial } = this.#documentsOf(reading);
      this.#isCompared = reading.values[2] !== undefined;
      this.#trouble.worked();
      if (documents.revision !== this.#judged) {
        const wasMissed = this.#watch !== undefined && !this.#hasHeard;
        const isAccepted = await this.#judge(documents);
        if (isAccepted && !isOnTrial) await this.#options.lastGood.remember(documents);
        if (wasMissed) return this.#startOver();
      }
      this.#hasHeard = false;
      this.#watch ??= this.#watchFrom(store, reading.revision);
    } catch (error) {
      this.#trouble.failed(error);
      return this.#disconnect();
    } finally {
      if (this.#judged !== undefined) this.#first.resolve();
    }
    await this.#announce();
  }

  #watchFrom(store: EtcdStore, revision: number): Disposable {
    return store.watch(this.#keys, revision, {
      changed: () => {
        this.#hasHeard = true;
        void this.#syncs.run();
      },
      ended: (error) => {
        this.#options.log.debug("a watch of etcd ended, reading anew", { error });
        this.#watch = undefined;
        void this.#syncs.run();
      },
    });
  }

  /** A change that only the poll has seen: the watch hangs on a member that is cut off. */
  #startOver(): void {
    this.#disconnect();
    void this.#syncs.run();
  }

  /** True where it is in force now. */
  async #judge(documents: Documents): Promise<boolean> {
    const { parse, prefix } = this.#options;
    const { revision } = documents;
    this.#judged = revision;
    let policy: Policy;
    try {
      policy = await parse(documents);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      const refusal = refusalOf(error, prefix);
      this.#tell((listener) => listener.problem({ revision, error: refusal }));
      this.#setStatus(revision, message);
      return false;
    }
    this.#tell((listener) => listener.update({ revision, policy }));
    this.#setStatus(revision, null);
    return true;
  }

  #setStatus(revision: string, error: string | null): void {
    const since = new Date(this.#options.clock.epoch()).toISOString();
    this.#status = { revision, accepted: error === null, error, since };
    this.#isAnnounced = false;
  }

  /** A status that cannot be written is written at the next poll. */
  async #announce(): Promise<void> {
    const store = this.#store;
    if (store === undefined || this.#status === undefined) return;
    try {
      const traffic = this.#isCompared ? { traffic: this.#options.traffic() } : {};
      const status: InstanceStatus = { ...this.#status, ...traffic };
      if (this.#isAnnounced && !this.#isCompared) await store.renew();
      else await store.announce(this.#statusKey, JSON.stringify(status));
      this.#isAnnounced = true;
      this.#statusTrouble.worked();
    } catch (error) {
      this.#isAnnounced = false;
      this.#statusTrouble.failed(error);
    }
  }

  #disconnect(): void {
    this.#watch?.[Symbol.dispose]();
    this.#watch = undefined;
    this.#store?.close();
    this.#store = undefined;
    this.#isAnnounced = false;
  }

  /** What a listener throws is its own bug and must not stop the source. */
  #tell(call: (listener: PolicyListener) => void): void {
    if (this.#listener === undefined) return;
    try {
      call(this.#listener);
    } catch (error) {
      this.#options.log.error("a listener of policy threw", { error });
    }
  }

  #documentsOf({ values: [base, stored, trial] }: Reading): {
    readonly documents: Documents;
    readonly isOnTrial: boolean;
  } {
    const canary = trial && canaryOf(trial.text);
    const isOnTrial = canary?.instances.includes(this.#options.instance) === true;
    const own = isOnTrial ? { text: canary.text, revision: trial!.revision } : stored;
    const revision = revisionOf(base?.revision ?? 0, own?.revision ?? 0);
    return { documents: { revision, base: base?.text, own: own?.text }, isOnTrial };
  }
}
