// Real sidecars in a mesh whose registry is a real Consul: what is registered, found, lost, repaired and survived.
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { ConsulAgent, NEEDS_CONSUL } from "./support/consul.ts";
import { Load } from "./support/load.ts";
import { run } from "./support/programs.ts";
import { RawApp } from "./support/raw_app.ts";
import { freePorts, SIDECAR, TestSidecar } from "./support/sidecar.ts";
import { until } from "./support/until.ts";
import { answer, get, statusOf, Wire } from "./support/wire.ts";
import { Workspace } from "./support/workspace.ts";

const SERVICE = "user-service";

/** Quicker than the default, so that a test sees it. */
const CHECK = { interval: "1s", timeout: "1s" };

interface Mesh {
  readonly workspace: Workspace;
  readonly agent: ConsulAgent;
  readonly registry: Readonly<Record<string, unknown>>;
}

function configOf({ registry }: Mesh): Readonly<Record<string, unknown>> {
  // Named, so that it is looked for before the first request; a retry is what the endpoint that died under a call needs.
  const retry = { attempts: 2, on: ["connect", "reset"] };
  return {
    registry,
    policy: { upstreams: { [SERVICE]: { retry } } },
    log: { format: "text", access: "off" },
  };
}

function meshOf(
  workspace: Workspace,
  agent: ConsulAgent,
  more: Readonly<Record<string, unknown>> = {},
): Mesh {
  return {
    workspace,
    agent,
    registry: { consul: { address: agent.address, check: CHECK, ...more } },
  };
}

function start(
  mesh: Mesh,
  service: string,
  app: RawApp,
  ports = freePorts(),
): Promise<TestSidecar> {
  return TestSidecar.start(
    mesh.workspace,
    { service, app: app.port, config: configOf(mesh) },
    ports,
  );
}

function named(name: string): RawApp {
  return new RawApp(({ wire }) => wire.write(answer(name)));
}

/** The bodies of `count` calls, one after the other. */
async function call(caller: TestSidecar, count: number): Promise<string[]> {
  const bodies: string[] = [];
  for (let i = 0; i < count; i++) {
    using wire = await Wire.dial(caller.ports.outbound);
    const message = await wire.exchange(get(SERVICE, "/"));
    bodies.push(statusOf(message) === 200 ? message.body : `${statusOf(message)} ${message.body}`);
  }
  return bodies;
}

function portsOf(sidecars: readonly TestSidecar[]): number[] {
  return sidecars.map(({ ports }) => ports.inbound);
}

Deno.test(
  "three instances by Consul share the calls, and one that goes away takes none with it",
  NEEDS_CONSUL,
  async (t) => {
    await using workspace = new Workspace();
    await using agent = await ConsulAgent.start(workspace);
    const mesh = meshOf(workspace, agent);
    await using stack = new AsyncDisposableStack();
    const apps = ["one", "two", "three"].map((name) => stack.use(named(name)));
    const users: TestSidecar[] = [];
    for (const app of apps) users.push(stack.use(await start(mesh, SERVICE, app)));
    const caller = stack.use(await start(mesh, "order-service", apps[0]!));
    await caller.sees(SERVICE, portsOf(users));

    await t.step("what is registered says where, what and how it is checked", async () => {
      const [{ ports: { inbound, health } }] = users as [TestSidecar];
      const id = `${SERVICE}-${inbound}`;
      interface Registered {
        readonly ID: string;
        readonly Port: number;
        readonly Meta: Readonly<Record<string, string>>;
      }
      const services = await agent.get<Readonly<Record<string, Registered>>>("/v1/agent/services");
      assertEquals([services[id]?.ID, services[id]?.Port], [id, inbound]);
      assertEquals(services[id]?.Meta["protocols"], "http1,http2");
      const checks = await agent.get<Readonly<Record<string, { readonly Output: string }>>>(
        "/v1/agent/checks",
      );
      await until("the agent's own check", async () => {
        const { Output = "" } = checks[`service:${id}`] ?? {};
        if (Output.includes("200 OK")) return true;
        Object.assign(checks, await agent.get("/v1/agent/checks"));
        return false;
      });
      assertStringIncludes(checks[`service:${id}`]!.Output, `:${health}/health`);
    });

    await t.step("ten calls are spread evenly", async () => {
      const bodies = await call(caller, 9);
      for (const name of ["one", "two", "three"]) {
        assertEquals(bodies.filter((body) => body === name).length, 3, bodies.join());
      }
    });

    await t.step(
      "a sidecar that is killed takes no call with it that could be sent again",
      async () => {
        const load = new Load({
          port: caller.ports.outbound,
          clients: 4,
          request: (id) => get(SERVICE, `/${id}`),
        });
        await until("some calls", () => load.fates.length > 50);
        users[2]!.process.kill("SIGKILL");
        await caller.sees(SERVICE, portsOf(users.slice(0, 2)));
        await load.stop();
        assertEquals(load.fates.filter(({ status }) => status !== 200), []);
      },
    );

    await t.step("a sidecar that is stopped leaves before it closes", async () => {
      const load = new Load({
        port: caller.ports.outbound,
        clients: 4,
        request: (id) => get(SERVICE, `/${id}`),
      });
      await until("some calls", () => load.fates.length > 50);
      assertEquals(await users[1]!.stop(), 0);
      assertEquals(await agent.passing(SERVICE), [`${SERVICE}-${users[0]!.ports.inbound}`]);
      await load.stop();
      assertEquals(load.fates.filter(({ status }) => status !== 200), []);
    });

    await t.step("an app that dies takes its instance out of rotation", async () => {
      await apps[0]![Symbol.asyncDispose]();
      await caller.sees(SERVICE, []);
      assertEquals(await agent.passing(SERVICE), []);
      const [body = ""] = await call(caller, 1);
      assertStringIncludes(body, `503 {"error":"service unavailable: no healthy instances`);
    });
  },
);

Deno.test(
  "sidecar drain takes an instance out of Consul and stops nothing, and sidecar status says so",
  NEEDS_CONSUL,
  async () => {
    await using workspace = new Workspace();
    await using agent = await ConsulAgent.start(workspace);
    const mesh = meshOf(workspace, agent);
    await using app = named("one");
    await using users = await start(mesh, SERVICE, app);
    await using caller = await start(mesh, "order-service", app);
    await caller.sees(SERVICE, [users.ports.inbound]);
    const { admin, health, inbound } = users.ports;
    const cli = async (...args: string[]) => {
      const { code, text, errors } = await run(SIDECAR, ...args, "--admin", `127.0.0.1:${admin}`);
      assertEquals(code, 0, errors);
      return text;
    };
    const healthStatus = async () => {
      const response = await fetch(`http://127.0.0.1:${health}/health`);
      await response.body?.cancel();
      return response.status;
    };
    assertStringIncludes(await cli("status"), "well (/health answered 200), registered");
    await cli("drain");
    assertEquals(await agent.passing(SERVICE), []);
    await caller.sees(SERVICE, []);
    assertEquals(await healthStatus(), 503);
    assertStringIncludes(await cli("status"), "kept out by an operator");
    {
      using wire = await Wire.dial(inbound);
      assertEquals((await wire.exchange(get(SERVICE, "/"))).body, "one", "it still answers");
    }
    await cli("drain", "--undo");
    await caller.sees(SERVICE, [inbound]);
    assertEquals(await healthStatus(), 200);
    assertStringIncludes(await cli("status"), "registered");
  },
);

Deno.test(
  "an agent that comes back empty, and an operator's slip, are repaired, and no call notices",
  NEEDS_CONSUL,
  async () => {
    await using workspace = new Workspace();
    await using agent = await ConsulAgent.start(workspace);
    const mesh = meshOf(workspace, agent);
    await using app = named("one");
    await using users = await start(mesh, SERVICE, app);
    await using caller = await start(mesh, "order-service", app);
    await caller.sees(SERVICE, [users.ports.inbound]);
    const load = new Load({
      port: caller.ports.outbound,
      clients: 2,
      request: (id) => get(SERVICE, `/${id}`),
    });
    const id = `${SERVICE}-${users.ports.inbound}`;
    const isBack = () =>
      until("the entry again", async () => (await agent.passing(SERVICE)).includes(id));
    await agent.kill();
    await agent.start();
    await isBack();
    await load.stop();
    assertEquals(load.fates.filter(({ status }) => status !== 200), []);
    await agent.put(`/v1/agent/service/deregister/${id}`);
    await isBack();
  },
);

Deno.test(
  "while Consul is away calls go on, also by a sidecar that starts meanwhile",
  NEEDS_CONSUL,
  async () => {
    await using workspace = new Workspace();
    await using agent = await ConsulAgent.start(workspace);
    const mesh = meshOf(workspace, agent);
    await using app = named("one");
    await using users = await start(mesh, SERVICE, app);
    const ports = freePorts();
    {
      await using caller = await start(mesh, "order-service", app, ports);
      await caller.sees(SERVICE, [users.ports.inbound]);
      await agent.kill();
      assertEquals(await call(caller, 3), ["one", "one", "one"]);
      await until(
        "what is known of Consul",
        async () => (await caller.admin("/metrics")).includes("mesh_registry_up 0"),
      );
      assertEquals(await call(caller, 3), ["one", "one", "one"]);
      assertEquals(await caller.stop(), 0);
    }
    await using caller = await TestSidecar.spawn(
      mesh.workspace,
      { service: "order-service", app: app.port, config: configOf(mesh) },
      ports,
    );
    await caller.ready();
    await caller.sees(SERVICE, [users.ports.inbound]);
    assertEquals(await call(caller, 3), ["one", "one", "one"]);
    const { registry } = JSON.parse(await caller.admin("/snapshot"));
    assertEquals([registry.isUp, registry.source], [false, "cache"]);
    assertStringIncludes(registry.error, "cannot be reached");
    await agent.start();
    await until("Consul again", async () => {
      const { registry } = JSON.parse(await caller.admin("/snapshot"));
      return registry.isUp && registry.source === "live";
    });
    await caller.registered();
    assertEquals(await call(caller, 3), ["one", "one", "one"]);
  },
);

Deno.test(
  "a token that may not register is told in the log, and one that may is taken without a restart",
  NEEDS_CONSUL,
  async () => {
    await using workspace = new Workspace();
    const master = crypto.randomUUID();
    await using agent = await ConsulAgent.start(workspace, {
      token: master,
      config: { acl: { enabled: true, default_policy: "deny", tokens: { master, agent: master } } },
    });
    await workspace.write("token", crypto.randomUUID());
    await using app = named("one");
    const mesh = meshOf(workspace, agent, { tokenFile: "token" });
    await using sidecar = await TestSidecar.spawn(workspace, {
      service: SERVICE,
      app: app.port,
      config: configOf(mesh),
    });
    await until(
      "the refusal in the log",
      () => sidecar.process.lines.some((line) => line.includes("answered 403")),
    );
    assertEquals((await sidecar.snapshot()).isRegistered, false);
    await workspace.write("token", master);
    await sidecar.registered();
    assertEquals(await agent.passing(SERVICE), [`${SERVICE}-${sidecar.ports.inbound}`]);
    assert(
      !sidecar.process.lines.some((line) => line.includes(master)),
      "the token is no secret",
    );
  },
);
