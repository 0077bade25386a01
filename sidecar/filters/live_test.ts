import { assertEquals } from "@std/assert";
import { FakeClock } from "../../tests/support/fake_clock.ts";
import { fakeExchange } from "../../tests/support/fake_exchange.ts";
import { fakeSnapshot } from "../../tests/support/fake_snapshot.ts";
import { signToken } from "../../tests/support/tokens.ts";
import { ProxyError } from "../errors.ts";
import type { InboundJwtSettings } from "../identity/jwt/settings.ts";
import type { Jwt } from "./jwt.ts";
import { Live } from "./live.ts";
import { GOOD, makeJwt, SETTINGS } from "./test_jwt.ts";

function rig() {
  const clock = new FakeClock();
  const ended: InboundJwtSettings[] = [];
  const made: InboundJwtSettings[] = [];
  const settingsOf = new Map<Jwt, InboundJwtSettings>();
  const inbound = new Live<InboundJwtSettings, Jwt>({
    name: "inbound-jwt",
    settingsOf: ({ inboundJwt }) => inboundJwt,
    make: (settings) => {
      made.push(settings);
      const filter = makeJwt(settings, { clock }, () => settings);
      settingsOf.set(filter, settings);
      return filter;
    },
    release: (filter) => void ended.push(settingsOf.get(filter)!),
  });
  const ask = async (settings: InboundJwtSettings | undefined, token?: string) => {
    const snapshot = { ...fakeSnapshot(), inboundJwt: settings };
    const headers: Record<string, string> = { "x-user-id": "admin" };
    if (token !== undefined) headers["authorization"] = `Bearer ${token}`;
    const exchange = fakeExchange({ listener: "inbound", snapshot, headers });
    try {
      await inbound.onRequest(exchange);
      return exchange.request.headers.get("x-user-id") ?? "nobody";
    } catch (error) {
      return error instanceof ProxyError ? error.kind : error;
    }
  };
  return { inbound, ask, made, ended };
}

const STRICT: InboundJwtSettings = { ...SETTINGS, auth: "jwt" };

Deno.test("Live leaves everything alone where the policy says nothing", async () => {
  const { ask } = rig();
  assertEquals(await ask(undefined), "admin");
});

Deno.test("Live goes by the settings in force: every call is asked for a token, and says itself who is calling", async () => {
  const { ask } = rig();
  assertEquals(await ask(STRICT), "missing-authorization");
  assertEquals(await ask(STRICT, await signToken(GOOD)), "alice");
  assertEquals(await ask(STRICT, "x.y.z"), "invalid-token");
  const optional: InboundJwtSettings = { ...STRICT, auth: "optional" };
  assertEquals(await ask(optional), "nobody");
  const tokenRule = { scopes: ["a"], claims: new Map(), issuers: [] };
  assertEquals(await ask({ ...STRICT, tokenRule }, await signToken(GOOD)), "insufficient-scope");
});

Deno.test("Live makes the next before it ends the last, and lets an exchange end as it began", async () => {
  const { inbound, ask, made, ended } = rig();
  const next: InboundJwtSettings = { ...STRICT, auth: "optional" };
  inbound.apply(STRICT);
  inbound.apply(STRICT);
  assertEquals(made, [STRICT]);
  inbound.apply(next);
  assertEquals([made, ended], [[STRICT, next], [STRICT]]);
  assertEquals(await ask(STRICT), "missing-authorization");
  assertEquals(await ask(next), "nobody");
  inbound.apply(undefined);
  assertEquals([made.length, ended], [2, [STRICT, next]]);
});

Deno.test("Live has what it was told to prepare, and ends it where something else is applied", () => {
  const { inbound, made, ended } = rig();
  const [first, second, third] = [{ ...STRICT }, { ...STRICT }, { ...STRICT }];
  inbound.prepare(first);
  inbound.apply(first);
  assertEquals([made.length, ended.length], [1, 0]);
  inbound.prepare(second);
  inbound.prepare(third);
  assertEquals([made.length, ended], [3, [second]]);
  inbound.apply(first);
  assertEquals(ended, [second, third]);
  inbound.apply(undefined);
  assertEquals(ended, [second, third, first]);
});
