// A sidecar that is stopped under load, alone and in turn with another: nothing that it accepted is lost.
import { assertEquals, assertGreater } from "@std/assert";
import { RawApp } from "./support/raw_app.ts";
import { freePorts, type SidecarPorts, TestSidecar } from "./support/sidecar.ts";
import { type Fate, Load } from "./support/load.ts";
import { freePort } from "./support/ports.ts";
import { inTime, until } from "./support/until.ts";
import { answer, get, post } from "./support/wire.ts";
import { Workspace } from "./support/workspace.ts";

/** Long enough for requests to be under way at every moment. */
const WORK_MS = 15;

/** An app that takes its time, and remembers which requests it saw. */
function slowApp(seen: Set<string>): RawApp {
  return new RawApp(async ({ target, wire }) => {
    seen.add(target.slice(1));
    await new Promise((resolve) => setTimeout(resolve, WORK_MS));
    await wire.write(answer(target));
  });
}

function isGood({ status }: Fate): boolean {
  return status === 200;
}

Deno.test("a sidecar that is stopped under load answers whatever it accepted", async () => {
  const seen = new Set<string>();
  await using workspace = new Workspace();
  await using app = slowApp(seen);
  await using sidecar = await TestSidecar.start(workspace, {
    service: "user-service",
    app: app.port,
  });
  const load = new Load({
    port: sidecar.ports.inbound,
    clients: 32,
    request: (id) => get("user-service", `/${id}`),
  });
  await until("some requests", () => load.fates.length > 200);
  assertEquals(await inTime("the end of the sidecar", sidecar.stop()), 0);
  await inTime("the end of the clients", load.stop());
  // A connection may close just as the next request is written. That one was not accepted, so the app never saw it.
  const lost = load.fates.filter((fate) =>
    !isGood(fate) && (fate.status !== 0 || seen.has(fate.id))
  );
  assertEquals(lost, []);
  assertGreater(load.fates.filter(isGood).length, 200);
});

interface Instance {
  readonly app: RawApp;
  readonly ports: SidecarPorts;
  sidecar: TestSidecar;
}

Deno.test("a rolling restart of two instances fails no request of a gateway", async () => {
  const seen = new Set<string>();
  const edge = freePort();
  await using workspace = new Workspace();
  await using stack = new AsyncDisposableStack();
  const start = (app: RawApp, ports: SidecarPorts) =>
    TestSidecar.start(workspace, {
      service: "user-service",
      app: app.port,
      config: { drain: { delay: "1s", timeout: "10s" } },
    }, ports);
  const instances: Instance[] = [];
  for (let i = 0; i < 2; i++) {
    const app = stack.use(slowApp(seen));
    const ports = freePorts();
    const instance = { app, ports, sidecar: await start(app, ports) };
    stack.defer(() => instance.sidecar[Symbol.asyncDispose]());
    instances.push(instance);
  }
  const inbounds = instances.map(({ ports }) => ports.inbound);
  const routes = [{ match: { path: "/*" }, to: "user-service" }];
  await using gateway = await TestSidecar.start(workspace, {
    service: "gateway",
    config: { gateway: { bind: `127.0.0.1:${edge}`, routes } },
  });
  await gateway.sees("user-service", inbounds);

  // POST is never tried again, so each one must get through at the first try.
  const load = new Load({
    port: edge,
    clients: 8,
    request: (id) => id.endsWith("0") ? get("x", `/${id}`) : post("x", "body", `/${id}`),
  });
  for (const instance of instances) {
    const { length } = load.fates;
    assertEquals(await inTime("the end of an instance", instance.sidecar.stop()), 0);
    instance.sidecar = await start(instance.app, instance.ports);
    await gateway.sees("user-service", inbounds);
    await until("requests through the whole restart", () => load.fates.length > length + 100);
  }
  await inTime("the end of the clients", load.stop());
  assertEquals(load.fates.filter((fate) => !isGood(fate)), []);
});
