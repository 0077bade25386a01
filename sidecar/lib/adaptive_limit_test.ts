import { assert, assertEquals } from "@std/assert";
import { Server, Simulation } from "../../tests/support/simulation/events.ts";
import { AdaptiveLimit, type AdaptiveLimitSettings } from "./adaptive_limit.ts";

const SETTINGS: AdaptiveLimitSettings = { min: 3, max: 1000, initial: 100, tolerance: 1.5 };
const WORKERS = 10;
const SERVICE_MS = 20;
/** Requests a second that the server can do at most. */
const CAPACITY = WORKERS * 1000 / SERVICE_MS;
/** Who waits longer has given up. */
const PATIENCE_MS = 500;

interface Run {
  /** Of the capacity offered. */
  readonly load: number;
  readonly limit?: AdaptiveLimit;
  readonly seconds?: number;
  /** In which nothing is counted yet. */
  readonly warmUpSeconds?: number;
  readonly serviceMs?: (simulation: Simulation) => number;
  readonly seed?: number;
}

/** Answers in time, a second. */
function goodput({ load, limit, seconds = 60, warmUpSeconds = 20, serviceMs, seed }: Run): number {
  const simulation = new Simulation(seed);
  const time = serviceMs ?? ((each) => each.exponential(SERVICE_MS));
  const server = new Server(simulation, WORKERS, () => time(simulation));
  let good = 0;
  const arrive = () => {
    simulation.after(simulation.exponential(1000 / (load * CAPACITY)), arrive);
    if (limit?.tryAcquire() === false) return;
    const begin = simulation.now;
    server.work(() => {
      const latency = simulation.now - begin;
      limit?.release(latency, simulation.now);
      if (latency <= PATIENCE_MS && begin >= warmUpSeconds * 1000) good++;
    });
  };
  arrive();
  simulation.runUntil((warmUpSeconds + seconds) * 1000);
  return good / seconds;
}

function fresh(settings: Partial<AdaptiveLimitSettings> = {}): AdaptiveLimit {
  return new AdaptiveLimit({ ...SETTINGS, ...settings }, 0);
}

Deno.test("at twice the capacity 90 % of the best goodput is kept, and without a limit next to nothing", () => {
  const peak = goodput({ load: 0.9 }) / 0.9;
  for (const seed of [1, 2, 3, 4, 5]) {
    const kept = goodput({ load: 2, limit: fresh(), seed });
    assert(kept >= 0.9 * peak, `seed ${seed}: ${kept} of ${peak} a second`);
    const lost = goodput({ load: 2, seed });
    assert(lost < 0.1 * peak, `seed ${seed}: without ${lost} of ${peak}`);
  }
});

Deno.test("an overload that lasts ten minutes does not become the way things are", () => {
  const limit = fresh();
  const kept = goodput({ load: 2, limit, seconds: 60, warmUpSeconds: 600 });
  assert(kept >= 0.9 * CAPACITY, `${kept} a second`);
  assert(limit.limit < 4 * WORKERS, `a limit of ${limit.limit}`);
});

Deno.test("a load that fits is not refused", () => {
  for (const seed of [1, 2, 3]) {
    const limit = fresh();
    const kept = goodput({ load: 0.7, limit, seed });
    assert(kept >= 0.98 * 0.7 * CAPACITY, `seed ${seed}: ${kept} of ${0.7 * CAPACITY} a second`);
  }
});

Deno.test("a server that becomes three times slower gets a third, and all of it when it is well again", () => {
  let factor = 1;
  const limit = fresh();
  const simulation = new Simulation();
  const server = new Server(simulation, WORKERS, () => simulation.exponential(SERVICE_MS * factor));
  let good = 0;
  const arrive = () => {
    simulation.after(simulation.exponential(1000 / (1.5 * CAPACITY)), arrive);
    if (!limit.tryAcquire()) return;
    const begin = simulation.now;
    server.work(() => {
      limit.release(simulation.now - begin, simulation.now);
      if (simulation.now - begin <= PATIENCE_MS) good++;
    });
  };
  arrive();
  const goodIn = (from: number, to: number) => {
    simulation.runUntil(from * 1000);
    good = 0;
    simulation.runUntil(to * 1000);
    return good / (to - from);
  };
  const well = goodIn(20, 40);
  factor = 3;
  const slow = goodIn(60, 80);
  factor = 1;
  const again = goodIn(100, 120);
  assert(slow >= 0.85 * CAPACITY / 3, `slow: ${slow}`);
  assert(well >= 0.9 * CAPACITY && again >= 0.9 * CAPACITY, `well: ${well}, again: ${again}`);
});

Deno.test("AdaptiveLimit stays within its bounds, also when they change", () => {
  const limit = fresh({ initial: 4, min: 3, max: 5 });
  let now = 0;
  const window = (latency: number) => {
    for (let i = 0; i < 60; i++) {
      for (let n = 0; n < 3; n++) assert(limit.tryAcquire());
      for (let n = 0; n < 3; n++) limit.release(latency, now += 1);
    }
  };
  for (let i = 0; i < 50; i++) window(10);
  assertEquals(limit.limit, 5);
  for (let i = 0; i < 50; i++) window(1000);
  assertEquals(limit.limit, 3);
  limit.adopt({ ...SETTINGS, min: 20, max: 50 });
  assertEquals(limit.limit, 20);
});

Deno.test("AdaptiveLimit does not grow where nobody asks for more, and lets one through whatever its limit", () => {
  const limit = fresh({ initial: 100 });
  for (let now = 0; now < 100_000; now += 2) {
    assert(limit.tryAcquire());
    limit.release(10, now);
  }
  assertEquals(limit.limit, 100);
  const tiny = fresh({ initial: 1, min: 1 });
  assert(tiny.tryAcquire(0.5));
  assertEquals([tiny.tryAcquire(), tiny.inFlight], [false, 1]);
});

Deno.test("AdaptiveLimit gives a share of itself to what matters less", () => {
  const limit = fresh({ initial: 10 });
  const fill = (share: number) => {
    let count = 0;
    while (limit.tryAcquire(share)) count++;
    return count;
  };
  assertEquals([fill(0.8), fill(1), fill(1.2)], [8, 2, 2]);
});
