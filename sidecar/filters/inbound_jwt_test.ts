import { assertEquals } from "@std/assert";
import { FakeClock } from "../../tests/support/fake_clock.ts";
import { fakeExchange } from "../../tests/support/fake_exchange.ts";
import { fakeSnapshot } from "../../tests/support/fake_snapshot.ts";
import { signToken } from "../../tests/support/tokens.ts";
import { ProxyError } from "../errors.ts";
import type { InboundJwtSettings } from "../identity/jwt/settings.ts";
import { InboundJwt } from "./inbound_jwt.ts";
import { GOOD, makeJwt, SETTINGS } from "./test_jwt.ts";

function rig() {
  const clock = new FakeClock();
  const ended: InboundJwtSettings[] = [];
  const made: InboundJwtSettings[] = [];
  const inbound = new InboundJwt((settings) => {
    made.push(settings);
    const filter = makeJwt(settings, { clock }, () => settings);
    return { filter, [Symbol.dispose]: () => void ended.push(settings) };
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

Deno.test("InboundJwt leaves everything alone where the policy says nothing", async () => {
  const { ask } = rig();
  assertEquals(await ask(undefined), "admin");
});

Deno.test("InboundJwt asks every call for a token, and says itself who is calling", async () => {
  const { ask } = rig();
  assertEquals(await ask(STRICT), "missing-authorization");
  assertEquals(await ask(STRICT, await signToken(GOOD)), "alice");
  assertEquals(await ask(STRICT, "x.y.z"), "invalid-token");
  const optional: InboundJwtSettings = { ...STRICT, auth: "optional" };
  assertEquals(await ask(optional), "nobody");
  const tokenRule = { scopes: ["a"], claims: new Map(), issuers: [] };
  assertEquals(await ask({ ...STRICT, tokenRule }, await signToken(GOOD)), "insufficient-scope");
});

Deno.test("InboundJwt makes the next before it ends the last, and lets an exchange end as it began", async () => {
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
