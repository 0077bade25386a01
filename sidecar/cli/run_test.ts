import { assertEquals, assertStringIncludes } from "@std/assert";
import { ConfigError, ProxyError } from "../errors.ts";
import type { Bootstrap } from "../config/bootstrap.ts";
import { runCli } from "./cli.ts";
import { SpawnError } from "./errors.ts";
import { FakeHost, FakeSidecar, settle } from "./fake_host.ts";
import type { StartOptions } from "../app.ts";
import type { StartSidecar } from "./command.ts";
import { VERSION } from "./version.ts";

const SOUND = `service: { name: a, address: 10.0.0.5, app: { http: 127.0.0.1:8001 } }
registry: { files: {} }
log: { format: text }
`;

function hostWith(text: string = SOUND): FakeHost {
  const host = new FakeHost();
  host.files.set("a.yaml", text);
  return host;
}

interface Launched {
  readonly ended: Promise<number>;
  /** Resolves when everything that follows the start has happened. */
  readonly isUp: Promise<void>;
}

/** Runs the command line; `sidecar` is what starts, or never does. */
function launch(
  host: FakeHost,
  sidecar: FakeSidecar | Promise<FakeSidecar>,
  ...command: string[]
): Launched {
  const called = Promise.withResolvers<void>();
  const start: StartSidecar = async () => {
    called.resolve();
    const running = await sidecar;
    host.events.push("started");
    return running;
  };
  const args = command.length === 0 ? [] : ["--", ...command];
  const ended = runCli(["run", "--config", "a.yaml", ...args], { host, start });
  return { ended, isUp: called.promise.then(settle) };
}

/** Runs a command line that ends without a signal; `error` is what starting throws. */
function run(host: FakeHost, error?: Error): Promise<number> {
  const start = () =>
    error === undefined ? Promise.resolve(new FakeSidecar(host.events)) : Promise.reject(error);
  return runCli(["run", "--config", "a.yaml"], { host, start });
}

Deno.test("run drains and closes on the first SIGTERM or SIGINT and exits 0", async () => {
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    const host = hostWith();
    const { ended, isUp } = launch(host, new FakeSidecar(host.events));
    await isUp;
    assertEquals(host.events, ["started"]);
    host.signal(signal);
    assertEquals(await ended, 0);
    assertEquals(host.events, ["started", `drain: ${signal}`, "drained", "closed", "flush"]);
    assertEquals(host.listenedTo, []);
  }
});

Deno.test("run aborts on the second signal and exits 128 + n", async () => {
  for (const [second, code] of [["SIGTERM", 143], ["SIGINT", 130]] as const) {
    const host = hostWith();
    const sidecar = new FakeSidecar(host.events, { isHanging: true });
    const { ended, isUp } = launch(host, sidecar);
    await isUp;
    host.signal("SIGTERM");
    await sidecar.draining;
    host.signal(second);
    assertEquals(await ended, code);
    assertEquals(host.events, ["started", "drain: SIGTERM", "aborted", "flush"]);
    sidecar.finishDrain();
  }
});

Deno.test("run drains at once when it was told to end while it started", async () => {
  const host = hostWith();
  const sidecar = new FakeSidecar(host.events);
  const starting = Promise.withResolvers<FakeSidecar>();
  const { ended, isUp } = launch(host, starting.promise);
  await isUp;
  host.signal("SIGTERM");
  starting.resolve(sidecar);
  assertEquals(await ended, 0);
  assertEquals(host.events, ["started", "drain: SIGTERM", "drained", "closed", "flush"]);
});

Deno.test("run does not begin an app when it was told to end while it started", async () => {
  const host = hostWith();
  const starting = Promise.withResolvers<FakeSidecar>();
  const { ended, isUp } = launch(host, starting.promise, "app");
  await isUp;
  host.signal("SIGTERM");
  starting.resolve(new FakeSidecar(host.events));
  assertEquals(await ended, 0);
  assertEquals(host.spawned, []);
});

Deno.test("run gives up a start that hangs on the second signal", async () => {
  const host = hostWith();
  const { ended, isUp } = launch(host, new Promise<FakeSidecar>(() => {}));
  await isUp;
  host.signal("SIGINT");
  host.signal("SIGINT");
  assertEquals(await ended, 130);
});

Deno.test("run does not die of SIGHUP", async () => {
  const host = hostWith();
  const { ended, isUp } = launch(host, new FakeSidecar(host.events));
  await isUp;
  assertEquals(host.signal("SIGHUP"), true);
  assertEquals(host.events, ["started"]);
  host.signal("SIGTERM");
  assertEquals(await ended, 0);
});

Deno.test("run hands the bootstrap, the version and its world to the sidecar", async () => {
  const host = hostWith(
    "service: { name: ${N}, address: 10.0.0.5, app: { http: 127.0.0.1:1 } }\n" +
      "registry: { files: {} }\nlog: { format: text, level: warn }",
  );
  host.variables.set("N", "from-outside");
  const seen = Promise.withResolvers<[Bootstrap, StartOptions]>();
  const start: StartSidecar = (bootstrap, options) => {
    seen.resolve([bootstrap, options]);
    return Promise.resolve(new FakeSidecar(host.events));
  };
  const ended = runCli(["run", "--config", "a.yaml"], { host, start });
  const [bootstrap, options] = await seen.promise;
  assertEquals(bootstrap.service.name, "from-outside");
  assertEquals(options.version, VERSION);
  assertEquals(options.environment("N"), "from-outside");
  options.log.info("unheard");
  options.log.warn("heard");
  assertEquals(host.logged, "2026-01-01T00:00:00.000Z warn  heard\n");
  host.signal("SIGTERM");
  await ended;
});

Deno.test("run refuses a bad configuration with every problem and exit 78", async () => {
  const host = hostWith(`${SOUND}workers: 2\ndrain: { timeout: 10 }\n`);
  assertEquals(await run(host), 78);
  assertEquals(
    host.stderr,
    "a.yaml:4:10: workers: more than one worker is not in this version, expected 1\n" +
      "a.yaml:5:19: drain.timeout: is a number, expected a duration such as 250ms, 10s or 5m\n",
  );
  assertEquals(host.events, ["flush"]);
});

Deno.test("run exits 66 when the file cannot be read", async () => {
  const host = new FakeHost();
  assertEquals(await run(host), 66);
  assertEquals(host.stderr, "sidecar: cannot read a.yaml: no such file\n");
});

Deno.test("run says why the sidecar could not start: 69 world, 78 configuration, 70 bug", async () => {
  const problem = { file: "p.yaml", line: 1, column: 2, path: "upstreams", message: "wrong" };
  const cases: [Error, number, string][] = [
    [new Error("127.0.0.1:15001 is taken"), 69, "sidecar: 127.0.0.1:15001 is taken\n"],
    [new ProxyError("internal", "no", { side: "local" }), 69, "sidecar: no\n"],
    [new ConfigError([problem]), 78, "p.yaml:1:2: upstreams: wrong\n"],
  ];
  for (const [error, code, line] of cases) {
    const host = hostWith();
    assertEquals(await run(host, error), code);
    assertEquals(host.stderr, line);
    assertEquals(host.listenedTo, []);
  }
  const host = hostWith();
  assertEquals(await run(host, new TypeError("x is undefined")), 70);
  assertStringIncludes(host.stderr, "sidecar: internal error: TypeError: x is undefined");
});

Deno.test("run warns about a runtime that is known to abort", async () => {
  const host = hostWith();
  host.runtime = "2.9.5";
  const { ended, isUp } = launch(host, new FakeSidecar(host.events));
  await isUp;
  host.signal("SIGTERM");
  await ended;
  assertStringIncludes(host.logged, "warn  Deno 2.9.5 can abort the whole process");
});

Deno.test("run refuses a command at once when the binary may not start programs", async () => {
  const host = hostWith();
  host.isSpawnAllowed = false;
  assertEquals(await launch(host, new FakeSidecar(host.events), "app").ended, 77);
  assertStringIncludes(host.stderr, "app: this binary was built without the permission");
  assertStringIncludes(host.stderr, "build it with `deno task compile`");
  assertEquals(host.events, ["flush"]);
});

Deno.test("run passes everything after the first -- to the app", async () => {
  const host = hostWith();
  const sidecar = new FakeSidecar(host.events);
  const { ended, isUp } = launch(host, sidecar, "app", "--config", "x", "--", "-h");
  await isUp;
  assertEquals(host.spawned, [["app", "--config", "x", "--", "-h"]]);
  assertEquals(host.events, ["started", "app started"]);
  host.signal("SIGTERM");
  await ended;
});

Deno.test("run drains and closes when the app cannot be started, with the shell's exit code", async () => {
  const host = hostWith();
  host.child = new SpawnError("app: command not found", 127, undefined);
  assertEquals(await launch(host, new FakeSidecar(host.events), "app").ended, 127);
  assertStringIncludes(host.logged, "error app: command not found");
  const reason = "drain: the app could not be started";
  assertEquals(host.events, ["started", reason, "drained", "closed", "flush"]);
});
