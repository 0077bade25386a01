// Who may call the local app: asks the rules of the exchange's own snapshot, counts, notes and refuses. Without rules
// everything passes. In a dry run nothing is changed and nobody refused.
import { ProxyError } from "../errors.ts";
import type { Request } from "../http/message.ts";
import { ambiguousPath, normalizeTarget, pathOf } from "../http/path.ts";
import type { Authorization } from "../snapshot/authorization.ts";
import type { Decision, Question } from "../snapshot/authorization_rule.ts";
import type { Logger } from "../telemetry/log.ts";
import type { Counter, Family, Metrics } from "../telemetry/metrics.ts";
import { AuditLog } from "./audit_log.ts";
import type { ExchangeView, Filter } from "./filter.ts";

/** What of a caller's own words is said back to it, or to the log. */
const MAX_SHOWN = 200;

export class Authorize implements Filter {
  readonly name = "authorization";
  readonly #family: Family<Counter>;
  readonly #audit: AuditLog;
  /** Filled in anew for each request, which is decided at once. */
  readonly #question: { -readonly [K in keyof Question]: Question[K] } = {
    identity: undefined,
    method: "",
    path: "",
    claims: undefined,
  };
  /** Whose decisions `#counters` are, in the same order. */
  #counted: Authorization | undefined;
  #counters: readonly Counter[] = [];

  constructor(log: Logger, metrics: Metrics) {
    this.#family = metrics.counter(
      "mesh_authorization_total",
      "Calls to the app by what was decided of them, and by which rule.",
    );
    this.#audit = new AuditLog(log, metrics);
  }

  onRequest(exchange: ExchangeView): undefined {
    const { snapshot: { authorization }, request } = exchange;
    if (authorization === undefined) return;
    const target = authorization.readsPaths ? spellingOf(request) : request.target;
    const decision = target === null
      ? authorization.ambiguous
      : authorization.decide(this.#ask(exchange, pathOf(target)));
    this.#countersOf(authorization)[decision.index]!.add();
    const { mode, audit } = authorization.settings;
    if (audit === "all" || audit === "refused" && !decision.isAllowed) {
      this.#note(exchange, authorization, decision);
    }
    if (mode === "dry-run") return;
    if (target === null) throw ambiguousPath();
    if (!decision.isAllowed) throw refusal(exchange, authorization, decision);
    // The app must see what the rules have seen.
    if (target !== request.target) request.target = target;
  }

  #ask({ incoming, request, caller }: ExchangeView, path: string): Question {
    const question = this.#question;
    question.identity = incoming.peer.identity;
    question.method = request.method;
    question.path = path;
    question.claims = caller?.claims;
    return question;
  }

  /** One series a decision: their number is that of the rules, whatever callers send. */
  #countersOf(authorization: Authorization): readonly Counter[] {
    if (authorization !== this.#counted) {
      const dry_run = String(authorization.settings.mode === "dry-run");
      this.#counters = authorization.decisions.map(({ isAllowed, rule }) =>
        this.#family.with({ decision: isAllowed ? "allowed" : "refused", rule, dry_run })
      );
      this.#counted = authorization;
    }
    return this.#counters;
  }

  #note(exchange: ExchangeView, authorization: Authorization, decision: Decision): void {
    const { request, incoming, requestId, startedAt } = exchange;
    this.#audit.write(decision.isAllowed, startedAt, () => ({
      rule: decision.rule,
      action: decision.isAllowed ? "allow" : "deny",
      from: incoming.peer.identity ?? "anonymous",
      method: shown(request.method),
      path: shown(pathOf(request.target)),
      peer: `${incoming.peer.host}:${incoming.peer.port}`,
      requestId,
      dryRun: authorization.settings.mode === "dry-run",
    }));
  }
}

/** Null where there is no safe one. `*` and the target of CONNECT are no paths. */
function spellingOf({ form, target }: Request): string | null {
  return form === "origin" || form === "absolute" ? normalizeTarget(target) : target;
}

function refusal(
  { request, incoming }: ExchangeView,
  authorization: Authorization,
  { rule, index }: Decision,
): ProxyError {
  const from = authorization.nameOf(incoming.peer.identity);
  const message = index < authorization.settings.rules.length
    ? `refused by rule ${rule}`
    : `no rule allows ${from} ${shown(request.method)} ${shown(pathOf(request.target))}`;
  return new ProxyError("forbidden", message, { side: "downstream" });
}

function shown(text: string): string {
  return text.length <= MAX_SHOWN ? text : `${text.slice(0, MAX_SHOWN)}...`;
}
