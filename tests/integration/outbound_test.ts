// How the app reaches other services through its own sidecar: app > sidecar A > sidecar B > app of B, all real processes
// but the apps.
import { assertEquals, assertStringIncludes } from "@std/assert";
import { freePort } from "./support/ports.ts";
import { RawApp } from "./support/raw_app.ts";
import { TestSidecar } from "./support/sidecar.ts";
import { until } from "./support/until.ts";
import { answer, get, type Message, statusOf, Wire } from "./support/wire.ts";
import { Workspace } from "./support/workspace.ts";

/** Says who it is and what it was asked. */
function echo(name: string): RawApp {
  return new RawApp(({ startLine, fields, wire }) =>
    wire.write(answer(`${name} | ${startLine} | ${fields.get("host")}`))
  );
}

/** One request on a connection of its own. */
async function ask(port: number, request: string): Promise<Message> {
  using wire = await Wire.dial(port);
  return await wire.exchange(request);
}

Deno.test("the outbound side of a sidecar", async (t) => {
  await using workspace = new Workspace();
  await using caller = echo("caller");
  await using users = echo("users");
  const bind = freePort();
  const policy = { upstreams: { "user-service": { bind: `127.0.0.1:${bind}` } } };
  await using a = await TestSidecar.start(workspace, {
    service: "order-service",
    app: caller.port,
    config: { policy },
  });
  await using b = await TestSidecar.start(workspace, { service: "user-service", app: users.port });
  await a.sees("user-service", [b.ports.inbound]);
  const { outbound } = a.ports;

  await t.step("takes the service from Host", async () => {
    const message = await ask(outbound, get("user-service", "/a?b=c"));
    assertEquals(message.body, "users | GET /a?b=c HTTP/1.1 | user-service");
  });

  await t.step("takes SERVICE.mesh, with or without a port and in any case", async () => {
    for (const host of ["user-service.mesh", "User-Service.MESH", "user-service:8080"]) {
      const { body } = await ask(outbound, get(host, "/a"));
      assertStringIncludes(body, "users | GET /a HTTP/1.1", host);
    }
  });

  await t.step("takes the absolute form, as clients send it to what http_proxy names", async () => {
    const { body } = await ask(outbound, get("user-service", "http://user-service/a?b=c"));
    assertStringIncludes(body, "users | GET /a?b=c HTTP/1.1");
  });

  await t.step("believes the target and not Host where both are there", async () => {
    const { body } = await ask(outbound, get("nobody", "http://user-service/a"));
    assertStringIncludes(body, "users | GET /a HTTP/1.1");
  });

  await t.step("has a port for one upstream alone, whatever Host says", async () => {
    for (const host of ["user-service", "localhost:9101", "order-service"]) {
      const { body } = await ask(bind, get(host, "/a"));
      assertStringIncludes(body, "users | GET /a HTTP/1.1", host);
    }
  });

  await t.step("finds a service at its first use that no configuration names", async () => {
    await using payments = echo("payments");
    await using _c = await TestSidecar.start(workspace, {
      service: "payment-service",
      app: payments.port,
    });
    const message = await ask(outbound, get("payment-service", "/p"));
    assertEquals(statusOf(message), 200, message.body);
    assertStringIncludes(message.body, "payments | GET /p HTTP/1.1");
  });

  await t.step(
    "answers 503 for a service that nobody knows, and finds it once it is there",
    async () => {
      const unknown = await ask(outbound, get("late-service"));
      assertEquals(statusOf(unknown), 503);
      assertEquals(unknown.fields.get("x-mesh-reason"), "no-endpoints");
      assertEquals(JSON.parse(unknown.body), {
        error: "service unavailable: no healthy instances found for service: late-service",
      });
      await using late = echo("late");
      await using _d = await TestSidecar.start(workspace, {
        service: "late-service",
        app: late.port,
      });
      await until("200", async () => statusOf(await ask(outbound, get("late-service"))) === 200);
    },
  );

  await t.step("answers 404 for a Host that is no name of a service", async () => {
    const message = await ask(outbound, get("www.example.com"));
    assertEquals(statusOf(message), 404);
    assertEquals(message.fields.get("x-mesh-reason"), "route-not-found");
  });
});
