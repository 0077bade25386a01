// Real programs: what only the system can tell. Needs --allow-run.
import { assertEquals, assertThrows } from "@std/assert";
import { SILENT } from "../telemetry/log.ts";
import { SpawnError } from "./errors.ts";
import { FakeHost, FakeSidecar } from "./fake_host.ts";
import { systemHost } from "./host.ts";
import { StopSignals } from "./stop_signals.ts";
import { supervise } from "./supervise.ts";

/** Supervises a real shell; only our own signals and the time are fake. */
async function superviseShell(fake: FakeHost, script: string): Promise<number> {
  const { spawn } = systemHost();
  const host = { spawn, onSignal: fake.onSignal.bind(fake) };
  using stops = new StopSignals(fake);
  const running = new FakeSidecar(fake.events);
  const options = { host, running, stops, clock: fake.clock, killAfterMs: 10_000, log: SILENT };
  return await supervise({ ...options, command: ["sh", "-c", script] });
}

Deno.test("supervise reports a real program's exit code", async () => {
  assertEquals(await superviseShell(new FakeHost(), "exit 7"), 7);
});

Deno.test("supervise reports 128 + n for a real program that a signal ended", async () => {
  assertEquals(await superviseShell(new FakeHost(), "kill -USR1 $$; sleep 60"), 138);
  assertEquals(await superviseShell(new FakeHost(), "kill -KILL $$"), 137);
});

Deno.test("supervise stops a real program that handles SIGTERM", async () => {
  const host = new FakeHost();
  const directory = await Deno.makeTempDir();
  const ready = `${directory}/ready`;
  try {
    await new Deno.Command("mkfifo", { args: [ready] }).output();
    const script = `trap 'exit 9' TERM; echo > '${ready}'; while :; do sleep 0.01; done`;
    const ended = superviseShell(host, script);
    // The pipe opens when the trap is set.
    await Deno.readTextFile(ready);
    host.signal("SIGTERM");
    assertEquals(await ended, 9);
    assertEquals(host.events, ["drain: SIGTERM", "drained", "closed"]);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("spawning tells not found from not executable as a shell does", async () => {
  const { spawn } = systemHost();
  const missing = assertThrows(() => spawn("sidecar-no-such-program", []), SpawnError);
  assertEquals(missing.message, "sidecar-no-such-program: command not found");
  assertEquals(missing.exitCode, 127);
  const file = await Deno.makeTempFile();
  try {
    const refused = assertThrows(() => spawn(file, []), SpawnError);
    assertEquals(refused.message, `${file}: not executable`);
    assertEquals(refused.exitCode, 126);
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("a signal to a program that has ended does nothing", async () => {
  const child = systemHost().spawn("true", []);
  assertEquals(await child.exited, { code: 0, signal: null });
  child.kill("SIGTERM");
});

Deno.test("maySpawn knows the permission of this process", async () => {
  assertEquals(await systemHost().maySpawn("sh"), true);
});
