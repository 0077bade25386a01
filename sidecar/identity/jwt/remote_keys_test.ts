import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { FakeClock, settle } from "../../../tests/support/fake_clock.ts";
import { MemoryLog } from "../../../tests/support/memory_log.ts";
import { FakeProvider } from "./fake_provider.ts";
import { RemoteKeys } from "./remote_keys.ts";

/** Shape is enough: nothing is signed here. */
function key(kid: string): object {
  const x = new Uint8Array(32).fill(kid.charCodeAt(1));
  return {
    kty: "OKP",
    crv: "Ed25519",
    kid,
    x: x.toBase64({ alphabet: "base64url", omitPadding: true }),
  };
}

const [K1, K2, K3] = [key("k1"), key("k2"), key("k3")] as const;

async function rig(set: (provider: FakeProvider) => void = () => {}, random = 0) {
  const clock = new FakeClock();
  const provider = new FakeProvider();
  provider.keys = [K1];
  set(provider);
  const log = new MemoryLog();
  const changes: string[] = [];
  const source = new RemoteKeys({
    url: "https://id.example/jwks",
    fetchJson: provider.fetchJson,
    clock,
    random: () => random,
    log: log.logger,
    onChanged: () => changes.push(kidsOf(source)),
  });
  await settle();
  return { clock, provider, source, log, changes, kids: () => kidsOf(source) };
}

function kidsOf(source: RemoteKeys): string {
  return (source.current?.keys ?? []).map(({ kid }) => kid).join(" ");
}

Deno.test("RemoteKeys fetches at once, and ahead of the time that the server names", async () => {
  const { clock, provider, kids, changes } = await rig((provider) => provider.maxAgeMs = 100_000);
  assertEquals([kids(), provider.fetches, changes], ["k1", 1, ["k1"]]);
  provider.keys = [K1, K2];
  await clock.advance(79_999);
  assertEquals([kids(), provider.fetches], ["k1", 1]);
  await clock.advance(1);
  assertEquals([kids(), provider.fetches, changes], ["k1 k2", 2, ["k1", "k1 k2"]]);
});

Deno.test("RemoteKeys keeps to bounds of its own, whatever the server names", async () => {
  for (
    const [maxAgeMs, afterMs] of [[0, 48_000], [1e12, 2_880_000], [undefined, 480_000]] as const
  ) {
    const { clock, provider } = await rig((provider) => provider.maxAgeMs = maxAgeMs);
    await clock.advance(afterMs - 1);
    assertEquals(provider.fetches, 1, `${maxAgeMs}`);
    await clock.advance(1);
    assertEquals(provider.fetches, 2, `${maxAgeMs}`);
  }
});

Deno.test("RemoteKeys keeps the object of a key that stays, and retires one that has left", async () => {
  const { clock, provider, source } = await rig();
  const [first] = source.current!.keys;
  provider.keys = [K2, K1];
  await clock.advance(480_000);
  assertStrictEquals(source.current!.keys[1], first);
  assertEquals(first!.isRetired, false);
  provider.keys = [K2];
  await clock.advance(480_000);
  assertEquals([first!.isRetired, source.current!.keys[0]!.isRetired], [true, false]);
});

Deno.test("RemoteKeys says nothing of a set that says the same", async () => {
  const { clock, provider, changes, log } = await rig();
  await clock.advance(4_800_000);
  assertEquals([provider.fetches, changes.length, log.lines.length], [11, 1, 1]);
});

Deno.test("RemoteKeys keeps its keys while the provider is away, however long and however broken", async () => {
  const { clock, provider, source, kids, log } = await rig();
  provider.isDown = true;
  await clock.advance(3_600_000);
  assertEquals(kids(), "k1");
  assert(source.failures > 100);
  provider.isDown = false;
  for (const broken of [[], [{ kty: "none" }], [{ ...K2, use: "enc" }]]) {
    provider.keys = broken;
    await clock.advance(60_000);
    assertEquals(kids(), "k1");
  }
  provider.keys = [K2];
  await clock.advance(30_000);
  assertEquals([kids(), source.failures], ["k2", 0]);
  // One line for the whole time, and not one a try.
  assertEquals(log.messages("warn"), ["keys cannot be fetched"]);
});

Deno.test("RemoteKeys tries again by itself when the provider is away at the start, ever less often", async () => {
  const { clock, provider, source, kids } = await rig(
    (provider) => provider.isDown = true,
    0.99,
  );
  assertEquals([source.current, provider.fetches], [undefined, 1]);
  assertEquals(await source.seek("k1"), "unavailable");
  assertEquals(provider.fetches, 1, "a request makes no fetch");
  await clock.advance(1500);
  assertEquals(provider.fetches, 2);
  await clock.advance(600_000);
  assert(provider.fetches < 30, `${provider.fetches}`);
  provider.isDown = false;
  await clock.advance(30_000);
  assertEquals(kids(), "k1");
});

Deno.test("RemoteKeys makes requests wait for the very first answer", async () => {
  const { provider, source } = await rig((provider) => provider.hold());
  const sought = [source.seek("k1"), source.seek(undefined), source.seek("k9")];
  provider.release();
  assertEquals(await Promise.all(sought), ["found", "found", "absent"]);
});

Deno.test("RemoteKeys fetches once for a name it does not know, however many ask", async () => {
  const { provider, source, kids } = await rig();
  provider.keys = [K1, K2];
  const sought = Array.from({ length: 100 }, () => source.seek("k2"));
  assertEquals(new Set(await Promise.all(sought)), new Set(["found"]));
  assertEquals([provider.fetches, kids()], [2, "k1 k2"]);
});

Deno.test("RemoteKeys is not to be driven by names that strangers make up", async () => {
  const { clock, provider, source } = await rig();
  for (let i = 0; i < 1000; i++) assertEquals(await source.seek(`x${i}`), "absent");
  assertEquals(provider.fetches, 4);
  for (let second = 0; second < 60; second++) {
    for (let i = 0; i < 10; i++) await source.seek(`y${second} ${i}`);
    await clock.advance(1000);
  }
  assert(provider.fetches <= 4 + 12, `${provider.fetches} fetches in a minute`);
});

Deno.test("RemoteKeys remembers for ten seconds that a name is not there, and for no longer", async () => {
  const { clock, provider, source } = await rig();
  assertEquals(await source.seek("k2"), "absent");
  provider.keys = [K1, K2];
  await clock.advance(9_999);
  assertEquals([await source.seek("k2"), provider.fetches], ["absent", 2]);
  await clock.advance(1);
  assertEquals([await source.seek("k2"), provider.fetches], ["found", 3]);
});

Deno.test("RemoteKeys does not take the answer to an older question for a no", async () => {
  const { clock, provider, source } = await rig();
  provider.hold();
  await clock.advance(480_000); // a fetch by the timer is under way
  provider.keys = [K1, K2]; // published behind its back
  const sought = source.seek("k2");
  provider.release();
  assertEquals([await sought, provider.fetches], ["found", 3]);
});

Deno.test("RemoteKeys says neither yes nor no of an unknown name while the provider is away, and forgets nothing", async () => {
  const { clock, provider, source, kids } = await rig();
  provider.isDown = true;
  provider.keys = [K2, K3];
  assertEquals(await source.seek("k2"), "unavailable");
  assertEquals(await source.seek("k2"), "unavailable");
  assertEquals([provider.fetches, kids()], [2, "k1"]);
  provider.isDown = false;
  await clock.advance(500);
  assertEquals(kids(), "k2 k3", "the timer asks again, and soon");
});

Deno.test("RemoteKeys takes no secret from a server, and uses the good keys beside the bad ones", async () => {
  const k = "A".repeat(43);
  const { source, log } = await rig((provider) => {
    provider.keys = [{ kty: "oct", k, kid: "s" }, K1, {
      kty: "RSA",
      n: "AQAB",
      e: "AQAB",
      kid: "weak",
    }];
  });
  assertEquals(kidsOf(source), "k1");
  const line = JSON.stringify(log.lines);
  assert(line.includes("keys[0]: a secret among keys") && line.includes("keys[2]: its n"), line);
  assert(!line.includes(k));
});

Deno.test("RemoteKeys asks for nothing more once it is closed, and leaves no timer", async () => {
  const { clock, provider, source, log } = await rig();
  provider.hold();
  const sought = source.seek("k2");
  source.close();
  assertEquals(await sought, "unavailable");
  assertEquals(clock.pending, 0);
  await clock.advance(86_400_000);
  assertEquals(provider.fetches, 2);
  assertEquals(log.messages("warn"), []);
});
