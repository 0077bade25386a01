import { assertEquals, assertStringIncludes } from "@std/assert";
import { runCli } from "./cli.ts";
import { FakeHost, FakeSidecar } from "./fake_host.ts";

const ADMIN = "http://127.0.0.1:15000";

const SNAPSHOT = {
  version: "1.2.3",
  service: { name: "order-service", id: "order-service-15206" },
  app: { health: { isHealthy: true, detail: "/health answered 200" } },
  isRegistered: true,
  isInMaintenance: false,
  registry: { isUp: false, source: "cache", ageS: 12, error: "connection refused" },
  policy: { revision: "p2", problem: { revision: "p3", message: "upstreams: is text" } },
  clusters: [
    {
      name: "user-service",
      endpoints: [{ host: "10.0.0.1", port: 80 }, { host: "10.0.0.2", port: 80 }],
    },
    { name: "payment-service", endpoints: [] },
  ],
};

async function run(host: FakeHost, ...args: string[]) {
  host.stdout = host.stderr = "";
  const start = () => Promise.resolve(new FakeSidecar(host.events));
  const code = await runCli(args, { host, start });
  return { code, out: host.stdout, err: host.stderr };
}

function hostWith(call: string, status: number, body: unknown): FakeHost {
  const host = new FakeHost();
  host.admin.set(call, { status, text: typeof body === "string" ? body : JSON.stringify(body) });
  return host;
}

Deno.test("status says in words how a sidecar does", async () => {
  const { code, out } = await run(hostWith(`GET ${ADMIN}/snapshot`, 200, SNAPSHOT), "status");
  assertEquals(code, 0);
  assertEquals(
    out,
    `service             order-service (order-service-15206), sidecar 1.2.3
app                 well (/health answered 200), registered
registry            away, endpoints of the last run confirmed 12 s ago: connection refused
policy              revision p2; p3 is refused: upstreams: is text
to user-service     10.0.0.1:80, 10.0.0.2:80
to payment-service  no endpoint
`,
  );
});

Deno.test("status passes on what the admin port says, and tells when nobody or somebody else answers", async () => {
  const host = hostWith("GET http://10.0.0.1:1/snapshot", 200, SNAPSHOT);
  const json = await run(host, "status", "--admin", "10.0.0.1:1", "--json");
  assertEquals(JSON.parse(json.out), SNAPSHOT);
  const nobody = await run(host, "status");
  assertEquals([nobody.code, nobody.err], [
    69,
    `sidecar: no answer from ${ADMIN}/snapshot: connection refused\n`,
  ]);
  for (const [status, body] of [[200, "<html>"], [200, "{}"], [404, "no page"]] as const) {
    assertEquals((await run(hostWith(`GET ${ADMIN}/snapshot`, status, body), "status")).code, 69);
  }
  for (const admin of ["", "127.0.0.1:15000/x", "https://127.0.0.1:15000", "a b"]) {
    assertEquals((await run(host, "status", "--admin", admin)).code, 64, admin);
  }
});

Deno.test("drain turns the switch on and off, and says when it cannot", async () => {
  const host = hostWith(`POST ${ADMIN}/drain`, 200, {});
  assertEquals((await run(host, "drain")).out, "out of the mesh\n");
  host.admin.set(`POST ${ADMIN}/undrain`, { status: 200, text: "{}" });
  assertEquals((await run(host, "drain", "--undo")).code, 0);
  const edge = await run(hostWith(`POST ${ADMIN}/drain`, 409, "there is no app\n"), "drain");
  assertEquals(edge.code, 69);
  assertStringIncludes(edge.err, "answered 409: there is no app");
});
