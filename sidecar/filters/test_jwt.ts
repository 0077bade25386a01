// What the tests of Jwt share: the filter, tokens to show it, and its answers in a word.
import { FakeClock } from "../../tests/support/fake_clock.ts";
import { type FakeExchange, fakeExchange } from "../../tests/support/fake_exchange.ts";
import { fakeRoute } from "../../tests/support/fake_snapshot.ts";
import { SECRET } from "../../tests/support/tokens.ts";
import { ProxyError } from "../errors.ts";
import type { Exchange } from "../proxy/exchange.ts";
import { importSecret, Jwt, type JwtOptions } from "./jwt.ts";

export const PROTECTED = fakeRoute("/x", { auth: "jwt" });
export const OPEN = fakeRoute("/x");
/** Seconds; the clock of every test starts here. */
export const NOW = Date.UTC(2026, 0, 1) / 1000;
export const GOOD = { user_id: "alice", exp: NOW + 60, iat: NOW };

export async function filter(
  options: Partial<JwtOptions> = {},
): Promise<{ jwt: Jwt; clock: FakeClock }> {
  const clock = new FakeClock();
  const claimHeaders = new Map([["user_id", "x-user-id"]]);
  const key = await importSecret(SECRET);
  return { jwt: new Jwt({ key, clockSkewMs: 0, claimHeaders, clock, ...options }), clock };
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
