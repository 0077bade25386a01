// `sidecar run --config FILE -- COMMAND`: the sidecar and its app as one process to whoever starts it.
import { assertEquals, assertLess } from "@std/assert";
import { join } from "node:path";
import { freePort } from "../integration/support/ports.ts";
import { freePorts, TestSidecar } from "../integration/support/sidecar.ts";
import { inTime, until } from "../integration/support/until.ts";
import { get, Wire } from "../integration/support/wire.ts";
import { Workspace } from "../integration/support/workspace.ts";

const APP = join(import.meta.dirname ?? "", "slow_app.ts");
/** What slow_app.ts ends with. */
const EXIT_CODE = 7;
/** 128 + SIGKILL. */
const KILLED = 137;

interface Supervised {
  readonly sidecar: TestSidecar;
  readonly appPort: number;
}

async function supervise(workspace: Workspace, ...args: string[]): Promise<Supervised> {
  const appPort = freePort();
  const ports = freePorts();
  const own = ["run", "--quiet", "--no-prompt", "--no-config", "--allow-net=127.0.0.1", APP];
  const command = [Deno.execPath(), ...own, String(appPort), String(ports.outbound), ...args];
  const config = { drain: { delay: "0s", timeout: "2s" } };
  const options = { service: "slow-service", app: appPort, config, command };
  return { sidecar: await TestSidecar.spawn(workspace, options, ports), appPort };
}

/** Asks the app itself, not through the sidecar. */
async function ask({ appPort }: Supervised, method: string, path: string): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${appPort}${path}`, { method });
  await response.body?.cancel();
  return response.status;
}

async function becomesHealthy(supervised: Supervised): Promise<void> {
  await until("the app", async () => await ask(supervised, "POST", "/healthy") === 200);
  await supervised.sidecar.registered();
}

async function said({ sidecar }: Supervised, line: string): Promise<void> {
  await until(line, () => sidecar.process.lines.includes(`app: ${line}`));
}

Deno.test("the app is started when the proxy is ready, and registered when it is well", async () => {
  await using workspace = new Workspace();
  const supervised = await supervise(workspace);
  await using sidecar = supervised.sidecar;
  await until("the app's own answer", async () => await ask(supervised, "GET", "/health") === 503);
  await said(supervised, "the proxy accepts");
  await until("a check of the app", async () => {
    const url = `http://127.0.0.1:${sidecar.ports.admin}/readyz`;
    return /"app"/.test(await (await fetch(url)).text());
  });
  assertEquals((await sidecar.snapshot()).isRegistered, false);
  assertEquals(await workspace.registered(), []);
  await becomesHealthy(supervised);
  assertEquals((await workspace.registered()).length, 1);
  await sidecar.ready();
  assertEquals(await inTime("the end", sidecar.stop()), EXIT_CODE);
});

Deno.test("SIGTERM leaves the registry, finishes what is under way, ends the app, and keeps its exit code", async () => {
  await using workspace = new Workspace();
  const supervised = await supervise(workspace);
  await using sidecar = supervised.sidecar;
  await becomesHealthy(supervised);
  using wire = await Wire.dial(sidecar.ports.inbound);
  await wire.write(get("slow-service", "/held"));
  await said(supervised, "a request arrived");

  sidecar.process.kill("SIGTERM");
  await until("an empty registry", async () => (await workspace.registered()).length === 0);
  assertEquals(await ask(supervised, "GET", "/health"), 200, "the app must still run");
  assertEquals(sidecar.process.lines.includes("app: asked to end"), false);
  await ask(supervised, "POST", "/release");
  assertEquals((await inTime("the response", wire.readMessage()))?.body, "held and answered");
  assertEquals(await inTime("the end", sidecar.process.exited), EXIT_CODE);
  const { lines } = sidecar.process;
  assertLess(lines.indexOf("app: the request is answered"), lines.indexOf("app: asked to end"));
});

Deno.test("an app that ends by itself takes its sidecar along, with its exit code", async () => {
  await using workspace = new Workspace();
  const supervised = await supervise(workspace);
  await using sidecar = supervised.sidecar;
  await becomesHealthy(supervised);
  await ask(supervised, "POST", "/end").catch(() => {}); // it ends without an answer
  assertEquals(await inTime("the end", sidecar.process.exited), EXIT_CODE);
  assertEquals(await workspace.registered(), []);
});

Deno.test("an app that does not end is killed after drain.timeout", async () => {
  await using workspace = new Workspace();
  const supervised = await supervise(workspace, "--deaf");
  await using sidecar = supervised.sidecar;
  await becomesHealthy(supervised);
  sidecar.process.kill("SIGTERM");
  await said(supervised, "asked to end");
  assertEquals(await inTime("the end", sidecar.process.exited), KILLED);
});

Deno.test("a command that does not exist is said and gives 127", async () => {
  await using workspace = new Workspace();
  const app = freePort();
  const command = ["no-such-program-of-this-test"];
  const options = { service: "slow-service", app, command };
  await using sidecar = await TestSidecar.spawn(workspace, options);
  assertEquals(await inTime("the end", sidecar.process.exited), 127);
  const complaint = sidecar.process.lines.find((line) => line.includes(command[0]!));
  assertEquals(complaint === undefined, false, sidecar.process.lines.join("\n"));
});
