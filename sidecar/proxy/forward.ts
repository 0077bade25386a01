// One exchange with an upstream, as policy wants it: attempts, a second one beside a slow first, and what is answered where all fail.
import type { ExchangeView } from "../filters/filter.ts";
import { BytesBody } from "../http/body.ts";
import type { Request, Response } from "../http/message.ts";
import type { Cluster } from "../snapshot/snapshot.ts";
import { Attempts, type AttemptsParts } from "./attempts.ts";
import { Fallbacks } from "./fallback.ts";
import { hedged } from "./hedge.ts";
import { notHttp } from "./refusals.ts";
import { isIdempotent } from "./retry.ts";

export class Forwarder {
  readonly #parts: AttemptsParts;
  readonly #fallbacks: Fallbacks;

  constructor(parts: AttemptsParts) {
    this.#parts = parts;
    this.#fallbacks = new Fallbacks({
      clock: parts.clock,
      ask: (exchange, cluster, request) =>
        this.#attempt(exchange, cluster, cluster.timeoutMs, request),
    });
  }

  /**
   * Sends the request to an endpoint of `cluster`; the response's body is still to come. `timeoutMs` bounds the wait
   * for the response head once the request was sent (0: no bound); a body may stream as long as it moves.
   * `request` is the exchange's own, or one made on its behalf. Throws ProxyError.
   */
  forward(
    exchange: ExchangeView,
    cluster: Cluster,
    timeoutMs: number,
    request: Request = exchange.request,
  ): Promise<Response> {
    if (cluster.protocol === "tcp") return Promise.reject(notHttp(cluster.name));
    const answer = this.#attempt(exchange, cluster, timeoutMs, request);
    if (cluster.fallback === undefined) return answer;
    return this.#fallbacks.guard(exchange, cluster, request, answer);
  }

  #attempt(
    exchange: ExchangeView,
    cluster: Cluster,
    timeoutMs: number,
    request: Request,
  ): Promise<Response> {
    const { hedge } = cluster;
    const whole = hedge !== undefined && request.upgrade === undefined && isIdempotent(request)
      ? request.body.whole()
      : undefined;
    if (hedge === undefined || whole === undefined) {
      return new Attempts({ exchange, request, cluster, timeoutMs, parts: this.#parts }).run();
    }
    const { upstreams, timeouts } = this.#parts;
    const state = upstreams.state(cluster);
    const begin = (avoid: Attempts | undefined) =>
      new Attempts({
        exchange,
        request: { ...request, body: new BytesBody(whole.slice()) },
        cluster,
        timeoutMs,
        parts: this.#parts,
        hedge: avoid === undefined ? "first" : avoid,
      });
    const first = begin(undefined);
    state.hedgeBudget.deposit();
    return hedged({
      afterMs: hedge.afterMs,
      timeouts,
      first,
      second: () => state.hedgeBudget.withdraw() ? begin(first) : undefined,
    });
  }
}
