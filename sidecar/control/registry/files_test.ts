import { assertEquals } from "@std/assert";
import { FakeClock } from "../../../tests/support/fake_clock.ts";
import { exampleInstance, registryContract } from "../../../tests/support/registry_contract.ts";
import { Seen } from "../../../tests/support/seen.ts";
import type { Endpoint } from "../../snapshot/snapshot.ts";
import { type Clock, systemClock } from "../../lib/clock.ts";
import { SILENT } from "../../telemetry/log.ts";
import { denoFilesIo } from "../files_io.ts";
import { FilesRegistry } from "./files.ts";
import type { Instance } from "./registry.ts";

const STALE_MS = 8000;
const POLL_MS = 900;

/** On the real file system; the intervals are short so that nothing waits long, staleness is not. */
function open(directory: string, clock: Clock = systemClock): FilesRegistry {
  const intervals = clock === systemClock ? { heartbeatMs: 20, pollMs: 10 } : {};
  return new FilesRegistry({ directory, clock, log: SILENT, io: denoFilesIo, ...intervals });
}

async function announce(directory: string, instances: readonly Instance[]): Promise<void> {
  const announcer = open(directory);
  await Promise.all(instances.map((instance) => announcer.register(instance)));
  await announcer.close();
}

registryContract(
  "FilesRegistry",
  async (instances) => {
    const parent = await Deno.makeTempDir();
    const directory = `${parent}/mesh/registry`;
    await announce(directory, instances);
    return {
      open: () => open(directory),
      remove: () => Deno.remove(parent, { recursive: true }),
    };
  },
  { dynamic: true },
);

/** Lets `ms` pass for everybody on the clock, as slowly as `observer` needs to look at real files. */
async function pass(clock: FakeClock, ms: number, observer: FilesRegistry): Promise<void> {
  for (let passed = 0; passed < ms; passed += POLL_MS) {
    await clock.advance(Math.min(POLL_MS, ms - passed));
    await observer.refresh();
  }
}

Deno.test("FilesRegistry on a real directory drops a killed sidecar within staleMs and a poll, and no earlier", async () => {
  const directory = await Deno.makeTempDir();
  const clock = new FakeClock(Date.now());
  const [killed, observer] = [open(directory, clock), open(directory, clock)];
  const seen = new Seen<readonly Endpoint[]>();
  await killed.register(exampleInstance("user-service", 15106));
  observer.watch("user-service", seen.add);
  await seen.until((endpoints) => endpoints.length === 1);
  await killed.close();
  await pass(clock, STALE_MS - 1, observer);
  assertEquals(seen.all.length, 1);
  await pass(clock, POLL_MS, observer);
  assertEquals(seen.all.map((endpoints) => endpoints.length), [1, 0]);
  await observer.close();
  await Deno.remove(directory, { recursive: true });
});

Deno.test("FilesRegistry on a real directory comes back after the directory was deleted underneath", async () => {
  const parent = await Deno.makeTempDir();
  const directory = `${parent}/registry`;
  const [announcer, observer] = [open(directory), open(directory)];
  const users = new Seen<readonly Endpoint[]>();
  await announcer.register(exampleInstance("user-service", 15106));
  observer.watch("user-service", users.add);
  await users.until((endpoints) => endpoints.length === 1);
  await Deno.remove(directory, { recursive: true });
  await announcer.register(exampleInstance("user-service", 15107));
  await users.until((endpoints) => endpoints.length === 2);
  await Promise.all([announcer.close(), observer.close()]);
  await Deno.remove(parent, { recursive: true });
});
