import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { FakeClock } from "../../tests/support/fake_clock.ts";
import { MemoryIdentityFiles } from "../../tests/support/memory_identity_files.ts";
import { MemoryLog } from "../../tests/support/memory_log.ts";
import { Authority } from "./authority.ts";
import type { ConnectAuthority, ConnectLeaf, ConnectRoots } from "./connect_authority.ts";
import { ConsulConnect } from "./consul_connect.ts";
import { IdentityError } from "./material.ts";

const NOW_MS = Date.UTC(2030, 0, 1);
const HOUR_MS = 3_600_000;
const ID = "spiffe://c.consul/ns/default/dc/dc1/svc/a";
const CACHE = "cache/connect-a.json";
const AUTHORITY = await Authority.load(await Authority.generate("c.consul", NOW_MS), "c.consul");

/** An agent that has what the test puts there. */
class ScriptedAuthority implements ConnectAuthority {
  failure: string | undefined;
  #leaf: ConnectLeaf | undefined;
  #roots: ConnectRoots = { index: 1, trustPem: [AUTHORITY.certificatePem] };
  #changed = Promise.withResolvers<void>();
  isClosed = false;

  async renew(id = ID, nowMs = NOW_MS): Promise<void> {
    const { certificatePem, privateKeyPem } = await AUTHORITY.issue(id, {
      nowMs,
      lifeMs: 72 * HOUR_MS,
    });
    const index = (this.#leaf?.index ?? 0) + 1;
    this.#leaf = { index, id, certificatePem, privateKeyPem };
    this.wake();
  }

  trust(...trustPem: string[]): void {
    this.#roots = { index: this.#roots.index + 1, trustPem };
    this.wake();
  }

  /** Whoever waits is answered, or fails. */
  wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }

  leaf(_service: string, index: number, cut: AbortSignal): Promise<ConnectLeaf> {
    return this.#newer(() => this.#leaf!, index, cut);
  }

  roots(index: number, cut: AbortSignal): Promise<ConnectRoots> {
    return this.#newer(() => this.#roots, index, cut);
  }

  close(): void {
    this.isClosed = true;
    this.wake();
  }

  async #newer<T extends { index: number }>(
    latest: () => T,
    index: number,
    cut: AbortSignal,
  ): Promise<T> {
    for (;;) {
      if (cut.aborted || this.isClosed) throw new Error("given up");
      if (this.failure !== undefined) throw new Error(this.failure);
      if (latest().index !== index) return latest();
      await this.#changed.promise;
    }
  }
}

async function rig(files = new MemoryIdentityFiles()) {
  const clock = new FakeClock(NOW_MS);
  const log = new MemoryLog();
  const authority = new ScriptedAuthority();
  await authority.renew();
  const source = new ConsulConnect({
    authority,
    service: "a",
    cacheFile: CACHE,
    files,
    clock,
    random: () => 0,
    log: log.logger,
  });
  return { clock, log, files, authority, source };
}

Deno.test("ConsulConnect takes leaf, name and roots from the agent", async () => {
  const { clock, authority, source } = await rig();
  const material = await source.issue();
  assertEquals([material.id, material.trustPem], [ID, [AUTHORITY.certificatePem]]);
  assertEquals(material.notAfterMs, NOW_MS + 72 * HOUR_MS);
  assertEquals(await source.hasChanged(), false);
  assertStrictEquals(await source.issue(), material);
  await source.close();
  assertEquals([authority.isClosed, clock.pending], [true, 0]);
});

Deno.test("ConsulConnect says that there is something new as soon as the agent does", async () => {
  const { clock, authority, source } = await rig();
  const first = await source.issue();
  await authority.renew();
  await clock.advance(0);
  assertEquals(await source.hasChanged(), true);
  const second = await source.issue();
  assertEquals(second.certificatePem === first.certificatePem, false);
  assertEquals(await source.hasChanged(), false);
  authority.trust("old", "new");
  await clock.advance(0);
  assertEquals(await source.hasChanged(), true);
  assertEquals((await source.issue()).trustPem, ["old", "new"]);
  await source.close();
});

Deno.test("ConsulConnect says why nothing new comes, and takes it when it does", async () => {
  const { clock, authority, source } = await rig();
  await source.issue();
  authority.failure = "Consul cannot be reached";
  authority.wake();
  await clock.advance(0);
  assertEquals(await source.hasChanged(), false);
  const error = await assertRejects(() => source.issue(), IdentityError);
  assertEquals(error.message, "Consul cannot be reached");
  authority.failure = undefined;
  await authority.renew();
  await clock.advance(60_000);
  assertEquals(await source.hasChanged(), true);
  await source.issue();
  await source.close();
});

Deno.test("ConsulConnect waits for an agent that is starting, and gives up with its reason", async () => {
  const { clock, log, authority, source } = await rig();
  authority.failure = "connection refused";
  const issue = source.issue();
  await clock.advance(5_000);
  authority.failure = undefined;
  await clock.advance(2_000);
  assertEquals((await issue).id, ID);
  assertEquals(log.lines.map(({ message }) => message), [
    "no identity from Consul yet, trying again",
  ]);
  await source.close();

  const other = await rig();
  other.authority.failure = "connection refused";
  const refusal = assertRejects(() => other.source.issue(), IdentityError, "connection refused");
  await other.clock.advance(40_000);
  await refusal;
});

Deno.test("ConsulConnect starts with what it had last while Consul is away, as long as that is good", async () => {
  const before = await rig();
  const first = await before.source.issue();
  await before.source.close();
  assertEquals([...before.files.texts.keys()], [CACHE]);

  const { clock, log, authority, source } = await rig(before.files);
  authority.failure = "connection refused";
  assertEquals(await source.issue(), first);
  assertEquals(log.lines.map(({ message }) => message), [
    "Consul gives no identity, the last one is used",
  ]);
  authority.failure = undefined;
  await clock.advance(60_000);
  assertEquals(await source.hasChanged(), true, "the agent has a newer one");
  await source.close();

  const late = await rig(before.files);
  late.clock.stepEpoch(73 * HOUR_MS);
  late.authority.failure = "connection refused";
  const refusal = assertRejects(() => late.source.issue(), IdentityError);
  await late.clock.advance(40_000);
  await refusal;
});

Deno.test("ConsulConnect takes no cache that is not its own, or garbage", async () => {
  for (
    const text of ["", "{", "[]", '{"version":1}', '{"version":2,"id":"x","trustPem":[]}', "null"]
  ) {
    const files = new MemoryIdentityFiles();
    files.write(CACHE, text);
    const { clock, authority, source } = await rig(files);
    authority.failure = "connection refused";
    const refusal = assertRejects(() => source.issue(), IdentityError, "connection refused");
    await clock.advance(40_000);
    await refusal;
  }
});

Deno.test("ConsulConnect refuses a certificate for somebody else", async () => {
  const { clock, authority, source } = await rig();
  await authority.renew("spiffe://c.consul/ns/default/dc/dc1/svc/b");
  await assertRejects(() => source.issue(), IdentityError, "where a was asked for");
  await source.close();
  assertEquals(clock.pending, 0);
});
