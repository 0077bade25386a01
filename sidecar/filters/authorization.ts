// Whether a caller may make this call, by the rules of the snapshot that is in force; who is refused learns by which.
import { ProxyError } from "../errors.ts";
import { normalizeTarget, pathOf } from "../http/path.ts";
import type { Clock } from "../lib/clock.ts";
import type { Authorization } from "../snapshot/authorization.ts";
import type { Logger } from "../telemetry/log.ts";
import type { Counter, Metrics } from "../telemetry/metrics.ts";
import type { ExchangeView, Filter } from "./filter.ts";

/** A flood of refusals must not be one of the log: one line in so long, with how many it stands for. */
const AUDIT_EVERY_MS = 100;

export interface AuthorizationParts {
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
}

export class AuthorizationFilter implements Filter {
  readonly name = "authorization";
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #allowed: Counter;
  readonly #refused: Counter;
  readonly #wouldRefuse: Counter;
  #auditedAt = -Infinity;
  #untold = 0;

  constructor({ clock, log, metrics }: AuthorizationParts) {
    this.#clock = clock;
    this.#log = log;
    const decisions = metrics.counter(
      "mesh_authorization_total",
      "Calls that the authorization rules decided on.",
    );
    this.#allowed = decisions.with({ decision: "allowed" });
    this.#refused = decisions.with({ decision: "refused" });
    this.#wouldRefuse = decisions.with({ decision: "would-refuse" });
  }

  onRequest(exchange: ExchangeView): undefined {
    const { authorization } = exchange.snapshot;
    if (authorization === undefined) return;
    const { request, incoming: { peer: { identity } } } = exchange;
    if (authorization.needsPath) settlePath(exchange);
    const path = pathOf(request.target);
    const { isAllowed, rule } = authorization.decide({ identity, method: request.method, path });
    if (isAllowed) this.#allowed.add();
    else this.#refuse(exchange, authorization, rule);
  }

  #refuse(
    exchange: ExchangeView,
    { settings }: Authorization,
    rule: string | undefined,
  ): void {
    const { request, incoming: { peer } } = exchange;
    const isDryRun = settings.mode === "dry-run";
    (isDryRun ? this.#wouldRefuse : this.#refused).add();
    this.#audit({
      mode: settings.mode,
      rule: rule ?? "none allows it",
      from: peer.identity ?? "anonymous",
      peer: `${peer.host}:${peer.port}`,
      method: request.method,
      path: pathOf(request.target),
      requestId: exchange.requestId,
    });
    if (isDryRun) return;
    const what = rule === undefined ? "no rule allows it" : `rule ${JSON.stringify(rule)}`;
    throw new ProxyError("forbidden", `forbidden: ${what}`, { side: "downstream" });
  }

  #audit(fields: Readonly<Record<string, string>>): void {
    const now = this.#clock.now();
    if (now - this.#auditedAt < AUDIT_EVERY_MS) return void this.#untold++;
    this.#auditedAt = now;
    this.#log.warn("refused by authorization", { ...fields, untold: this.#untold });
    this.#untold = 0;
  }
}

/** The app must see the path that the rules saw. */
function settlePath({ request }: ExchangeView): void {
  if (request.form === "asterisk" || request.form === "authority") return;
  const target = normalizeTarget(request.target);
  if (target === null) {
    const message = "bad request: the path has dot segments or escaped separators";
    throw new ProxyError("bad-request", message, { side: "downstream" });
  }
  request.target = target;
}
