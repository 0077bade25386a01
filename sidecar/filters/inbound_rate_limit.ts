// How often others may call the local app, by the limits of the policy: every one that takes a call must have room for it.
import { ProxyError } from "../errors.ts";
import { pathOf } from "../http/path.ts";
import type { Response } from "../http/message.ts";
import type { RateLimitRule } from "../snapshot/rate_limit_rule.ts";
import type { ExchangeView, Filter } from "./filter.ts";
import { RateCounter, rateKeyOf, type RateVerdict, type SharedCounter } from "./rate_counter.ts";

export class InboundRateLimit implements Filter {
  readonly name = "inbound-rate-limit";
  readonly #counter: RateCounter;

  constructor(shared?: SharedCounter) {
    this.#counter = new RateCounter(shared);
  }

  onRequest(exchange: ExchangeView): undefined | Promise<undefined> {
    const { inboundRateLimits } = exchange.snapshot;
    return inboundRateLimits.length === 0 ? undefined : this.#take(exchange, inboundRateLimits, 0);
  }

  /** The limits from `first` on. */
  #take(
    exchange: ExchangeView,
    rules: readonly RateLimitRule[],
    first: number,
  ): undefined | Promise<undefined> {
    const { method, target } = exchange.request;
    const path = pathOf(target);
    for (let i = first; i < rules.length; i++) {
      const rule = rules[i]!;
      if (!rule.takes(method, path)) continue;
      const key = `${rule.name} ${rateKeyOf(rule.settings.key, exchange)}`;
      const verdict = this.#counter.take(key, rule.settings, exchange.startedAt);
      if (verdict instanceof Promise) {
        return verdict.then((later) => {
          judge(exchange, later);
          return this.#take(exchange, rules, i + 1);
        });
      }
      judge(exchange, verdict);
    }
    return undefined;
  }

  onResponse(exchange: ExchangeView, response: Response): void {
    if (exchange.reason !== "rate-limited" || exchange.quota === undefined) return;
    const seconds = Math.max(1, Math.ceil(exchange.quota.resetMs / 1000));
    response.headers.set("retry-after", String(seconds));
  }
}

function judge(exchange: ExchangeView, verdict: RateVerdict): void {
  if (verdict.isAllowed) return;
  exchange.quota = verdict;
  throw new ProxyError("rate-limited", "the limit is used up", { side: "downstream" });
}
