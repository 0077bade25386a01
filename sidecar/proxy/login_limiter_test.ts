import { assert, assertEquals, assertThrows } from "@std/assert";
import { fakeExchange } from "../../tests/support/fake_exchange.ts";
import { ProxyError } from "../errors.ts";
import { LoginLimiter } from "./login_limiter.ts";

const LIMIT = {
  user: { rate: { count: 10, perMs: 60_000 }, burst: 10 },
  client: { rate: { count: 60, perMs: 60_000 }, burst: 60 },
};

function rig() {
  const limiter = new LoginLimiter(LIMIT);
  /** How many of `tries` are let through. */
  const count = (tries: number, name: unknown, clientAddress = "192.0.2.1", startedAt = 0) => {
    let passed = 0;
    for (let i = 0; i < tries; i++) {
      try {
        const exchange = fakeExchange({ clientAddress, startedAt });
        limiter.takeOfClient(exchange);
        limiter.takeOfUser(exchange, name);
        passed++;
      } catch (error) {
        assert(error instanceof ProxyError && error.kind === "rate-limited");
      }
    }
    return passed;
  };
  return { limiter, count };
}

Deno.test("LoginLimiter lets a client try one name ten times at once, and ten times a minute", () => {
  const { count } = rig();
  assertEquals(count(20, "alice"), 10);
  assertEquals(count(1, "alice", "192.0.2.1", 5_999), 0);
  assertEquals(count(2, "alice", "192.0.2.1", 6_000), 1);
  assertEquals(count(1, "bob"), 1);
});

Deno.test("LoginLimiter lets nobody lock the owner of a name out", () => {
  const { count } = rig();
  assertEquals(count(20, "alice", "198.51.100.1"), 10);
  assertEquals(count(5, "alice", "192.0.2.1"), 5);
});

Deno.test("LoginLimiter bounds a client that tries many names", () => {
  const { limiter, count } = rig();
  let passed = 0;
  for (let i = 0; i < 100; i++) passed += count(1, `user${i}`);
  assertEquals(passed, 60);
  assertEquals(count(1, "other", "192.0.2.2"), 1);
  const error = assertThrows(
    () => limiter.takeOfClient(fakeExchange({ clientAddress: "192.0.2.1" })),
    ProxyError,
  );
  assertEquals(error.fields, { "retry-after": "1" });
});

Deno.test("LoginLimiter takes spellings of one name for one", () => {
  const { count } = rig();
  for (const name of ["alice", "ALICE", " alice ", "ａｌｉｃｅ", "Alice"]) count(2, name);
  assertEquals(count(1, "alice"), 0);
});

Deno.test("LoginLimiter takes the addresses of one IPv6 network for one client", () => {
  const { count } = rig();
  let passed = 0;
  for (let i = 0; i < 30; i++) passed += count(1, "alice", `2001:db8:0:1::${i.toString(16)}`);
  assertEquals(passed, 10);
  assertEquals(count(1, "alice", "2001:db8:0:2::1"), 1);
  assertEquals(count(1, "alice", "::ffff:192.0.2.7") + count(1, "alice", "192.0.2.8"), 2);
});

Deno.test("LoginLimiter leaves a name that is no text to whoever reads the body", () => {
  const { count } = rig();
  for (const name of [undefined, 7, null, {}]) assertEquals(count(11, name), 11);
});
