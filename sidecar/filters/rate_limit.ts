// How often one may ask, by the limit of the route that was taken.
import { ProxyError } from "../errors.ts";
import type { Response } from "../http/message.ts";
import type { Route } from "../snapshot/snapshot.ts";
import type { ExchangeView, Filter } from "./filter.ts";
import { RateCounter, rateKeyOf, type RateVerdict, type SharedCounter } from "./rate_counter.ts";

export class RateLimit implements Filter {
  readonly name = "rate-limit";
  readonly #counter: RateCounter;
  readonly #names = new WeakMap<Route, string>();

  constructor(shared?: SharedCounter) {
    this.#counter = new RateCounter(shared);
  }

  onRequest(exchange: ExchangeView): undefined | Promise<undefined> {
    const { route } = exchange;
    if (route?.rateLimit === undefined) return undefined;
    // A caller's count is a route's own: what one route allows says nothing about another.
    const name = this.#names.get(route) ?? this.#name(route);
    const key = `${name} ${rateKeyOf(route.rateLimit.key, exchange)}`;
    const verdict = this.#counter.take(key, route.rateLimit, exchange.startedAt);
    if (verdict instanceof Promise) return verdict.then((later) => judge(exchange, later));
    return judge(exchange, verdict);
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

  /** All that tells one route from another, so that its counts outlive the snapshot. */
  #name(route: Route): string {
    const { host, path, methods, headers } = route.match;
    const name = JSON.stringify([host, path, methods, [...headers]]);
    this.#names.set(route, name);
    return name;
  }
}

function judge(exchange: ExchangeView, verdict: RateVerdict): undefined {
  exchange.quota = verdict;
  if (verdict.isAllowed) return undefined;
  throw new ProxyError("rate-limited", "the limit is used up", { side: "downstream" });
}
