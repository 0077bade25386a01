// Keys that an identity provider publishes at a URL. They are fetched ahead of their time, the last good ones are kept
// whatever the provider does, and a name that is not among them makes us ask again, but not often.
import { Backoff } from "../../lib/backoff.ts";
import type { Clock } from "../../lib/clock.ts";
import type { Algorithm } from "../../lib/jwk.ts";
import { LruMap } from "../../lib/lru.ts";
import { TokenBucket } from "../../lib/token_bucket.ts";
import type { Logger } from "../../telemetry/log.ts";
import { KeySet } from "./key_set.ts";
import type { KeySource, OnKeysChanged, Sought } from "./key_source.ts";

/** A JSON document and how long its server says that it stays good. */
export interface FetchedJson {
  readonly value: unknown;
  readonly maxAgeMs: number | undefined;
}

/** Rejects with a plain message when there is none to be had; bounds size and time itself. */
export type FetchJson = (url: string, signal: AbortSignal) => Promise<FetchedJson>;

export interface RemoteKeysOptions {
  readonly url: string;
  readonly algorithms?: readonly Algorithm[] | undefined;
  readonly fetchJson: FetchJson;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly log: Logger;
  readonly onChanged: OnKeysChanged;
}

/** What servers say is kept within these: a key that was withdrawn must go, and a provider is not ours to hammer. */
const MIN_AGE_MS = 60_000;
const MAX_AGE_MS = 3_600_000;
/** For a server that says nothing. */
const DEFAULT_AGE_MS = 600_000;
/** Renewed at this part of the age, less up to a tenth at random, so that many sidecars do not come together. */
const RENEW_AT = 0.8;
const JITTER = 0.1;
/** Fetches that unknown names cause: anybody can make names up, and a provider may rotate twice in a row. */
const SEEKS = { tokensPerMs: 1 / 5_000, burst: 3 };
/** How long a name stays known not to be there. */
const ABSENT_MS = 10_000;
const MAX_ABSENT = 1_000;
const RETRY = { minMs: 500, maxMs: 30_000 };

export class RemoteKeys implements KeySource {
  readonly name: string;
  readonly #options: RemoteKeysOptions;
  readonly #retry: Backoff;
  readonly #abort = new AbortController();
  /** Until when a name is known to be absent. */
  readonly #absent = new LruMap<string, number>(MAX_ABSENT);
  #current: KeySet | undefined;
  #fetch: Promise<boolean> | undefined;
  /** Fetches so far. */
  #begun = 0;
  #timer: Disposable | undefined;
  readonly #seeks: TokenBucket;
  #fetchedAt: number | undefined;
  #failures = 0;

  /** Begins to fetch at once. */
  constructor(options: RemoteKeysOptions) {
    // Providers take keys of their own in the query.
    this.name = options.url.replace(/\?.*/, "");
    this.#options = options;
    this.#seeks = new TokenBucket(SEEKS, options.clock.now());
    this.#retry = new Backoff({ ...RETRY, random: options.random });
    void this.#renew();
  }

  get current(): KeySet | undefined {
    return this.#current;
  }

  get failures(): number {
    return this.#failures;
  }

  get ageMs(): number | undefined {
    return this.#fetchedAt === undefined ? undefined : this.#options.clock.now() - this.#fetchedAt;
  }

  async seek(kid: string | undefined): Promise<Sought> {
    const begun = this.#begun;
    if (this.#isKnownAbsent(kid)) return "absent";
    // What is under way may have been answered before the name was published: it can say yes, but not no.
    if (this.#fetch !== undefined && await this.#fetch && this.#knows(kid)) return "found";
    if (this.#failures > 0 || this.#current === undefined) return "unavailable";
    if (this.#begun === begun && !this.#seeks.take(SEEKS, this.#options.clock.now())) {
      return "absent";
    }
    if (this.#begun === begun || this.#fetch !== undefined) {
      if (!await this.#renew()) return "unavailable";
    }
    if (this.#knows(kid)) return "found";
    this.#absent.set(kid ?? "", this.#options.clock.now() + ABSENT_MS);
    return "absent";
  }

  #knows(kid: string | undefined): boolean {
    return this.#current?.knows(kid) === true;
  }

  #isKnownAbsent(kid: string | undefined): boolean {
    return (this.#absent.get(kid ?? "") ?? -Infinity) > this.#options.clock.now();
  }

  /** One fetch at a time; true when it went well. Never rejects. */
  #renew(): Promise<boolean> {
    if (this.#fetch === undefined) {
      this.#begun++;
      this.#fetch = this.#fetchOnce().finally(() => this.#fetch = undefined);
    }
    return this.#fetch;
  }

  async #fetchOnce(): Promise<boolean> {
    const { url, fetchJson, random } = this.#options;
    this.#timer?.[Symbol.dispose]();
    try {
      const { value, maxAgeMs } = await fetchJson(url, this.#abort.signal);
      this.#accept(value);
      const age = Math.min(MAX_AGE_MS, Math.max(MIN_AGE_MS, maxAgeMs ?? DEFAULT_AGE_MS));
      this.#renewAfter(age * (RENEW_AT - JITTER * random()));
      return true;
    } catch (error) {
      this.#fail(error);
      return false;
    }
  }

  #accept(value: unknown): void {
    const { algorithms, clock, log, onChanged } = this.#options;
    const previous = this.#current;
    const next = KeySet.of(value, { previous, algorithms, allowsSecrets: false });
    if (this.#failures > 0) log.info("keys can be fetched again", { jwks: this.name });
    this.#failures = 0;
    this.#retry.reset();
    this.#fetchedAt = clock.now();
    if (previous !== undefined && isSame(previous, next)) return;
    this.#current = next;
    previous?.retireAllBut(next);
    log.info("keys in force", describe(this.name, next));
    onChanged();
  }

  #fail(error: unknown): void {
    if (this.#abort.signal.aborted) return;
    this.#failures++;
    // Once a failure and not once a try.
    if (this.#failures === 1) {
      this.#options.log.warn("keys cannot be fetched", {
        jwks: this.name,
        error: error instanceof Error ? error.message : String(error),
        meanwhile: this.#current === undefined
          ? "no token can be checked"
          : "the last good ones stay",
      });
    }
    this.#renewAfter(this.#retry.next());
  }

  #renewAfter(ms: number): void {
    if (this.#abort.signal.aborted) return;
    this.#timer = this.#options.clock.after(ms, () => void this.#renew());
  }

  close(): void {
    this.#abort.abort();
    this.#timer?.[Symbol.dispose]();
  }
}

/** Keys that stay keep their objects. */
export function isSame(a: KeySet, b: KeySet): boolean {
  return a.keys.length === b.keys.length && a.keys.every((key, index) => key === b.keys[index]);
}

/** Names are public, keys are not shown. */
export function describe(jwks: string, set: KeySet): Readonly<Record<string, unknown>> {
  const kids = set.keys.map(({ kid }) => kid ?? "(unnamed)").join(" ");
  return { jwks, kids, ...(set.skipped.length === 0 ? {} : { skipped: set.skipped.join("; ") }) };
}
