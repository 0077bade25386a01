// Who is calling, by a signed token (RFC 7519): has it checked once, and hands the claims on as header fields that nobody
// outside can set.
import { ProxyError } from "../errors.ts";
import { NameSet } from "../http/field_names.ts";
import type { Request } from "../http/message.ts";
import { isFieldValue } from "../http/syntax.ts";
import { claimOf, type Claims, scopesOf } from "../identity/jwt/claims.ts";
import { MAX_TOKEN_LENGTH } from "../identity/jwt/compact_token.ts";
import type { JwtSettings, TokenRule } from "../identity/jwt/settings.ts";
import type { TokenVerifier, Verification } from "../identity/jwt/verifier.ts";
import type { Clock } from "../lib/clock.ts";
import type { Caller, ExchangeView, Filter } from "./filter.ts";
import { IDENTITY_FIELD, spellingsOf } from "./strip_identity.ts";
import { type TokenReader, tokenReader } from "./token_places.ts";
import { checkRule } from "./token_rule.ts";
import { type Verdict, Verdicts } from "./verdicts.ts";

/** Whether a request must have a token, and what one is asked for. */
export interface AuthDemand {
  /** `optional`: without a token the caller is nobody; a bad one is refused as ever. */
  readonly auth: "none" | "jwt" | "optional";
  readonly tokenRule?: TokenRule;
}

export interface JwtOptions {
  readonly verifier: TokenVerifier;
  readonly settings: Pick<JwtSettings, "issuers" | "clockSkewMs" | "claimHeaders" | "tokenFrom">;
  readonly clock: Clock;
  /** Undefined: nothing is asked. Called for each request. */
  readonly demandOf: (exchange: ExchangeView) => AuthDemand | undefined;
}

/** Refused tokens are remembered too, or one bad token could be sent to burn CPU; shortly, as `nbf` may pass. */
const REFUSED_FOR_MS = 5_000;
/** Tokens that wait at once for their keys or their turn: what is behind them is memory of ours. */
const MAX_CHECKS = 4_096;

export class Jwt implements Filter {
  readonly name = "jwt";
  readonly #options: JwtOptions;
  readonly #readers: readonly TokenReader[];
  readonly #verdicts: Verdicts;
  /** What only we may say; services believe `x-user-id` also where no claim is written to it. */
  readonly #removed: NameSet;
  /** Checks under way, so that a token is checked once however often it comes at once. */
  readonly #checks = new Map<string, Promise<Verdict>>();

  constructor(options: JwtOptions) {
    const { settings: { claimHeaders, tokenFrom }, clock } = options;
    this.#options = options;
    this.#readers = tokenFrom.map(tokenReader);
    this.#verdicts = new Verdicts(clock);
    const names = new Set([IDENTITY_FIELD, ...claimHeaders.values()]);
    this.#removed = new NameSet([...names].flatMap(spellingsOf));
  }

  onRequest(exchange: ExchangeView): undefined | Promise<undefined> {
    exchange.request.headers.deleteAll(this.#removed);
    const { verifier, demandOf } = this.#options;
    const demand = demandOf(exchange);
    if (demand === undefined || demand.auth === "none") return undefined;
    const token = this.#tokenOf(exchange.request);
    if (token === undefined) {
      if (demand.auth === "optional") return undefined;
      throw new ProxyError("missing-authorization", "no token", { side: "downstream" });
    }
    if (token.length > MAX_TOKEN_LENGTH) throw invalidToken("it is too long");
    const verdict = this.#verdicts.get(token, verifier.generation);
    if (verdict !== undefined) return this.#apply(exchange, demand, verdict);
    return this.#check(token).then((checked) => this.#apply(exchange, demand, checked));
  }

  #tokenOf(request: Request): string | undefined {
    let found: string | undefined;
    // Each is asked, so that a token in the query is taken out also where another one counts.
    for (let i = 0; i < this.#readers.length; i++) {
      const token = this.#readers[i]!(request);
      found ??= token;
    }
    return found;
  }

  #apply(exchange: ExchangeView, demand: AuthDemand, verdict: Verdict): undefined {
    if (verdict.kind === "refused") throw invalidToken(verdict.reason);
    if (demand.tokenRule !== undefined) checkRule(demand.tokenRule, verdict);
    exchange.caller = verdict.caller;
    for (const [claim, header] of this.#options.settings.claimHeaders) {
      const value = claimText(claimOf(verdict.caller.claims, claim));
      if (value !== undefined) exchange.request.headers.set(header, value);
    }
  }

  #check(token: string): Promise<Verdict> {
    let check = this.#checks.get(token);
    if (check === undefined) {
      if (this.#checks.size >= MAX_CHECKS) throw overloaded();
      check = this.#verify(token).finally(() => this.#checks.delete(token));
      this.#checks.set(token, check);
    }
    return check;
  }

  async #verify(token: string): Promise<Verdict> {
    const { verifier } = this.#options;
    // From before the check: keys that come meanwhile may judge otherwise.
    const { generation } = verifier;
    const verdict = this.#verdictOf(await verifier.verify(token), generation);
    this.#verdicts.put(token, verdict);
    return verdict;
  }

  /** Throws ProxyError where nothing was found out: that is not remembered. */
  #verdictOf(verification: Verification, generation: number): Verdict {
    const { settings: { issuers, claimHeaders, clockSkewMs }, clock } = this.#options;
    const refused = (reason: string): Verdict => {
      return { kind: "refused", reason, generation, untilEpochMs: clock.epoch() + REFUSED_FOR_MS };
    };
    if (verification.kind === "bad") return refused(verification.reason);
    if (verification.kind === "overloaded") throw overloaded();
    if (verification.kind === "unavailable") {
      throw new ProxyError("jwks-unavailable", "the keys that check tokens cannot be had", {
        side: "local",
      });
    }
    const { claims, key } = verification;
    const unusable = [...claimHeaders.keys()].find((claim) => !isUsable(claims, claim));
    if (unusable !== undefined) return refused(`its claim ${unusable} cannot be a header field`);
    const subject = claimText(claimOf(claims, "user_id")) ?? claimText(claimOf(claims, "sub")) ??
      "";
    const untilEpochMs = claims.exp * 1000 + clockSkewMs;
    const { iss } = claims;
    const caller: Caller = issuers.length > 1 && typeof iss === "string"
      ? { subject, issuer: iss, claims }
      : { subject, claims };
    return { kind: "accepted", caller, scopes: scopesOf(claims), untilEpochMs, key };
  }
}

/** Absent, or fit to be a header field. */
function isUsable(claims: Claims, name: string): boolean {
  const claim = claimOf(claims, name);
  return claim === undefined || claimText(claim) !== undefined;
}

/** A claim as a header field's value; undefined for what cannot be one. */
function claimText(claim: unknown): string | undefined {
  if (typeof claim === "number" || typeof claim === "boolean") return String(claim);
  return typeof claim === "string" && claim !== "" && isFieldValue(claim) && claim.trim() === claim
    ? claim
    : undefined;
}

function invalidToken(reason: string): ProxyError {
  return new ProxyError("invalid-token", `the token is refused: ${reason}`, { side: "downstream" });
}

function overloaded(): ProxyError {
  return new ProxyError("overloaded", "too many tokens are being checked", { side: "local" });
}
