// One line for each exchange, once its last byte is out.
import type { Outcome, Response } from "../http/message.ts";
import { pathOf } from "../http/path.ts";
import type { Clock } from "../lib/clock.ts";
import type { Logger } from "../telemetry/log.ts";
import type { ExchangeView, Filter } from "./filter.ts";

export class AccessLog implements Filter {
  readonly name = "access-log";
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #which: "errors" | "all";

  /** `errors`: answers of 500 and above, and what did not end well. */
  constructor(log: Logger, clock: Clock, which: "errors" | "all") {
    this.#log = log;
    this.#clock = clock;
    this.#which = which;
  }

  /** The query is left out: it is where secrets travel. */
  onEnd(exchange: ExchangeView, response: Response | undefined, outcome: Outcome): void {
    const status = response?.status ?? 0;
    if (this.#which === "errors" && status < 500 && outcome.error === undefined) return;
    const { request, incoming } = exchange;
    this.#log.info("request", {
      listener: exchange.listener,
      method: request.method,
      path: exchange.askedPath ?? pathOf(request.target),
      host: request.authority,
      status,
      durationMs: Math.round((this.#clock.now() - exchange.startedAt) * 100) / 100,
      bytes: outcome.bodyBytes,
      client: exchange.clientAddress,
      peer: `${incoming.peer.host}:${incoming.peer.port}`,
      from: incoming.peer.identity,
      upstream: exchange.upstream,
      endpoint: exchange.endpoint,
      attempts: exchange.attempts,
      user: exchange.caller?.subject,
      requestId: exchange.requestId,
      traceId: exchange.trace?.context.traceId,
      reason: exchange.reason,
      error: outcome.error?.message,
    });
  }
}
