// Keys that come and go while requests do: what a caller sees of it.
import { assertEquals } from "@std/assert";
import { FakeClock, settle } from "../../tests/support/fake_clock.ts";
import { tokenKey } from "../../tests/support/token_keys.ts";
import { FakeProvider } from "../identity/jwt/fake_provider.ts";
import { bearer, GOOD, isRemembered, makeJwt, NOW, SETTINGS, verdict } from "./test_jwt.ts";

const OLD = await tokenKey("ES256", "old");
const NEW = await tokenKey("EdDSA", "new");
const CLAIMS = { ...GOOD, exp: NOW + 86_400, iss: "https://id.example" };

async function rig(set: (provider: FakeProvider) => void = () => {}) {
  const clock = new FakeClock();
  const provider = new FakeProvider();
  provider.keys = [OLD.jwk];
  provider.maxAgeMs = 100_000;
  set(provider);
  const keys = { kind: "jwks-uri", url: "https://id.example/jwks" } as const;
  const issuers = [{ issuer: CLAIMS.iss, audiences: [], keys }];
  const { fetchJson } = provider;
  const jwt = makeJwt({ ...SETTINGS, issuers }, { clock, fetchJson });
  await settle();
  return { clock, provider, jwt, ask: (token: string) => verdict(jwt, bearer(token)) };
}

Deno.test("Jwt takes tokens of the old and the new key while both are published, from the first one on", async () => {
  const { clock, provider, ask } = await rig();
  const [before, after] = [await OLD.sign(CLAIMS), await NEW.sign(CLAIMS)];
  assertEquals(await ask(before), "ok");
  provider.keys = [OLD.jwk, NEW.jwk];
  assertEquals([await ask(after), await ask(before)], ["ok", "ok"]);
  await clock.advance(80_000);
  assertEquals([await ask(after), await ask(before)], ["ok", "ok"]);
});

Deno.test("Jwt believes a remembered token no longer once its key has left the set", async () => {
  const { clock, provider, jwt, ask } = await rig();
  const token = await OLD.sign(CLAIMS);
  assertEquals([await ask(token), await isRemembered(jwt, token)], ["ok", true]);
  provider.keys = [NEW.jwk];
  await clock.advance(80_000);
  assertEquals(await ask(token), "invalid-token");
});

Deno.test("Jwt takes a token that it refused as soon as its key is there", async () => {
  const { clock, provider, ask } = await rig();
  await clock.advance(79_000);
  const token = await NEW.sign(CLAIMS);
  assertEquals(await ask(token), "invalid-token");
  provider.keys = [OLD.jwk, NEW.jwk];
  await clock.advance(999);
  assertEquals(await ask(token), "invalid-token");
  // The renewal counts from the fetch that the token caused.
  await clock.advance(79_001);
  assertEquals(await ask(token), "ok");
});

Deno.test("Jwt says 503 and not 401 while there are no keys, remembers nothing of it, and goes on by itself", async () => {
  const { clock, provider, ask } = await rig((provider) => provider.isDown = true);
  const token = await OLD.sign(CLAIMS);
  assertEquals([await ask(token), await ask(token)], ["jwks-unavailable", "jwks-unavailable"]);
  assertEquals(await ask("x.y.z"), "invalid-token", "that much can be said without keys");
  provider.isDown = false;
  await clock.advance(500);
  assertEquals(await ask(token), "ok");
});

Deno.test("Jwt goes on with the last good keys while the provider is away", async () => {
  const { clock, provider, ask } = await rig();
  provider.isDown = true;
  await clock.advance(3_600_000);
  assertEquals(await ask(await OLD.sign(CLAIMS)), "ok");
  assertEquals(await ask(await NEW.sign(CLAIMS)), "jwks-unavailable");
  assertEquals(await ask(await NEW.sign(CLAIMS, { kid: "old" })), "invalid-token");
});

Deno.test("Jwt says that it is overloaded rather than let tokens without number wait for their keys", async () => {
  const { provider, jwt } = await rig((provider) => provider.hold());
  const token = await OLD.sign(CLAIMS);
  const asked = Array.from({ length: 5_000 }, (_, i) => verdict(jwt, bearer(`${token}${i}`)));
  assertEquals(await asked[4_999], "overloaded");
  provider.release();
  const kinds = await Promise.all(asked);
  assertEquals(kinds.filter((kind) => kind === "overloaded").length >= 904, true);
  assertEquals(kinds.includes("invalid-token"), true);
});
