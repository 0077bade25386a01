// Who is calling, by a signed token (RFC 7519, HS256): checks it, and hands the claims on as header fields that nobody
// outside can set.
import { jwtVerify } from "jose";
import { ProxyError } from "../errors.ts";
import { NameSet } from "../http/field_names.ts";
import { isFieldValue } from "../http/syntax.ts";
import type { Clock } from "../lib/clock.ts";
import { LruMap } from "../lib/lru.ts";
import type { Caller, ExchangeView, Filter } from "./filter.ts";
import { IDENTITY_FIELD, spellingsOf } from "./strip_identity.ts";

export interface JwtOptions {
  readonly key: CryptoKey;
  readonly issuer?: string;
  readonly audience?: string;
  readonly clockSkewMs: number;
  /** Claim to header field. */
  readonly claimHeaders: ReadonlyMap<string, string>;
  readonly clock: Clock;
}

/** A check costs 28 us, a hit 0.1 us (measured). Bounded, because tokens are somebody else's data. */
const MAX_ACCEPTED = 10_000;
/** Apart from the good ones, which a flood of bad ones must not push out. */
const MAX_REFUSED = 1_000;
/** A longer token is checked each time it comes: kept, 10,000 of the longest would be 160 MB. */
const MAX_KEPT_LENGTH = 4_096;
/** Refused tokens are remembered too, or one bad token could be sent to burn CPU; shortly, as `nbf` may pass. */
const REFUSED_FOR_MS = 5_000;
/** Longer than any header field may become (RFC 6750 sets no limit; ours is a quarter of a head). */
const MAX_TOKEN_LENGTH = 16_384;

type Verdict =
  | { readonly kind: "accepted"; readonly caller: Caller; readonly untilEpochMs: number }
  | { readonly kind: "refused"; readonly untilEpochMs: number };

export class Jwt implements Filter {
  readonly name = "jwt";
  readonly #options: JwtOptions;
  readonly #accepted = new LruMap<string, Verdict>(MAX_ACCEPTED);
  readonly #refused = new LruMap<string, Verdict>(MAX_REFUSED);
  /** What only we may say; services believe `x-user-id` also where no claim is written to it. */
  readonly #removed: NameSet;
  /** Checks under way, so that a token is checked once however often it comes at once. */
  readonly #checks = new Map<string, Promise<Verdict>>();

  constructor(options: JwtOptions) {
    this.#options = options;
    const names = new Set([IDENTITY_FIELD, ...options.claimHeaders.values()]);
    this.#removed = new NameSet([...names].flatMap(spellingsOf));
  }

  onRequest(exchange: ExchangeView): undefined | Promise<undefined> {
    const { headers } = exchange.request;
    headers.deleteAll(this.#removed);
    if (exchange.route?.auth !== "jwt") return undefined;
    const token = bearerToken(headers.all("authorization"));
    const verdict = this.#remembered(token);
    if (verdict !== undefined) return this.#apply(exchange, verdict);
    return this.#check(token).then((checked) => this.#apply(exchange, checked));
  }

  #remembered(token: string): Verdict | undefined {
    const verdict = this.#accepted.get(token) ?? this.#refused.get(token);
    if (verdict === undefined || verdict.untilEpochMs > this.#options.clock.epoch()) return verdict;
    this.#accepted.delete(token);
    this.#refused.delete(token);
    return undefined;
  }

  #apply(exchange: ExchangeView, verdict: Verdict): undefined {
    if (verdict.kind === "refused") throw invalidToken();
    exchange.caller = verdict.caller;
    for (const [claim, header] of this.#options.claimHeaders) {
      const value = claimText(verdict.caller.claims[claim]);
      if (value !== undefined) exchange.request.headers.set(header, value);
    }
  }

  #check(token: string): Promise<Verdict> {
    let check = this.#checks.get(token);
    if (check === undefined) {
      check = this.#verify(token).finally(() => this.#checks.delete(token));
      this.#checks.set(token, check);
    }
    return check;
  }

  async #verify(token: string): Promise<Verdict> {
    const verdict = await this.#judge(token);
    if (token.length > MAX_KEPT_LENGTH) return verdict;
    const verdicts = verdict.kind === "accepted" ? this.#accepted : this.#refused;
    verdicts.set(token, verdict);
    return verdict;
  }

  async #judge(token: string): Promise<Verdict> {
    const { key, issuer, audience, clockSkewMs, clock, claimHeaders } = this.#options;
    const now = clock.epoch();
    const refused: Verdict = { kind: "refused", untilEpochMs: now + REFUSED_FOR_MS };
    try {
      const { payload } = await jwtVerify(token, key, {
        algorithms: ["HS256"],
        requiredClaims: ["exp"],
        clockTolerance: clockSkewMs / 1000,
        currentDate: new Date(now),
        ...(issuer === undefined ? {} : { issuer }),
        ...(audience === undefined ? {} : { audience }),
      });
      const texts = [...claimHeaders.keys()].map((claim) => payload[claim]);
      if (texts.some((value) => value !== undefined && claimText(value) === undefined)) {
        return refused;
      }
      const subject = claimText(payload["user_id"]) ?? claimText(payload.sub) ?? "";
      return {
        kind: "accepted",
        caller: { subject, claims: payload },
        untilEpochMs: payload.exp! * 1000 + clockSkewMs,
      };
    } catch {
      return refused;
    }
  }
}

/** A claim as a header field's value; undefined for what cannot be one. */
function claimText(claim: unknown): string | undefined {
  if (typeof claim === "number" || typeof claim === "boolean") return String(claim);
  return typeof claim === "string" && claim !== "" && isFieldValue(claim) && claim.trim() === claim
    ? claim
    : undefined;
}

/** The token of `Authorization: Bearer TOKEN` (RFC 6750 2.1). Throws ProxyError in the seed's words. */
function bearerToken(values: readonly string[]): string {
  const value = values[0];
  if (value === undefined) {
    throw new ProxyError("missing-authorization", "no Authorization field", { side: "downstream" });
  }
  const token = value.slice(7);
  if (
    values.length > 1 || value.slice(0, 7).toLowerCase() !== "bearer " || token === "" ||
    token.includes(" ")
  ) {
    throw new ProxyError("invalid-authorization", "Authorization is not one Bearer token", {
      side: "downstream",
    });
  }
  if (token.length > MAX_TOKEN_LENGTH) throw invalidToken();
  return token;
}

function invalidToken(): ProxyError {
  return new ProxyError("invalid-token", "the token is bad or expired", { side: "downstream" });
}

/** An HS256 key from the configured secret. */
export function importSecret(secret: string): Promise<CryptoKey> {
  const bytes = new TextEncoder().encode(secret);
  return crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, [
    "sign",
    "verify",
  ]);
}
