// Other ways to a real Consul than http on loopback: two datacenters, TLS with client certificates, a Unix socket; and what keeps
// dead endpoints out when there is no Consul to say so.
import { assertEquals } from "@std/assert";
import { TestAuthority } from "../support/certificates.ts";
import { ConsulAgent, NEEDS_CONSUL } from "./support/consul.ts";
import { freePort } from "./support/ports.ts";
import { RawApp } from "./support/raw_app.ts";
import { TestSidecar } from "./support/sidecar.ts";
import { until } from "./support/until.ts";
import { answer, get, statusOf, Wire } from "./support/wire.ts";
import { Workspace } from "./support/workspace.ts";

const SERVICE = "user-service";
const CHECK = { interval: "1s", timeout: "1s" };

type Section = Readonly<Record<string, unknown>>;

function named(name: string): RawApp {
  return new RawApp(({ wire }) => wire.write(answer(name)));
}

function start(
  workspace: Workspace,
  service: string,
  app: RawApp,
  consul: Section,
  upstream: Section = {},
): Promise<TestSidecar> {
  return TestSidecar.start(workspace, {
    service,
    app: app.port,
    config: {
      registry: { consul: { check: CHECK, ...consul } },
      policy: { upstreams: { [SERVICE]: upstream } },
      log: { format: "text", access: "off" },
    },
  });
}

async function call(caller: TestSidecar): Promise<string> {
  using wire = await Wire.dial(caller.ports.outbound);
  const message = await wire.exchange(get(SERVICE, "/"));
  return statusOf(message) === 200 ? message.body : `${statusOf(message)}`;
}

async function calls(caller: TestSidecar, count: number): Promise<Set<string>> {
  const seen = new Set<string>();
  for (let i = 0; i < count; i++) seen.add(await call(caller));
  return seen;
}

Deno.test({
  name:
    "calls go to another datacenter while there is no instance in the own one, and stay with the last known without Consul",
  ...NEEDS_CONSUL,
  async fn() {
    await using workspace = new Workspace();
    await using one = await ConsulAgent.start(workspace);
    await using two = await ConsulAgent.start(workspace, {
      datacenter: "dc2",
      config: { retry_join_wan: [`127.0.0.1:${one.wanPort}`], retry_interval_wan: "1s" },
    });
    await until(
      "both datacenters",
      async () => (await one.get<string[]>("/v1/catalog/datacenters")).length === 2,
    );
    await using app = named("caller");
    await using far = named("far");
    await using near = named("near");
    await using _far = await start(workspace, SERVICE, far, { address: two.address });
    await using caller = await start(workspace, "order-service", app, {
      address: one.address,
      failoverDatacenters: ["dc2"],
    });
    await until("the instance of dc2", async () => await call(caller) === "far");
    {
      await using _near = await start(workspace, SERVICE, near, { address: one.address });
      await until("the instance of dc1", async () => await call(caller) === "near");
      assertEquals(await calls(caller, 4), new Set(["near"]));
      assertEquals(await _near.stop(), 0);
    }
    await until("dc2 again", async () => await call(caller) === "far");
    await one.kill();
    assertEquals(await calls(caller, 4), new Set(["far"]));
  },
});

Deno.test({
  name: "an agent is reached by https with a client certificate, and by a Unix socket",
  ...NEEDS_CONSUL,
  async fn() {
    await using workspace = new Workspace();
    const root = await TestAuthority.root("consul root");
    const server = await root.issue({ dns: ["localhost"], ips: ["127.0.0.1"] });
    const client = await root.issue({ subject: [["CN", "sidecar"]] });
    await workspace.write("ca.pem", root.certificatePem);
    for (const [name, pair] of [["server", server], ["client", client]] as const) {
      await workspace.write(`${name}.pem`, pair.certificatePem);
      await workspace.write(`${name}.key`, pair.privateKeyPem);
    }
    const https = freePort();
    // Connecting to a socket is writing: it lies where the binary may.
    await Deno.mkdir(`${workspace.path}/.mesh`);
    const socket = `${workspace.path}/.mesh/consul.sock`;
    await using agent = await ConsulAgent.start(workspace, {
      httpsPort: https,
      config: {
        addresses: { http: `127.0.0.1 unix://${socket}` },
        ca_file: `${workspace.path}/ca.pem`,
        cert_file: `${workspace.path}/server.pem`,
        key_file: `${workspace.path}/server.key`,
        verify_incoming_https: true,
      },
    });
    await using app = named("caller");
    await using users = named("users");
    await using _users = await start(workspace, SERVICE, users, {
      address: `https://127.0.0.1:${https}`,
      ca: "ca.pem",
      certificate: "client.pem",
      key: "client.key",
    });
    assertEquals((await agent.passing(SERVICE)).length, 1);
    await using caller = await start(workspace, "order-service", app, {
      address: `unix://${socket}`,
    });
    await until("an answer", async () => await call(caller) === "users");

    await using stranger = await TestSidecar.spawn(workspace, {
      service: "payment-service",
      app: app.port,
      config: {
        registry: { consul: { address: `https://127.0.0.1:${https}`, ca: "ca.pem" } },
        log: { format: "text", access: "off" },
      },
    });
    await until(
      "the refusal of who has no certificate",
      () => stranger.process.lines.some((line) => line.includes("cannot be reached")),
    );
  },
});

Deno.test({
  name: "while Consul is away, an instance that dies or hangs gets no calls: our own checks see it",
  ...NEEDS_CONSUL,
  async fn() {
    await using workspace = new Workspace();
    await using agent = await ConsulAgent.start(workspace);
    const at = { address: agent.address };
    await using app = named("caller");
    await using apps = new AsyncDisposableStack();
    const users: TestSidecar[] = [];
    for (const name of ["a", "b", "c"]) {
      users.push(apps.use(await start(workspace, SERVICE, apps.use(named(name)), at)));
    }
    const [hanging, dying] = users as [TestSidecar, TestSidecar];
    await using caller = await start(workspace, "order-service", app, at, {
      healthCheck: {
        http: "/health",
        interval: "300ms",
        timeout: "300ms",
        healthyThreshold: 1,
        unhealthyThreshold: 1,
      },
      retry: { attempts: 2, perTryTimeout: "1s" },
    });
    await caller.sees(SERVICE, users.map(({ ports }) => ports.inbound));
    assertEquals(await calls(caller, 9), new Set(["a", "b", "c"]));
    await agent.kill();
    dying.process.kill("SIGKILL");
    hanging.process.kill("SIGSTOP");
    const absent = 'mesh_endpoints_absent{cluster="user-service",reason="unhealthy"} 2\n';
    await until("both are left out", async () => (await caller.admin("/metrics")).includes(absent));
    assertEquals(await calls(caller, 12), new Set(["c"]));
    hanging.process.kill("SIGCONT");
    await until("one is back", async () => (await calls(caller, 4)).has("a"));
  },
});
