// Counts requests against limits, each under its key: here, and where a limit is shared by all instances, there too.
import { Gcra } from "../lib/gcra.ts";
import { LruMap } from "../lib/lru.ts";
import { type BucketMeasure, type RateMeter, TokenBucket } from "../lib/token_bucket.ts";
import type { RateKeyPart, RateSettings } from "../snapshot/rate_settings.ts";
import type { ExchangeView, Quota } from "./filter.ts";

/** Counts kept over all limits, some 100 bytes each; the one unused for longest is forgotten first, and is most likely full. */
const MAX_COUNTS = 100_000;

export interface RateVerdict extends Quota {
  readonly isAllowed: boolean;
}

/** A count that several instances have in common. Undefined: nothing can be said at the moment, and requests go on. */
export interface SharedCounter {
  take(key: string, measure: BucketMeasure, cost: number): Promise<RateVerdict | undefined>;
}

export class RateCounter {
  readonly #meters = new LruMap<string, RateMeter>(MAX_COUNTS);
  readonly #shared: SharedCounter | undefined;

  constructor(shared: SharedCounter | undefined) {
    this.#shared = shared;
  }

  /** Keys that are counted. */
  get size(): number {
    return this.#meters.size;
  }

  /** What is too much for one instance is too much for all, and nobody is asked about it. */
  take(
    key: string,
    settings: RateSettings,
    nowMs: number,
  ): RateVerdict | Promise<RateVerdict> {
    const { rate, burst, cost, scope } = settings;
    const measure = { tokensPerMs: rate.count / rate.perMs, burst };
    const local = this.#takeHere(key, settings, measure, nowMs);
    if (scope === "local" || !local.isAllowed || this.#shared === undefined) return local;
    return this.#shared.take(key, measure, cost).then((verdict) => verdict ?? local);
  }

  #takeHere(
    key: string,
    { algorithm, cost }: RateSettings,
    measure: BucketMeasure,
    nowMs: number,
  ): RateVerdict {
    let meter = this.#meters.get(key);
    if (meter === undefined) {
      meter = algorithm === "gcra" ? new Gcra() : new TokenBucket(measure, nowMs);
      this.#meters.set(key, meter);
    }
    const isAllowed = meter.take(measure, nowMs, cost);
    const resetMs = isAllowed ? meter.msUntilFull(measure) : meter.msUntilNext(measure, cost);
    return { isAllowed, limit: measure.burst, remaining: isAllowed ? meter.remaining : 0, resetMs };
  }
}

/** Values are told with their length, so that no two read as another two. */
export function rateKeyOf(parts: readonly RateKeyPart[], exchange: ExchangeView): string {
  if (parts.length === 1) return partOf(parts[0]!, exchange);
  let key = "";
  for (const part of parts) {
    const value = partOf(part, exchange);
    key += `${value.length} ${value} `;
  }
  return key;
}

function partOf(part: RateKeyPart, exchange: ExchangeView): string {
  switch (part.kind) {
    case "route":
    case "all":
      return "";
    case "client":
      return `client ${exchange.clientAddress}`;
    case "caller": {
      // Who proves nothing shares a count with those of the same address.
      const { identity, host } = exchange.incoming.peer;
      return identity ?? `address ${host}`;
    }
    case "user": {
      // A token may name nobody: such callers are told apart by address, or they would share one count.
      const { issuer = "", subject } = exchange.caller ?? {};
      if (!subject) return `client ${exchange.clientAddress}`;
      return `user ${issuer.length} ${issuer} ${subject}`;
    }
    case "header":
      return `header ${exchange.request.headers.get(part.name) ?? ""}`;
  }
}
