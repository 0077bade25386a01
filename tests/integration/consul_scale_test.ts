// Consul under stress: a leader that dies, two hundred instances that come and go, and what a mesh of that size costs one sidecar.
import { assert, assertEquals, assertLess } from "@std/assert";
import { ConsulAgent, NEEDS_CONSUL } from "./support/consul.ts";
import { ConsulCluster } from "./support/consul_cluster.ts";
import { openRegistry } from "./support/consul_registry.ts";
import { Load } from "./support/load.ts";
import { RawApp } from "./support/raw_app.ts";
import { residentMb } from "./support/resident.ts";
import { TestSidecar } from "./support/sidecar.ts";
import { until } from "./support/until.ts";
import { answer, get } from "./support/wire.ts";
import { Workspace } from "./support/workspace.ts";

const SERVICE = "user-service";
const INSTANCES = 200;

/** How long they come and go: a minute by hand, less where everything is tested. */
const CHURN_MS = Number(Deno.env.get("CHURN_SECONDS") ?? 10) * 1000;

function entry(service: string, port: number) {
  const id = `${service}-${port}`;
  const check = { TTL: "600s", Status: "passing" };
  return { ID: id, Name: service, Address: "10.0.0.1", Port: port, Check: check };
}

function report(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

Deno.test(
  "no call fails when the leader of Consul dies, and what is registered afterwards is found",
  NEEDS_CONSUL,
  async () => {
    await using workspace = new Workspace();
    await using cluster = await ConsulCluster.start(workspace);
    await using app = new RawApp(({ wire }) => wire.write(answer("ok")));
    const [address] = await cluster.addresses();
    const start = (service: string) =>
      TestSidecar.start(workspace, {
        service,
        app: app.port,
        config: {
          registry: { consul: { address, check: { interval: "1s", timeout: "1s" } } },
          policy: { upstreams: { [SERVICE]: {} } },
          log: { format: "text", access: "off" },
        },
      });
    await using first = await start(SERVICE);
    await using caller = await start("order-service");
    await caller.sees(SERVICE, [first.ports.inbound]);
    const load = new Load({
      port: caller.ports.outbound,
      clients: 3,
      request: (id) => get(SERVICE, `/${id}`),
    });
    await cluster.killLeader();
    await using second = await start(SERVICE);
    await caller.sees(SERVICE, [first.ports.inbound, second.ports.inbound]);
    await load.stop();
    assertEquals(load.fates.filter(({ status }) => status !== 200), []);
    assert(load.fates.length > 100, `only ${load.fates.length} calls`);
  },
);

Deno.test(
  "two hundred instances that come and go are followed to the last one",
  NEEDS_CONSUL,
  async () => {
    await using workspace = new Workspace();
    await using agent = await ConsulAgent.start(workspace);
    const registry = openRegistry(workspace, { port: agent.port });
    let seen = new Set<string>();
    using _watch = registry.watch(SERVICE, (endpoints) => {
      seen = new Set(endpoints.map(({ id }) => id));
    });
    const present = new Set<number>();
    const toggle = async (port: number) => {
      const { ID } = entry(SERVICE, port);
      if (present.delete(port)) await agent.put(`/v1/agent/service/deregister/${ID}`);
      else {
        present.add(port);
        await agent.put("/v1/agent/service/register", entry(SERVICE, port));
      }
    };
    // Whatever else happens: one change in so many is followed from its call to its effect.
    const delays: number[] = [];
    const probe = async (port: number) => {
      const { ID } = entry(SERVICE, port);
      const isWanted = !present.has(port);
      const startedAt = performance.now();
      await toggle(port);
      await until(`${ID} ${isWanted ? "seen" : "gone"}`, () => seen.has(ID) === isWanted);
      delays.push(performance.now() - startedAt);
    };
    let changes = 0;
    const end = performance.now() + CHURN_MS;
    for (let next = 0; performance.now() < end; next = (next * 7 + 3) % INSTANCES) {
      await toggle(1000 + next);
      if (++changes % 20 === 0) await probe(5000);
      // Each port has its turn, and no run is like the one before it.
      next += changes;
    }
    const wanted = [...present].map((port) => entry(SERVICE, port).ID).sort();
    await until("the end", () => [...seen].sort().join() === wanted.join());
    assertEquals(await agent.passing(SERVICE), wanted);
    await registry.close();
    assert(delays.length > 0);
    const worst = Math.max(...delays).toFixed(0);
    report(`consul: ${changes} changes of ${INSTANCES} instances, seen ${worst} ms later at most`);
  },
);

Deno.test(
  "a sidecar that calls three services holds three queries and no memory of the other two hundred",
  NEEDS_CONSUL,
  async () => {
    await using workspace = new Workspace();
    await using agent = await ConsulAgent.start(workspace);
    await using app = new RawApp(({ wire }) => wire.write(answer("ok")));
    const used = ["one-service", "two-service", "three-service"];
    const fill = async (services: readonly string[]) => {
      for (const service of services) {
        for (let port = 1; port <= 5; port++) {
          await agent.put("/v1/agent/service/register", entry(service, port));
        }
      }
    };
    await fill(used);
    await using sidecar = await TestSidecar.start(workspace, {
      service: "order-service",
      app: app.port,
      config: {
        registry: { consul: { address: agent.address } },
        policy: { upstreams: Object.fromEntries(used.map((service) => [service, {}])) },
      },
    });
    for (const service of used) await sidecar.sees(service, [1, 2, 3, 4, 5]);
    const [before] = await residentMb([sidecar.process]);
    await fill(Array.from({ length: 200 }, (_, index) => `other-service-${index}`));
    // News of those in use still comes.
    await agent.put("/v1/agent/service/register", entry(used[0]!, 6));
    await sidecar.sees(used[0]!, [1, 2, 3, 4, 5, 6]);
    const [after] = await residentMb([sidecar.process]);
    assertEquals((await sidecar.snapshot()).clusters.length, used.length);
    report(
      `consul: RSS ${before!.toFixed(0)} to ${after!.toFixed(0)} MB while 1,000 instances came`,
    );
    assertLess(after! - before!, 20);
    // What waits at the agent: one connection for each query, and some that are kept for the next short one.
    const { stdout } = await new Deno.Command("sh", {
      args: ["-c", `ls -l /proc/${sidecar.process.pid}/fd | grep -c socket`],
    }).output();
    assertLess(Number(new TextDecoder().decode(stdout)), 30);
  },
);
