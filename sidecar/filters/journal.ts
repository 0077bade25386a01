// Notes what failed, and everything while somebody watches.
import { pathOf } from "../http/path.ts";
import type { Outcome, Response } from "../http/message.ts";
import type { Clock } from "../lib/clock.ts";
import type { Journal, JournalEntry } from "../telemetry/journal.ts";
import type { ExchangeView, Filter } from "./filter.ts";

export class JournalFilter implements Filter {
  readonly name = "journal";
  readonly #journal: Journal;
  readonly #clock: Clock;

  constructor(journal: Journal, clock: Clock) {
    this.#journal = journal;
    this.#clock = clock;
  }

  onEnd(exchange: ExchangeView, response: Response | undefined, outcome: Outcome): void {
    const isFailure = exchange.reason !== undefined || outcome.error !== undefined ||
      (response?.status ?? 0) >= 500;
    if (!isFailure && !this.#journal.isFollowed) return;
    this.#journal.record(entryOf(exchange, response, outcome, this.#clock), isFailure);
  }
}

/** The query is left out: it is where secrets travel. */
function entryOf(
  exchange: ExchangeView,
  response: Response | undefined,
  outcome: Outcome,
  clock: Clock,
): JournalEntry {
  const { request, incoming } = exchange;
  return {
    time: new Date(clock.epoch()).toISOString(),
    requestId: exchange.requestId,
    traceId: exchange.trace?.context.traceId,
    listener: exchange.listener,
    method: request.method,
    path: exchange.askedPath ?? pathOf(request.target),
    host: request.authority,
    status: response?.status ?? 0,
    durationMs: Math.round((clock.now() - exchange.startedAt) * 100) / 100,
    client: exchange.clientAddress,
    from: incoming.peer.identity,
    upstream: exchange.upstream,
    endpoint: exchange.endpoint,
    attempts: exchange.attempts,
    user: exchange.caller?.subject,
    reason: exchange.reason,
    detail: exchange.detail,
    error: outcome.error?.message,
  };
}
