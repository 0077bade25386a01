// What the tests of Jwt share: the filter, tokens to show it, and its answers in a word.
import { FakeClock } from "../../tests/support/fake_clock.ts";
import { type FakeExchange, fakeExchange } from "../../tests/support/fake_exchange.ts";
import { fakeRoute } from "../../tests/support/fake_snapshot.ts";
import { SECRET } from "../../tests/support/tokens.ts";
import { ProxyError } from "../errors.ts";
import { KeySources, type KeySourcesOptions } from "../identity/jwt/key_sources.ts";
import type { IssuerSettings, JwtSettings } from "../identity/jwt/settings.ts";
import { TokenVerifier } from "../identity/jwt/verifier.ts";
import type { Clock } from "../lib/clock.ts";
import type { Exchange } from "../proxy/exchange.ts";
import { SILENT } from "../telemetry/log.ts";
import { Jwt, type JwtOptions } from "./jwt.ts";

export const PROTECTED = fakeRoute("/x", { auth: "jwt" });
export const OPEN = fakeRoute("/x");
/** Seconds; the clock of every test starts here. */
export const NOW = Date.UTC(2026, 0, 1) / 1000;
export const GOOD = { user_id: "alice", exp: NOW + 60, iat: NOW };

/** What a gateway with nothing but SECRET says. */
export const SETTINGS: JwtSettings = {
  issuers: [{ audiences: [], algorithms: ["HS256"], keys: { kind: "secret", secret: SECRET } }],
  clockSkewMs: 0,
  claimHeaders: new Map([["user_id", "x-user-id"]]),
  tokenFrom: [{ kind: "header", name: "authorization", scheme: "Bearer" }],
  requiredClaims: new Map(),
};

export interface JwtParts extends Partial<Pick<KeySourcesOptions, "fetchJson" | "readText">> {
  readonly clock: Clock;
}

/** A filter that goes by the route, with keys from nowhere unless the test says so. */
export function makeJwt(
  settings: JwtSettings,
  parts: JwtParts,
  demandOf: JwtOptions["demandOf"] = ({ route }) => route,
): Jwt {
  const { clock } = parts;
  const nowhere = () => Promise.reject(new Error("nowhere"));
  const sources = new KeySources({
    fetchJson: nowhere,
    readText: nowhere,
    random: () => 0,
    log: SILENT,
    ...parts,
  });
  const verifier = new TokenVerifier({ settings, sources, clock });
  return new Jwt({ verifier, settings, clock, demandOf });
}

export interface FilterOptions extends Partial<JwtSettings> {
  readonly issuer?: string;
  readonly audience?: string;
}

export function filter(
  { issuer, audience, ...settings }: FilterOptions = {},
  clock = new FakeClock(),
): Promise<{ jwt: Jwt; clock: FakeClock }> {
  const one: IssuerSettings = {
    ...SETTINGS.issuers[0]!,
    ...(issuer === undefined ? {} : { issuer }),
    audiences: audience === undefined ? [] : [audience],
  };
  const jwt = makeJwt({ ...SETTINGS, issuers: [one], ...settings }, { clock });
  return Promise.resolve({ jwt, clock });
}

export function bearer(token: string, about: FakeExchange = {}): Exchange {
  return fakeExchange({
    route: PROTECTED,
    headers: { authorization: `Bearer ${token}` },
    ...about,
  });
}

/** "ok", or the kind of the refusal. */
export async function verdict(jwt: Jwt, exchange: Exchange): Promise<string> {
  try {
    await jwt.onRequest(exchange);
    return "ok";
  } catch (error) {
    if (error instanceof ProxyError) return error.kind;
    throw error;
  }
}

/** Whether the answer was known: then it comes at once, without a check of the signature. */
export async function isRemembered(jwt: Jwt, token: string): Promise<boolean> {
  try {
    const answer = jwt.onRequest(bearer(token));
    await answer?.catch(() => {});
    return answer === undefined;
  } catch {
    return true;
  }
}
