import { assertEquals } from "@std/assert";
import { SILENT } from "../telemetry/log.ts";
import { FakeChild, FakeHost, FakeSidecar, settle } from "./fake_host.ts";
import { StopSignals } from "./stop_signals.ts";
import { supervise } from "./supervise.ts";

interface Scene {
  readonly host: FakeHost;
  readonly child: FakeChild;
  readonly sidecar: FakeSidecar;
  readonly ended: Promise<number>;
}

/** An app under supervision that dies of `obeys` alone. */
async function scene(
  options: { isHanging?: boolean; obeys?: readonly string[] } = {},
): Promise<Scene> {
  const host = new FakeHost();
  const child = new FakeChild(host.events, options.obeys);
  host.child = child;
  const sidecar = new FakeSidecar(host.events, options);
  const ended = superviseApp(host, sidecar);
  await settle();
  return { host, child, sidecar, ended };
}

async function superviseApp(host: FakeHost, running: FakeSidecar): Promise<number> {
  using stops = new StopSignals(host);
  const { clock } = host;
  const options = { host, running, stops, clock, killAfterMs: 10_000, log: SILENT };
  return await supervise({ ...options, command: ["app"] });
}

Deno.test("supervise drains before it stops the app, and closes after it", async () => {
  const { host, child, sidecar, ended } = await scene({ isHanging: true });
  host.signal("SIGTERM");
  await sidecar.draining;
  await settle();
  assertEquals(child.signals, []);
  sidecar.finishDrain();
  assertEquals(await ended, 143);
  const order = ["app started", "drain: SIGTERM", "drained", "app SIGTERM", "closed"];
  assertEquals(host.events, order);
  assertEquals([host.listenedTo, host.clock.pending], [[], 0]);
});

Deno.test("supervise ends with the exit code that the app chose on SIGTERM", async () => {
  const { host, child, ended } = await scene({ obeys: [] });
  host.signal("SIGTERM");
  await settle();
  child.end(0);
  assertEquals(await ended, 0);
});

Deno.test("supervise kills an app that outlives the drain timeout", async () => {
  const { host, child, ended } = await scene({ obeys: ["SIGKILL"] });
  host.signal("SIGINT");
  await settle();
  await host.clock.advance(9999);
  assertEquals(child.signals, ["SIGTERM"]);
  await host.clock.advance(1);
  assertEquals(await ended, 137);
  assertEquals(child.signals, ["SIGTERM", "SIGKILL"]);
  assertEquals(host.events.at(-1), "closed");
});

Deno.test("supervise drains, closes and takes the exit code when the app ends by itself", async () => {
  const { host, child, ended } = await scene();
  child.end(3);
  assertEquals(await ended, 3);
  const reason = "drain: the app ended with exit code 3";
  assertEquals(host.events, ["app started", reason, "drained", "closed"]);
});

Deno.test("supervise finishes the drain when the app ends during it", async () => {
  const { host, child, sidecar, ended } = await scene({ isHanging: true });
  host.signal("SIGTERM");
  await sidecar.draining;
  child.end(5);
  sidecar.finishDrain();
  assertEquals(await ended, 5);
  assertEquals(child.signals, []);
});

Deno.test("supervise cuts both on the second signal", async () => {
  const { host, child, sidecar, ended } = await scene({ isHanging: true, obeys: ["SIGKILL"] });
  host.signal("SIGTERM");
  await sidecar.draining;
  host.signal("SIGTERM");
  assertEquals(await ended, 143);
  assertEquals(child.signals, ["SIGKILL"]);
  assertEquals(host.events, ["app started", "drain: SIGTERM", "aborted", "app SIGKILL"]);
  sidecar.finishDrain();
});

Deno.test("supervise passes SIGHUP, SIGUSR1 and SIGUSR2 on to the app", async () => {
  const { host, child, ended } = await scene();
  for (const signal of ["SIGHUP", "SIGUSR1", "SIGUSR2"] as const) {
    assertEquals(host.signal(signal), true);
  }
  assertEquals(child.signals, ["SIGHUP", "SIGUSR1", "SIGUSR2"]);
  child.end(0);
  assertEquals(await ended, 0);
});

Deno.test("supervise leaves no app behind when the sidecar fails to drain", async () => {
  const host = new FakeHost();
  const child = new FakeChild(host.events);
  host.child = child;
  const running = new FakeSidecar(host.events);
  running.drain = () => Promise.reject(new TypeError("a bug"));
  const ended = superviseApp(host, running).catch(String);
  await settle();
  host.signal("SIGTERM");
  assertEquals(await ended, "TypeError: a bug");
  assertEquals(child.signals, ["SIGKILL"]);
});
