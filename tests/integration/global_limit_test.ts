// One limit that two sidecars count together in a real Redis; and what becomes of requests when Redis dies, hangs and comes back.
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { RawApp } from "./support/raw_app.ts";
import { NEEDS_REDIS, RedisServer } from "./support/redis.ts";
import { TestSidecar } from "./support/sidecar.ts";
import { until } from "./support/until.ts";
import { answer, get, statusOf, Wire } from "./support/wire.ts";
import { Workspace } from "./support/workspace.ts";

type Section = Readonly<Record<string, unknown>>;

/** A sidecar whose app may be called as often as the limit says. */
function start(workspace: Workspace, app: RawApp, redis: Section, limit: Section) {
  return TestSidecar.start(workspace, {
    service: "order-service",
    app: app.port,
    config: {
      redis,
      policy: { inbound: { rateLimits: [{ key: "all", scope: "global", ...limit }] } },
      log: { format: "text", access: "off" },
    },
  });
}

/** Asks without a pause for so long, over some connections; how many were let through, and how long the slowest answer took. */
async function hammer(sidecar: TestSidecar, ms: number, clients = 4) {
  const end = performance.now() + ms;
  let passed = 0;
  let slowest = 0;
  await Promise.all(Array.from({ length: clients }, async () => {
    using wire = await Wire.dial(sidecar.ports.inbound);
    while (performance.now() < end) {
      const begin = performance.now();
      const status = statusOf(await wire.exchange(get("order-service", "/")));
      slowest = Math.max(slowest, performance.now() - begin);
      assert(status === 200 || status === 429, `${status}`);
      if (status === 200) passed++;
    }
  }));
  return { passed, slowest };
}

async function ask(sidecar: TestSidecar): Promise<number> {
  using wire = await Wire.dial(sidecar.ports.inbound);
  return statusOf(await wire.exchange(get("order-service", "/")));
}

Deno.test({
  name: "two sidecars let through together what one limit allows",
  ...NEEDS_REDIS,
  async fn() {
    await using workspace = new Workspace();
    await using redis = await RedisServer.start(workspace, "s3cret");
    await using app = new RawApp(({ wire }) => wire.write(answer("ok")));
    const access = { address: redis.address, password: "s3cret" };
    const limit = { rate: "100/s", burst: 20 };
    await using one = await start(workspace, app, access, limit);
    await using two = await start(workspace, app, access, limit);
    const begin = performance.now();
    const results = await Promise.all([hammer(one, 8000), hammer(two, 8000)]);
    const seconds = (performance.now() - begin) / 1000;
    const passed = results.reduce((sum, each) => sum + each.passed, 0);
    const allowed = 20 + 100 * seconds;
    assert(Math.abs(passed - allowed) <= 0.05 * allowed, `${passed} of ${allowed}`);
    assert(results.every((each) => each.passed > 0.1 * passed), "both must have their part");
    assertEquals([one, two].some(({ process }) => process.lines.join().includes("s3cret")), false);
  },
});

Deno.test({
  name:
    "Redis that dies or hangs slows nobody down: requests go on by the local count, or are refused",
  ...NEEDS_REDIS,
  async fn(t) {
    await using workspace = new Workspace();
    await using redis = await RedisServer.start(workspace);
    await using app = new RawApp(({ wire }) => wire.write(answer("ok")));
    const limit = { rate: "1000/s", burst: 1000 };
    const access = { address: redis.address };
    await using open = await start(workspace, app, access, limit);
    await using closed = await start(workspace, app, { ...access, whenAway: "closed" }, limit);
    const isAway = async (sidecar: TestSidecar) =>
      (await sidecar.admin("/metrics")).includes('mesh_global_limit_total{result="uncounted"}');
    await until("both count", async () => await ask(open) === 200 && await ask(closed) === 200);

    await t.step("it hangs", async () => {
      redis.freeze();
      const { passed, slowest } = await hammer(open, 3000, 1);
      assert(passed > 1000, `only ${passed} requests`);
      assert(slowest < 1000, `${slowest} ms`);
      assertEquals(await isAway(open), true);
      await until("refusals", async () => await ask(closed) === 429);
      redis.thaw();
      await until("both count again", async () => await ask(closed) === 200);
    });

    await t.step("it dies, and comes back", async () => {
      await redis.kill();
      await until("refusals", async () => await ask(closed) === 429);
      const { passed } = await hammer(open, 1000, 1);
      assert(passed > 300, `only ${passed} requests`);
      await redis.start();
      await until("both count again", async () => await ask(closed) === 200);
      assertStringIncludes(closed.process.lines.join("\n"), "Redis counts again");
    });
  },
});
