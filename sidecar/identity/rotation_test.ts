import { assertEquals, assertRejects } from "@std/assert";
import { FakeClock } from "../../tests/support/fake_clock.ts";
import { MemoryLog } from "../../tests/support/memory_log.ts";
import { IdentityError, type IdentityMaterial, type IdentitySource } from "./material.ts";
import { Rotation } from "./rotation.ts";

const HOUR_MS = 3_600_000;

/** A source whose answers the test decides on. */
class ScriptedSource implements IdentitySource {
  issued = 0;
  isChanged = false;
  failure: string | undefined;
  readonly #clock: FakeClock;
  readonly #lifeMs: number;

  constructor(clock: FakeClock, lifeMs: number) {
    this.#clock = clock;
    this.#lifeMs = lifeMs;
  }

  issue(): Promise<IdentityMaterial> {
    this.issued++;
    if (this.failure !== undefined) return Promise.reject(new IdentityError(this.failure));
    this.isChanged = false;
    const notBeforeMs = this.#clock.epoch();
    return Promise.resolve({
      id: "spiffe://mesh.local/ns/default/svc/a",
      certificatePem: `leaf ${this.issued}`,
      privateKeyPem: "key",
      trustPem: ["root"],
      notBeforeMs,
      notAfterMs: notBeforeMs + this.#lifeMs,
    });
  }

  hasChanged(): Promise<boolean> {
    return Promise.resolve(this.isChanged);
  }
}

interface RigOptions {
  readonly lifeMs?: number;
  readonly random?: () => number;
}

function rig({ lifeMs = 24 * HOUR_MS, random = () => 0 }: RigOptions = {}) {
  const clock = new FakeClock();
  const log = new MemoryLog();
  const source = new ScriptedSource(clock, lifeMs);
  const used: string[] = [];
  const refuse = new Set<string>();
  const rotation = new Rotation({
    source,
    clock,
    log: log.logger,
    random,
    use: ({ certificatePem }) => {
      if (refuse.has(certificatePem)) throw new Error("cannot be used");
      used.push(certificatePem);
    },
  });
  return { clock, log, source, used, refuse, rotation };
}

Deno.test("Rotation puts a new leaf into force at two thirds of the old one's life", async () => {
  const { clock, used, rotation } = rig();
  await rotation.start();
  await clock.advance(16 * HOUR_MS - 2_001);
  assertEquals(used, ["leaf 1"]);
  await clock.advance(4_000);
  assertEquals(used, ["leaf 1", "leaf 2"]);
  assertEquals(rotation.generation, 2);
  await rotation.close();
  assertEquals(clock.pending, 0);
});

Deno.test("Rotation begins up to a twentieth of the life earlier, as chance has it", async () => {
  const { clock, used, rotation } = rig({ random: () => 0.999 });
  await rotation.start();
  await clock.advance(14.8 * HOUR_MS - 2_001);
  assertEquals(used, ["leaf 1"]);
  await clock.advance(0.1 * HOUR_MS);
  assertEquals(used, ["leaf 1", "leaf 2"]);
  await rotation.close();
});

Deno.test("Rotation takes a source's own change within seconds", async () => {
  const { clock, source, used, rotation } = rig();
  await rotation.start();
  source.isChanged = true;
  await clock.advance(2_000);
  assertEquals(used, ["leaf 1", "leaf 2"]);
  await rotation.close();
});

Deno.test("Rotation keeps the last good leaf while its source fails, says so once, and goes on trying", async () => {
  const { clock, log, source, used, rotation } = rig({ random: () => 0.5 });
  await rotation.start();
  source.failure = "the disk is full";
  source.isChanged = true;
  await clock.advance(10 * 60_000);
  assertEquals(used, ["leaf 1"]);
  assertEquals(rotation.failure, "the disk is full");
  assertEquals(log.messages("error"), ["identity cannot be renewed; the last one stays"]);
  // Backed off: with a try each two seconds it would be 300.
  assertEquals(source.issued > 3 && source.issued < 60, true, String(source.issued));
  source.failure = undefined;
  await clock.advance(2 * 60_000);
  assertEquals(used.length, 2);
  assertEquals(rotation.failure, undefined);
  await rotation.close();
});

Deno.test("Rotation keeps the last good leaf when the new one cannot be used", async () => {
  const { clock, source, used, refuse, rotation } = rig();
  await rotation.start();
  refuse.add("leaf 2");
  source.isChanged = true;
  await clock.advance(2_000);
  assertEquals([used, rotation.generation], [["leaf 1"], 1]);
  await clock.advance(10_000);
  assertEquals(used, ["leaf 1", "leaf 3"]);
  await rotation.close();
});

Deno.test("Rotation warns a day and an hour before the end of a leaf that lived longer", async () => {
  const { clock, log, source, rotation } = rig({ lifeMs: 90 * 24 * HOUR_MS });
  await rotation.start();
  source.failure = "away";
  await clock.advance(88.9 * 24 * HOUR_MS);
  assertEquals(log.messages("warn").length, 0);
  await clock.advance(2.5 * HOUR_MS);
  assertEquals(log.messages("warn").length, 1);
  await clock.advance(23 * HOUR_MS);
  assertEquals(log.messages("warn").length, 2);
  await rotation.close();
});

Deno.test("Rotation goes on with what its source still has, and takes what is new when it is there", async () => {
  const { clock, log, source, used, rotation } = rig({ lifeMs: 24 * HOUR_MS });
  const first = await source.issue();
  source.issue = () => Promise.resolve(first);
  await rotation.start();
  await clock.advance(23.5 * HOUR_MS);
  assertEquals([used.length, rotation.generation, rotation.failure], [1, 1, undefined]);
  assertEquals(log.lines.map(({ message }) => message), [
    "the identity's certificate expires soon",
  ]);
  const second = { ...first, certificatePem: "leaf 2" };
  source.issue = () => Promise.resolve(second);
  source.isChanged = true;
  await clock.advance(4_000);
  assertEquals(used, [first.certificatePem, "leaf 2"]);
  await rotation.close();
});

Deno.test("Rotation fails to start when there is no first identity", async () => {
  const { source, rotation, clock } = rig();
  source.failure = "no root";
  await assertRejects(() => rotation.start(), IdentityError, "no root");
  await rotation.close();
  assertEquals(clock.pending, 0);
});
