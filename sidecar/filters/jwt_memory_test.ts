import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { signToken } from "../../tests/support/tokens.ts";
import { bearer, filter, GOOD, isRemembered, NOW, verdict } from "./test_jwt.ts";

Deno.test("Jwt refuses a token longer than 16 KiB without looking at it", async () => {
  const { jwt } = await filter();
  const padded = { ...GOOD, padding: "x".repeat(16_384) };
  const long = await signToken(padded);
  assert(await isRemembered(jwt, long), "no signature was checked");
  assertEquals(await verdict(jwt, bearer(long)), "invalid-token");
  assertEquals(await verdict(jwt, bearer("x".repeat(1_000_000))), "invalid-token");
  const allowed = await signToken({ ...GOOD, padding: "x".repeat(8000) });
  assertEquals(await verdict(jwt, bearer(allowed)), "ok");
});

Deno.test("Jwt checks a token once and remembers it to the millisecond of its end", async () => {
  const { jwt, clock } = await filter();
  const token = await signToken(GOOD);
  assertEquals(await isRemembered(jwt, token), false);
  assertEquals(await isRemembered(jwt, token), true);
  await clock.advance(59_999);
  assertEquals(await verdict(jwt, bearer(token)), "ok");
  assertEquals(await isRemembered(jwt, token), true);
  await clock.advance(1);
  assertEquals(await isRemembered(jwt, token), false);
  assertEquals(await verdict(jwt, bearer(token)), "invalid-token");
});

Deno.test("Jwt remembers a token over its end by clockSkew, as it would accept it", async () => {
  const { jwt, clock } = await filter({ clockSkewMs: 5000 });
  const token = await signToken({ ...GOOD, exp: NOW + 1 });
  await verdict(jwt, bearer(token));
  await clock.advance(5999);
  assertEquals(await verdict(jwt, bearer(token)), "ok");
  await clock.advance(1);
  assertEquals(await verdict(jwt, bearer(token)), "invalid-token");
});

Deno.test("Jwt goes by the wall clock: a step over the end of a token ends it", async () => {
  const { jwt, clock } = await filter();
  const token = await signToken(GOOD);
  await verdict(jwt, bearer(token));
  clock.stepEpoch(61_000);
  assertEquals(await verdict(jwt, bearer(token)), "invalid-token");
});

Deno.test("Jwt remembers a refused token for five seconds, so that one whose time has come gets in", async () => {
  const { jwt, clock } = await filter();
  const early = await signToken({ ...GOOD, nbf: NOW + 3 });
  assertEquals(await verdict(jwt, bearer(early)), "invalid-token");
  await clock.advance(4999);
  assertEquals(await isRemembered(jwt, early), true);
  await clock.advance(1);
  assertEquals(await verdict(jwt, bearer(early)), "ok");
});

Deno.test("Jwt checks a token once however often it comes at once", async () => {
  const { jwt } = await filter();
  const token = await signToken(GOOD);
  const exchanges = Array.from({ length: 50 }, () => bearer(token));
  await Promise.all(exchanges.map((exchange) => jwt.onRequest(exchange)));
  for (const exchange of exchanges) assertStrictEquals(exchange.caller, exchanges[0]!.caller);
});

Deno.test("Jwt keeps its good tokens when it is flooded with bad ones", async () => {
  const { jwt } = await filter();
  const good = await signToken(GOOD);
  await verdict(jwt, bearer(good));
  const bad = "x.y.z0";
  await verdict(jwt, bearer(bad));
  for (let i = 1; i <= 10_001; i++) await verdict(jwt, bearer(`x.y.z${i}`));
  assertEquals(await isRemembered(jwt, good), true);
  assertEquals(await isRemembered(jwt, bad), false, "refused ones are bounded");
});

Deno.test("Jwt keeps no token longer than 4 KiB: ten thousand of those would be a memory of their own", async () => {
  const { jwt } = await filter();
  const long = await signToken({ ...GOOD, padding: "x".repeat(4096) });
  for (let i = 0; i < 2; i++) assertEquals(await verdict(jwt, bearer(long)), "ok");
  assertEquals(await isRemembered(jwt, long), false);
  const bad = "x".repeat(5000);
  await verdict(jwt, bearer(bad));
  assertEquals(await isRemembered(jwt, bad), false);
});
