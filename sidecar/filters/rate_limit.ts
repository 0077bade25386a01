// How often one may ask: a token bucket per client, user or route.
import { ProxyError } from "../errors.ts";
import type { Response } from "../http/message.ts";
import { LruMap } from "../lib/lru.ts";
import { TokenBucket } from "../lib/token_bucket.ts";
import type { RateLimitSettings, Route } from "../snapshot/snapshot.ts";
import type { ExchangeView, Filter } from "./filter.ts";

/** Buckets kept over all routes; the one unused for longest is forgotten first, and is most likely full. */
const MAX_BUCKETS = 100_000;

export class RateLimit implements Filter {
  readonly name = "rate-limit";
  readonly #buckets = new LruMap<string, TokenBucket>(MAX_BUCKETS);
  readonly #names = new WeakMap<Route, string>();

  onRequest(exchange: ExchangeView): undefined {
    const { route } = exchange;
    if (route?.rateLimit === undefined) return undefined;
    const { rate, burst } = route.rateLimit;
    const measure = { tokensPerMs: rate.count / rate.perMs, burst };
    const key = this.#bucketKey(route, route.rateLimit, exchange);
    const now = exchange.startedAt;
    let bucket = this.#buckets.get(key);
    if (bucket === undefined) this.#buckets.set(key, bucket = new TokenBucket(measure, now));
    const isAllowed = bucket.take(measure, now);
    const resetMs = isAllowed ? bucket.msUntilFull(measure) : bucket.msUntilNext(measure);
    exchange.quota = { limit: burst, remaining: isAllowed ? bucket.remaining : 0, resetMs };
    if (!isAllowed) {
      throw new ProxyError("rate-limited", "the token bucket is empty", { side: "downstream" });
    }
  }

  /** Both the fields of the IETF draft (draft-ietf-httpapi-ratelimit-headers-10) and the older three that clients know. */
  onResponse(exchange: ExchangeView, response: Response): void {
    const { quota, route } = exchange;
    if (quota === undefined || route?.rateLimit === undefined) return;
    const { rate } = route.rateLimit;
    const { headers } = response;
    const resetS = Math.ceil(quota.resetMs / 1000);
    const windowS = Math.max(1, Math.round(quota.limit * rate.perMs / rate.count / 1000));
    headers.set("ratelimit-policy", `"default";q=${quota.limit};w=${windowS}`);
    headers.set("ratelimit", `"default";r=${quota.remaining};t=${resetS}`);
    headers.set("ratelimit-limit", String(quota.limit));
    headers.set("ratelimit-remaining", String(quota.remaining));
    headers.set("ratelimit-reset", String(resetS));
    if (exchange.reason === "rate-limited") headers.set("retry-after", String(Math.max(1, resetS)));
  }

  /** A caller's bucket is a route's own: what one route allows says nothing about another. */
  #bucketKey(route: Route, limit: RateLimitSettings, exchange: ExchangeView): string {
    const name = this.#names.get(route) ?? this.#name(route);
    if (limit.key === "route") return name;
    // A token may name nobody: such callers are told apart by address, or they would share one bucket.
    const caller = limit.key === "user" ? exchange.caller : undefined;
    if (!caller?.subject) return `${name} client ${exchange.clientAddress}`;
    const { issuer = "", subject } = caller;
    // With its length, so that no issuer and subject read as another issuer and another subject.
    return `${name} user ${issuer.length} ${issuer} ${subject}`;
  }

  /** All that tells one route from another, so that its buckets outlive the snapshot. */
  #name(route: Route): string {
    const { host, path, methods, headers } = route.match;
    const name = JSON.stringify([host, path, methods, [...headers]]);
    this.#names.set(route, name);
    return name;
  }
}
