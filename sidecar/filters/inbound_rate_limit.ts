// How often others may call the local app, by the limits of the policy: every one that takes a call must have a token for it.
import { ProxyError } from "../errors.ts";
import { pathOf } from "../http/path.ts";
import { LruMap } from "../lib/lru.ts";
import { TokenBucket } from "../lib/token_bucket.ts";
import type { Response } from "../http/message.ts";
import type { RateLimitRule } from "../snapshot/rate_limit_rule.ts";
import type { ExchangeView, Filter } from "./filter.ts";

/** Buckets kept over all limits, some 100 bytes each; the one unused for longest is forgotten first, and is most likely full. */
const MAX_BUCKETS = 100_000;

export class InboundRateLimit implements Filter {
  readonly name = "inbound-rate-limit";
  readonly #buckets = new LruMap<string, TokenBucket>(MAX_BUCKETS);

  onRequest(exchange: ExchangeView): undefined {
    const { inboundRateLimits } = exchange.snapshot;
    if (inboundRateLimits.length === 0) return undefined;
    const { method, target } = exchange.request;
    const path = pathOf(target);
    for (let i = 0; i < inboundRateLimits.length; i++) {
      const rule = inboundRateLimits[i]!;
      if (rule.takes(method, path)) this.#take(exchange, rule);
    }
  }

  #take(exchange: ExchangeView, rule: RateLimitRule): void {
    const { rate, burst } = rule.settings;
    const measure = { tokensPerMs: rate.count / rate.perMs, burst };
    const key = `${rule.name} ${keyOf(exchange, rule)}`;
    let bucket = this.#buckets.get(key);
    const now = exchange.startedAt;
    if (bucket === undefined) this.#buckets.set(key, bucket = new TokenBucket(measure, now));
    if (bucket.take(measure, now)) return;
    const resetMs = bucket.msUntilNext(measure);
    exchange.quota = { limit: burst, remaining: 0, resetMs };
    throw new ProxyError("rate-limited", "the token bucket is empty", { side: "downstream" });
  }

  onResponse(exchange: ExchangeView, response: Response): void {
    if (exchange.reason !== "rate-limited" || exchange.quota === undefined) return;
    const seconds = Math.max(1, Math.ceil(exchange.quota.resetMs / 1000));
    response.headers.set("retry-after", String(seconds));
  }
}

/** Who proves nothing shares a bucket with those of the same address. */
function keyOf(exchange: ExchangeView, { settings: { key } }: RateLimitRule): string {
  const { caller, clientAddress, incoming: { peer } } = exchange;
  switch (key) {
    case "all":
      return "";
    case "client":
      return clientAddress;
    case "caller":
      return peer.identity ?? `address ${peer.host}`;
    case "user":
      return caller?.subject ? `user ${caller.subject}` : `client ${clientAddress}`;
  }
}
