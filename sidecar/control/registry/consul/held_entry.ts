// The entry of one instance at the agent: registered, looked after, given up to a newer holder, taken out.
import { Backoff } from "../../../lib/backoff.ts";
import type { Clock } from "../../../lib/clock.ts";
import type { Logger } from "../../../telemetry/log.ts";
import { LatestRun } from "../../latest_run.ts";
import { Trouble } from "../../trouble.ts";
import type { Instance } from "../registry.ts";
import type { AgentEntry, CheckDocument, ConsulApi } from "./api.ts";
import { entryDocument, goDuration, type Holder, holderOf } from "./entries.ts";

/** How the agent learns that the instance lives. */
export type EntryCheck =
  /** It asks by GET. */
  | { readonly kind: "http"; readonly url: string; readonly timeoutMs: number }
  /** We tell it, three times in the interval. */
  | { readonly kind: "ttl" };

export interface HeldEntryOptions {
  readonly api: Pick<ConsulApi, "register" | "deregister" | "entry" | "pass">;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  /** Tells this process from any other that ever ran. */
  readonly nonce: string;
  readonly check: EntryCheck;
  readonly intervalMs: number;
  readonly deregisterAfterMs: number;
}

/** Between two looks at the entry, give or take a fifth: what is lost is back within ten seconds even if one look fails. */
const LOOK_MS = 4000;
const RETRY = { minMs: 250, maxMs: LOOK_MS };

/**
 * holding --newer live rival--> yielding --rival gone or critical--> holding; both --stop--> stopped.
 * A holder repairs the entry; a yielding one only looks.
 */
type State = "holding" | "yielding" | "stopped";

/** No method throws: what fails is logged once and tried again. */
export class HeldEntry {
  readonly #instance: Instance;
  readonly #options: HeldEntryOptions;
  readonly #backoff: Backoff;
  readonly #trouble: Trouble;
  readonly #looks = new LatestRun(() => this.#look());
  #state: State = "holding";
  #isKnown = false;
  #isUnreachable = false;
  #since: number | undefined;
  /** Nonces that were complained about. */
  readonly #rivals = new Set<string>();
  #next: Disposable | undefined;
  #heartbeat: Disposable | undefined;
  #withdrawal: Promise<void> | undefined;

  constructor(instance: Instance, options: HeldEntryOptions) {
    this.#instance = instance;
    this.#options = options;
    this.#backoff = new Backoff({ ...RETRY, random: options.random });
    this.#trouble = new Trouble(options.log, "registering in Consul", { instance: instance.id });
  }

  /** Whether the entry at the agent is ours, as far as we know. */
  get isKnown(): boolean {
    return this.#isKnown;
  }

  /** Resolves after the first try, whether or not it worked. */
  async start(): Promise<void> {
    if (this.#state === "stopped") return;
    const { check, clock, intervalMs } = this.#options;
    if (check.kind === "ttl") {
      this.#heartbeat = clock.every(intervalMs / 3, () => void this.#beat());
    }
    await this.#looks.run();
  }

  /** Ends looking and leaves the entry to its check, or to the next registration of the same id. */
  async stop(): Promise<void> {
    this.#state = "stopped";
    this.#next?.[Symbol.dispose]();
    this.#heartbeat?.[Symbol.dispose]();
    await this.#looks.idle();
    await this.#withdrawal;
  }

  /** Ends looking and takes the entry out, unless it has become somebody else's. */
  withdraw(): Promise<void> {
    this.#withdrawal ??= this.#remove();
    return this.#withdrawal;
  }

  async #remove(): Promise<void> {
    this.#state = "stopped";
    this.#next?.[Symbol.dispose]();
    this.#heartbeat?.[Symbol.dispose]();
    await this.#looks.idle();
    const { api, log, nonce } = this.#options;
    const { id } = this.#instance;
    try {
      const found = await api.entry(id);
      if (found !== null && holderOf(found.meta).nonce === nonce) await api.deregister(id);
    } catch (error) {
      log.error("an instance could not be taken out of Consul", { instance: id, error });
    }
    this.#isKnown = false;
  }

  /** A look that failed leaves the heartbeat to go on: the agent may answer one and not the other. */
  async #beat(): Promise<void> {
    if (this.#state !== "holding" || !this.#isKnown) return;
    try {
      await this.#options.api.pass(this.#instance.id);
    } catch {
      void this.#looks.run(); // finds out what is wrong, and says so
    }
  }

  async #look(): Promise<void> {
    if (this.#state === "stopped") return;
    this.#next?.[Symbol.dispose]();
    const waitMs = await this.#settle();
    if (this.#isStopped()) return;
    this.#next = this.#options.clock.after(waitMs, () => void this.#looks.run());
  }

  /** Resolves to how long to wait before the next look. */
  async #settle(): Promise<number> {
    const { api, random } = this.#options;
    try {
      const found = await api.entry(this.#instance.id);
      if (this.#isStopped()) return 0;
      if (this.#mustWrite(found)) await this.#write(found);
      else this.#checkHealth(found);
      this.#trouble.worked();
      this.#backoff.reset();
      return LOOK_MS * (0.8 + 0.4 * random());
    } catch (error) {
      this.#trouble.failed(error);
      return this.#backoff.next();
    }
  }

  #isStopped(): boolean {
    return this.#state === "stopped";
  }

  #mustWrite(found: AgentEntry | null): boolean {
    const holder = found === null ? undefined : holderOf(found.meta);
    if (holder?.nonce === this.#options.nonce && this.#since !== undefined) {
      this.#isKnown = true;
      this.#state = "holding";
      return false;
    }
    const mustYield = found !== null && holder !== undefined && !found.isCritical &&
      this.#since !== undefined && this.#isNewer(holder, this.#since);
    if (mustYield) this.#yield(found, holder);
    else this.#hold(found, holder);
    return !mustYield;
  }

  #yield(found: AgentEntry, holder: Holder): void {
    this.#isKnown = false;
    if (this.#state === "yielding") return;
    this.#state = "yielding";
    this.#complain("this instance id was taken over by a newer process", found, holder);
  }

  #hold(found: AgentEntry | null, holder: Holder | undefined): void {
    const { log } = this.#options;
    const instance = this.#instance.id;
    if (this.#state === "yielding") {
      this.#state = "holding";
      this.#since = undefined;
      log.info("this instance id is ours again", { instance });
    } else if (
      found !== null && holder !== undefined && !found.isCritical && this.#isRival(found)
    ) {
      this.#complain(
        "this instance id is held by another process and is taken over",
        found,
        holder,
      );
    } else if (found === null && this.#isKnown) {
      log.warn("our entry in Consul was gone, registering again", { instance });
    }
    this.#isKnown = false;
  }

  /** At our own address nobody but an earlier run of us can have listened. */
  #isRival({ address, meta }: AgentEntry): boolean {
    return holderOf(meta).nonce !== this.#options.nonce && address !== addressOf(this.#instance);
  }

  #isNewer(holder: Holder, since: number): boolean {
    return holder.since === since ? holder.nonce > this.#options.nonce : holder.since > since;
  }

  async #write(found: AgentEntry | null): Promise<void> {
    const { api, clock, nonce, deregisterAfterMs } = this.#options;
    const theirs = found === null ? 0 : holderOf(found.meta).since;
    this.#since ??= Math.max(clock.epoch(), theirs + 1);
    await api.register(entryDocument(this.#instance, {
      holder: { nonce, since: this.#since },
      check: this.#checkDocument(),
      deregisterAfterMs,
    }));
    this.#isKnown = true;
  }

  #checkDocument(): CheckDocument {
    const { check, intervalMs } = this.#options;
    if (check.kind === "ttl") return { ttl: goDuration(intervalMs) };
    const { url, timeoutMs } = check;
    return { http: url, interval: goDuration(intervalMs), timeout: goDuration(timeoutMs) };
  }

  /** We are registered only while the app is well: a check that fails all the same did not get through to us. */
  #checkHealth(found: AgentEntry | null): void {
    const isCritical = this.#state === "holding" && found !== null && found.isCritical;
    if (isCritical && !this.#isUnreachable) {
      this.#options.log.warn("Consul's check of this instance fails, so nobody calls it", {
        instance: this.#instance.id,
        detail: found.detail,
      });
    }
    this.#isUnreachable = isCritical;
  }

  #complain(message: string, found: AgentEntry, { nonce }: Holder): void {
    if (this.#rivals.has(nonce)) return;
    this.#rivals.add(nonce);
    const { id, service } = this.#instance;
    const ours = addressOf(this.#instance);
    this.#options.log.error(message, { instance: id, service, ours, theirs: found.address });
  }
}

function addressOf({ host, port }: Instance): string {
  return `${host}:${port}`;
}
