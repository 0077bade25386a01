// Traffic policy of a real sidecar under load: endpoints that die, hang, crawl, reset or flap; breakers, fallbacks, hedges, splits.
import { assert, assertEquals } from "@std/assert";
import { Load } from "./support/load.ts";
import { type AppHandler, RawApp } from "./support/raw_app.ts";
import { TestSidecar } from "./support/sidecar.ts";
import { until } from "./support/until.ts";
import { answer, get, type Message, statusOf, Wire } from "./support/wire.ts";
import { Workspace } from "./support/workspace.ts";

const SERVICE = "user-service";
const COUNT = 5;

type Policy = Readonly<Record<string, unknown>>;

/** Retries, each try bounded, beside passive ejection: what a service that must not fail would have. */
const RESILIENT: Policy = {
  timeout: "3s",
  retry: { attempts: 3, on: ["connect", "reset", "gateway-error"], perTryTimeout: "300ms" },
  outlier: { consecutiveErrors: 3, baseEjection: "2s" },
};

/** A caller's sidecar, and apps without sidecars that do as the test says. */
class Rig implements AsyncDisposable {
  readonly apps: readonly RawApp[];
  readonly caller: TestSidecar;
  readonly #stack: AsyncDisposableStack;

  private constructor(stack: AsyncDisposableStack, apps: readonly RawApp[], caller: TestSidecar) {
    this.#stack = stack;
    this.apps = apps;
    this.caller = caller;
  }

  static async start(
    handlers: readonly AppHandler[],
    policy: Policy,
    more: Readonly<Record<string, readonly AppHandler[]>> = {},
  ): Promise<Rig> {
    const stack = new AsyncDisposableStack();
    const workspace = stack.use(new Workspace());
    const listen = (list: readonly AppHandler[]) => list.map((each) => stack.use(new RawApp(each)));
    const apps = listen(handlers);
    const others = Object.entries(more).map(([name, list]) => [name, listen(list)] as const);
    const addresses = [[SERVICE, apps] as const, ...others]
      .map(([name, list]) => [name, list.map(({ port }) => `127.0.0.1:${port}`)]);
    const caller = stack.use(
      await TestSidecar.start(workspace, {
        service: "order-service",
        app: apps[0]!.port,
        config: {
          registry: { static: Object.fromEntries(addresses) },
          policy: { upstreams: { [SERVICE]: policy } },
          log: { format: "text", access: "off" },
        },
      }),
    );
    return new Rig(stack, apps, caller);
  }

  async ask(target = "/", fields = ""): Promise<Message> {
    using wire = await Wire.dial(this.caller.ports.outbound);
    return await wire.exchange(get(SERVICE, target, fields));
  }

  /** So many requests at least by eight clients, with `during` in their middle; resolves to those that failed. */
  async failures(count: number, during: () => void | Promise<void>): Promise<[string[], number]> {
    const load = new Load({
      port: this.caller.ports.outbound,
      clients: 8,
      request: (id) => get(SERVICE, `/${id}`),
    });
    const reached = (share: number) =>
      until("requests", () => load.fates.length >= count * share, 60_000);
    await reached(0.25);
    await during();
    await reached(1);
    await load.stop();
    const failed = load.fates.filter(({ status }) => status !== 200);
    return [failed.map(({ status, detail }) => `${status} ${detail}`), load.fates.length];
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync();
  }
}

function well(name = "ok"): AppHandler {
  return ({ wire }) => wire.write(answer(name));
}

/** Four that are well, and one that does as `mode` says at the time. */
function withOne(of: { mode: "well" | "hang" | "crawl" | "reset" | "503" }): AppHandler[] {
  const odd: AppHandler = async ({ wire }) => {
    // To the end of the connection.
    if (of.mode === "hang") return void await wire.readMessage();
    if (of.mode === "reset") return wire.close();
    if (of.mode === "503") return await wire.write(answer("no", "503 Service Unavailable"));
    if (of.mode === "crawl") await new Promise((resolve) => setTimeout(resolve, 250));
    await wire.write(answer("odd"));
  };
  return [odd, ...Array.from({ length: COUNT - 1 }, () => well())];
}

async function metric(caller: TestSidecar, name: string): Promise<number> {
  const text = await caller.admin("/metrics");
  const values = text.split("\n").filter((line) => line.startsWith(name))
    .map((line) => Number(line.split(" ").at(-1)));
  return values.reduce((sum, value) => sum + value, 0);
}

const MOST_FAILED = 0.001;

Deno.test("an endpoint that dies under load costs next to no call", async () => {
  await using rig = await Rig.start(withOne({ mode: "well" }), RESILIENT);
  const [failed, total] = await rig.failures(4000, () => rig.apps[0]![Symbol.asyncDispose]());
  assert(failed.length <= total * MOST_FAILED, `${failed.length} of ${total}: ${failed[0]}`);
});

for (const mode of ["hang", "crawl", "reset", "503"] as const) {
  Deno.test(`an endpoint that begins to ${mode === "503" ? "answer 503" : mode} costs next to no call`, async () => {
    const odd: Parameters<typeof withOne>[0] = { mode: "well" };
    await using rig = await Rig.start(withOne(odd), RESILIENT);
    const [failed, total] = await rig.failures(4000, () => void (odd.mode = mode));
    assert(failed.length <= total * MOST_FAILED, `${failed.length} of ${total}: ${failed[0]}`);
    if (mode !== "crawl") assert(await metric(rig.caller, "mesh_ejections_total") >= 1);
  });
}

Deno.test("an endpoint that flaps costs next to no call", async () => {
  const odd: Parameters<typeof withOne>[0] = { mode: "well" };
  await using rig = await Rig.start(withOne(odd), RESILIENT);
  const flapping = setInterval(() => odd.mode = odd.mode === "well" ? "reset" : "well", 200);
  try {
    const [failed, total] = await rig.failures(6000, () => {});
    assert(failed.length <= total * MOST_FAILED, `${failed.length} of ${total}: ${failed[0]}`);
  } finally {
    clearInterval(flapping);
  }
});

Deno.test("a breaker opens, says when to come again, tries carefully and closes", async () => {
  const odd = { mode: "503" } as { mode: "503" | "well" };
  const circuitBreaker = { failureThreshold: 3, successThreshold: 2, openFor: "1s" };
  await using rig = await Rig.start(withOne(odd).slice(0, 1), { circuitBreaker });
  for (let i = 0; i < 3; i++) assertEquals((await rig.ask()).body, "no");
  const refused = await rig.ask();
  assertEquals([statusOf(refused), refused.body], [503, '{"error":"circuit breaker is open"}']);
  assertEquals(refused.fields.get("x-mesh-reason"), "breaker-open");
  assertEquals(refused.fields.get("retry-after"), "1");
  assertEquals(
    await metric(rig.caller, 'mesh_breaker_state{cluster="user-service",state="open"}'),
    1,
  );
  odd.mode = "well";
  await until("somebody is let through", async () => statusOf(await rig.ask()) === 200);
  assertEquals(statusOf(await rig.ask()), 200);
  assertEquals(
    await metric(rig.caller, 'mesh_breaker_state{cluster="user-service",state="closed"}'),
    1,
  );
  assert(rig.caller.process.lines.some((line) => line.includes("a circuit breaker opened")));
});

Deno.test("in place of an upstream that is down a fallback answers", async () => {
  const fallback = { on: ["connect", "breaker-open"], status: 200, body: '{"items":[]}' };
  await using rig = await Rig.start([well()], { fallback });
  await rig.apps[0]![Symbol.asyncDispose]();
  const message = await rig.ask();
  assertEquals([statusOf(message), message.body], [200, '{"items":[]}']);
  assertEquals(message.fields.get("x-mesh-fallback"), "connect");

  const policy = { fallback: { on: ["connect"], service: "other-service" } };
  await using other = await Rig.start([well()], policy, { "other-service": [well("other")] });
  await other.apps[0]![Symbol.asyncDispose]();
  assertEquals((await other.ask()).body, "other");
});

Deno.test("a hedge answers in the time of the quicker endpoint", async () => {
  const odd = { mode: "hang" } as const;
  await using rig = await Rig.start(withOne(odd).slice(0, 2), { hedge: { after: "50ms" } });
  for (let i = 0; i < 8; i++) assertEquals((await rig.ask(`/${i}`)).body, "ok");
});

Deno.test("a bulkhead refuses what is too much at once, and no more", async () => {
  const held = Promise.withResolvers<void>();
  const slow: AppHandler = async ({ wire }) => {
    await held.promise;
    await wire.write(answer("ok"));
  };
  await using rig = await Rig.start([slow], { limits: { requests: 4 } });
  const calls = Array.from({ length: 6 }, () => rig.ask());
  await until(
    "two refusals",
    async () => await metric(rig.caller, "mesh_upstream_refused_total") >= 2,
  );
  held.resolve();
  const statuses = (await Promise.all(calls)).map(statusOf).toSorted();
  assertEquals(statuses, [200, 200, 200, 200, 503, 503]);
});

Deno.test("a key stays with its endpoint, until that is gone", async () => {
  const handlers = ["a", "b", "c"].map((name) => well(name));
  const loadBalancer = { algorithm: "maglev", hashOn: { header: "x-user-id" } };
  await using rig = await Rig.start(handlers, { loadBalancer });
  const placesOf = async (): Promise<string[]> => {
    const places: string[] = [];
    for (let user = 0; user < 12; user++) {
      places.push((await rig.ask("/", `x-user-id: u${user}\r\n`)).body);
    }
    return places;
  };
  const before = await placesOf();
  assertEquals(await placesOf(), before);
  assertEquals(new Set(before).size, 3);
  await rig.apps[0]![Symbol.asyncDispose]();
  const after = await placesOf();
  assertEquals(after.includes("a"), false);
  for (const [user, place] of before.entries()) if (place !== "a") assertEquals(after[user], place);
});

Deno.test("active checks leave out an endpoint that hangs, and let it in again", async () => {
  const odd: Parameters<typeof withOne>[0] = { mode: "well" };
  const healthCheck = {
    http: "/ready",
    interval: "100ms",
    timeout: "200ms",
    healthyThreshold: 1,
    unhealthyThreshold: 1,
  };
  await using rig = await Rig.start(withOne(odd).slice(0, 3), { healthCheck });
  const bodies = async (count: number): Promise<Set<string>> => {
    const seen = new Set<string>();
    for (let i = 0; i < count; i++) seen.add((await rig.ask()).body);
    return seen;
  };
  assertEquals(await bodies(6), new Set(["odd", "ok"]));
  odd.mode = "hang";
  const absent = 'mesh_endpoints_absent{cluster="user-service",reason="unhealthy"}';
  await until("it is left out", async () => await metric(rig.caller, absent) === 1);
  assertEquals(await bodies(12), new Set(["ok"]));
  const { upstreams } = JSON.parse(await rig.caller.admin("/snapshot"));
  const known = upstreams.find(({ name }: { name: string }) => name === SERVICE);
  const absences = known.endpoints.map((each: { absences: string[] }) => each.absences.join());
  assertEquals(absences.toSorted(), ["", "", "unhealthy"]);
  odd.mode = "well";
  await until("it is in again", async () => await metric(rig.caller, absent) === 0);
  assertEquals(await bodies(6), new Set(["odd", "ok"]));
});

Deno.test("faults are made to order, by header, and leave others alone", async () => {
  const fault = { abort: { status: 500, percent: "100%" }, headers: { "x-chaos": "yes" } };
  await using rig = await Rig.start([well()], { fault });
  const refused = await rig.ask("/", "x-chaos: yes\r\n");
  assertEquals([statusOf(refused), refused.fields.get("x-mesh-reason")], [500, "fault-injected"]);
  assertEquals((await rig.ask()).body, "ok");
  const counted = 'mesh_faults_injected_total{cluster="user-service",fault="abort"}';
  assertEquals(await metric(rig.caller, counted), 1);
});

Deno.test("a mirror gets a copy of each request, and its failures are nobody's", async () => {
  const copies: string[] = [];
  const shadow: AppHandler = ({ target, fields, wire }) => {
    copies.push(`${target} ${fields.get("x-mesh-mirror")}`);
    wire.close();
    return Promise.resolve();
  };
  const policy = { mirror: { to: "shadow-service" } };
  await using rig = await Rig.start([well()], policy, { "shadow-service": [shadow] });
  for (let i = 0; i < 3; i++) assertEquals((await rig.ask(`/${i}`)).body, "ok");
  await until("three copies", () => copies.length >= 3);
  assertEquals(copies.toSorted(), ["/0 1", "/1 1", "/2 1"]);
  const failed = 'mesh_mirrored_total{cluster="shadow-service",result="failed"}';
  await until("three failures", async () => await metric(rig.caller, failed) === 3);
});

Deno.test("a service's own sidecar limits how often others call it, each for itself", async () => {
  await using workspace = new Workspace();
  await using app = new RawApp(well());
  const identity = { mode: "strict" };
  await using users = await TestSidecar.start(workspace, {
    service: SERVICE,
    app: app.port,
    config: {
      identity,
      policy: { inbound: { rateLimits: [{ rate: "1/m", burst: 2, paths: ["/a/*"] }] } },
    },
  });
  const callers = await Promise.all(
    ["order-service", "payment-service"].map((service) =>
      TestSidecar.start(workspace, {
        service,
        app: app.port,
        config: { identity, policy: { upstreams: { [SERVICE]: {} } } },
      })
    ),
  );
  try {
    for (const caller of callers) {
      await caller.sees(SERVICE, [users.ports.inbound]);
      const statuses: number[] = [];
      for (const target of ["/a/1", "/a/2", "/a/3", "/b"]) {
        using wire = await Wire.dial(caller.ports.outbound);
        const message = await wire.exchange(get(SERVICE, target));
        statuses.push(statusOf(message));
        if (statusOf(message) === 429) assertEquals(message.fields.get("retry-after"), "60");
      }
      assertEquals(statuses, [200, 200, 429, 200]);
    }
  } finally {
    await Promise.all(callers.map((caller) => caller[Symbol.asyncDispose]()));
  }
});
