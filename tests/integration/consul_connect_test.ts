// Identities from Consul's own authority, against a real Consul: names, the root replaced under load, and starts without it.
import { assertEquals, assertStringIncludes } from "@std/assert";
import { TestAuthority } from "../support/certificates.ts";
import { BusyMesh } from "./support/busy_mesh.ts";
import { ConsulAgent, NEEDS_CONSUL } from "./support/consul.ts";
import { RawApp } from "./support/raw_app.ts";
import { TestSidecar } from "./support/sidecar.ts";
import { until } from "./support/until.ts";
import { answer, get, type Message, statusOf, Wire } from "./support/wire.ts";
import { Workspace } from "./support/workspace.ts";

interface Roots {
  readonly ActiveRootID: string;
  readonly TrustDomain: string;
}

const USERS = { upstreams: { "user-service": {} } };

/** Agents spread their new leaves over half a minute after a change of the root, unless told otherwise. */
const AT_ONCE = { config: { connect: { test_ca_leaf_root_change_spread: "100ms" } } };

async function ask(port: number, service: string): Promise<Message> {
  using wire = await Wire.dial(port);
  return await wire.exchange(get(service, "/"));
}

function rootsOf(consul: ConsulAgent): Promise<Roots> {
  return consul.get<Roots>("/v1/agent/connect/ca/roots");
}

/** A root that the operator made replaces the one in force, which signs it across. */
async function replaceRoot(consul: ConsulAgent, name: string): Promise<void> {
  const { TrustDomain, ActiveRootID } = await rootsOf(consul);
  const next = await TestAuthority.root(name, { uris: [`spiffe://${TrustDomain}`] });
  const [RootCert, PrivateKey] = (await next.pairPem()).split(/(?=-----BEGIN PRIVATE KEY)/);
  await consul.put("/v1/connect/ca/configuration", {
    Provider: "consul",
    Config: { RootCert, PrivateKey },
  });
  await until("another root", async () => (await rootsOf(consul)).ActiveRootID !== ActiveRootID);
}

Deno.test({
  name:
    "Consul's authority vouches for the mesh, and its root is replaced without a failed request",
  ...NEEDS_CONSUL,
  async fn() {
    await using workspace = new Workspace();
    await using consul = await ConsulAgent.start(workspace, AT_ONCE);
    await using mesh = await BusyMesh.start(workspace, () => ({
      mode: "strict",
      consul: { address: consul.address },
    }));
    for (const name of ["second root", "third root"]) {
      const renewed = mesh.renewed();
      await replaceRoot(consul, name);
      await renewed;
    }
    await mesh.finish();
  },
});

Deno.test({
  name: "rules and refusals go by the names that Consul's authority gives",
  ...NEEDS_CONSUL,
  async fn() {
    await using workspace = new Workspace();
    await using consul = await ConsulAgent.start(workspace);
    const { TrustDomain } = await rootsOf(consul);
    await using app = new RawApp(({ wire }) => wire.write(answer("ok")));
    const identity = { consul: { address: consul.address } };
    const start = (service: string, policy: unknown) =>
      TestSidecar.start(workspace, { service, app: app.port, config: { identity, policy } });
    await using users = await start("user-service", {
      inbound: { authorization: [{ name: "orders", from: ["order-service"] }] },
    });
    await using orders = await start("order-service", USERS);
    await using payments = await start("payment-service", USERS);
    for (const each of [orders, payments]) await each.sees("user-service", [users.ports.inbound]);

    assertEquals((await ask(orders.ports.outbound, "user-service")).body, "ok");
    const refused = await ask(payments.ports.outbound, "user-service");
    assertEquals(statusOf(refused), 403);
    assertStringIncludes(refused.body, "no rule allows payment-service GET /");
    const { authorization } = JSON.parse(await users.admin("/snapshot"));
    assertEquals(authorization.rules[0].from, [
      `spiffe://${TrustDomain}/ns/default/dc/*/svc/order-service`,
    ]);
  },
});

Deno.test({
  name:
    "an endpoint that is registered as a service and has another's certificate of Consul gets no request",
  ...NEEDS_CONSUL,
  async fn() {
    await using workspace = new Workspace();
    await using consul = await ConsulAgent.start(workspace);
    await using app = new RawApp(({ wire }) => wire.write(answer("ok")));
    const identity = { consul: { address: consul.address } };
    await using payments = await TestSidecar.start(workspace, {
      service: "payment-service",
      app: app.port,
      config: { identity },
    });
    await using orders = await TestSidecar.start(workspace, {
      service: "order-service",
      app: app.port,
      config: {
        identity,
        policy: USERS,
        registry: { static: { "user-service": [`127.0.0.1:${payments.ports.inbound}`] } },
      },
    });
    const refused = await ask(orders.ports.outbound, "user-service");
    assertEquals([statusOf(refused), refused.fields.get("x-mesh-reason")], [
      502,
      "untrusted-upstream",
    ]);
    await until(
      "the log says who it was",
      () => orders.process.lines.some((line) => line.includes("svc/payment-service")),
    );
  },
});

Deno.test({
  name:
    "a sidecar starts with its last certificate of Consul while Consul is away, and waits for a first one",
  ...NEEDS_CONSUL,
  async fn() {
    await using workspace = new Workspace();
    await using consul = await ConsulAgent.start(workspace);
    await using app = new RawApp(({ wire }) => wire.write(answer("ok")));
    const options = (service: string) => ({
      service,
      app: app.port,
      config: { identity: { consul: { address: consul.address } }, policy: USERS },
    });
    await using users = await TestSidecar.start(workspace, options("user-service"));
    {
      await using orders = await TestSidecar.start(workspace, options("order-service"));
      await orders.sees("user-service", [users.ports.inbound]);
      assertEquals((await ask(orders.ports.outbound, "user-service")).body, "ok");
    }
    const { mode } = await Deno.stat(`${workspace.path}/.mesh/cache/connect-order-service.json`);
    assertEquals(mode! & 0o777, 0o600);
    await consul.kill();

    await using orders = await TestSidecar.start(workspace, options("order-service"));
    await orders.sees("user-service", [users.ports.inbound]);
    assertEquals((await ask(orders.ports.outbound, "user-service")).body, "ok");

    const first = TestSidecar.start(workspace, options("payment-service"));
    await consul.start();
    await using payments = await first;
    assertEquals(payments.process.hasExited, false);
  },
});
