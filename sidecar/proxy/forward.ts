// One exchange with an upstream, as policy wants it: attempts, a second one beside a slow first, and what is answered where all fail.
import type { ExchangeView } from "../filters/filter.ts";
import { BytesBody } from "../http/body.ts";
import type { Request, Response } from "../http/message.ts";
import type { Cluster } from "../snapshot/snapshot.ts";
import { Attempts, type AttemptsParts } from "./attempts.ts";
import { Fallbacks } from "./fallback.ts";
import { Faults, type FaultsParts } from "./faults.ts";
import { hedged } from "./hedge.ts";
import { Mirror, type MirrorParts } from "./mirror.ts";
import { notHttp } from "./refusals.ts";
import { isIdempotent } from "./retry.ts";

export interface ForwarderParts extends AttemptsParts {
  readonly events?: ForwarderEvents;
}

/** What policy did to requests besides sending them on. */
export interface ForwarderEvents {
  readonly onInjected: FaultsParts["onInjected"];
  readonly onMirrored: MirrorParts["onMirrored"];
}

const NO_EVENTS: ForwarderEvents = { onInjected: () => {}, onMirrored: () => {} };

export class Forwarder {
  readonly #parts: AttemptsParts;
  readonly #fallbacks: Fallbacks;
  readonly #faults: Faults;
  readonly #mirror: Mirror;

  constructor({ events = NO_EVENTS, ...parts }: ForwarderParts) {
    const { clock, random, timeouts } = parts;
    this.#parts = parts;
    this.#faults = new Faults({ timeouts, random, onInjected: events.onInjected });
    this.#mirror = new Mirror({
      clock,
      random,
      send: (exchange, cluster, request) =>
        this.#attempt(exchange, cluster, cluster.timeoutMs, request),
      onMirrored: events.onMirrored,
    });
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
    const { fault, fallback } = cluster;
    const delay = fault && this.#faults.inject(exchange, cluster.name, fault);
    const answer = delay === undefined
      ? this.#send(exchange, cluster, timeoutMs, request)
      : delay.then(() => this.#send(exchange, cluster, timeoutMs, request));
    if (fallback === undefined) return answer;
    return this.#fallbacks.guard(exchange, cluster, request, answer);
  }

  #send(
    exchange: ExchangeView,
    cluster: Cluster,
    timeoutMs: number,
    request: Request,
  ): Promise<Response> {
    const { mirror } = cluster;
    if (mirror === undefined) return this.#attempt(exchange, cluster, timeoutMs, request);
    const copied = this.#mirror.copy(exchange, request, mirror);
    return this.#attempt(exchange, cluster, timeoutMs, copied);
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
