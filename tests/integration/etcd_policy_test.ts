// Policy pushed through a real etcd: taken over live, acknowledged, refused with its reason, taken back; and a start without it.
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { ROOT } from "../../deploy/build/bundle.ts";
import { Etcd, NEEDS_ETCD } from "./support/etcd.ts";
import { Load } from "./support/load.ts";
import { freePort } from "./support/ports.ts";
import { TestProcess } from "./support/processes.ts";
import { RawApp } from "./support/raw_app.ts";
import { freePorts, SIDECAR, TestSidecar } from "./support/sidecar.ts";
import { until } from "./support/until.ts";
import { answer, get, statusOf, Wire } from "./support/wire.ts";
import { Workspace } from "./support/workspace.ts";

const KEY = "/mesh/policy/order-service";
const BASE = "/mesh/policy/_default";
/** Sound, but not for a sidecar. */
const EDGE = "gateway: { routes: [{ match: { path: /a }, to: user-service }] }\n";

interface Mesh extends AsyncDisposable {
  readonly workspace: Workspace;
  readonly etcd: Etcd;
  readonly app: RawApp;
  readonly sidecar: TestSidecar;
  start(ports?: ReturnType<typeof freePorts>): Promise<TestSidecar>;
  /** Runs `sidecar ARGS`, which ends. */
  run(...args: string[]): Promise<{ readonly code: number; readonly output: string }>;
  /** The status that the sidecar keeps in etcd, once it is about `revision`. */
  status(revision: number): Promise<{ readonly accepted: boolean; readonly error: string | null }>;
  write(name: string, text: string): Promise<string>;
}

/** An order service, whose sidecar calls a user service that answers what it was asked for. */
async function startMesh(): Promise<Mesh> {
  await using stack = new AsyncDisposableStack();
  const workspace = stack.use(new Workspace());
  const etcd = stack.use(await Etcd.start(workspace));
  const app = stack.use(new RawApp(({ target, wire }) => wire.write(answer(target))));
  const start = (ports = freePorts()) =>
    TestSidecar.start(workspace, {
      service: "order-service",
      app: app.port,
      config: {
        registry: { static: { "user-service": [`127.0.0.1:${app.port}`] } },
        policySource: etcd.policySource,
        log: { format: "text", access: "off" },
      },
    }, ports);
  const sidecar = stack.use(await start());
  const { service: { id } } = JSON.parse(await sidecar.admin("/snapshot"));
  const run = async (...args: string[]) => {
    const process = new TestProcess({ command: SIDECAR, args, cwd: workspace.path });
    const code = await process.exited;
    return { code, output: process.lines.join("\n") };
  };
  const status = (revision: number) =>
    until(`a status of ${revision}`, async () => {
      const text = await etcd.get(`/mesh/status/order-service/${id}`);
      const status = JSON.parse(text ?? "{}");
      return status.revision?.split("+").includes(String(revision)) ? status : undefined;
    });
  const write = async (name: string, text: string) => {
    await workspace.write(name, text);
    return name;
  };
  const owned = stack.move();
  return {
    workspace,
    etcd,
    app,
    sidecar,
    start,
    run,
    status,
    write,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** The policy makes calls to the user service fail in a way that a test can see. */
function failing(status: number): string {
  return `upstreams: { user-service: { fault: { abort: { status: ${status}, percent: 100% } } } }\n`;
}

async function call(sidecar: TestSidecar): Promise<number> {
  using wire = await Wire.dial(sidecar.ports.outbound);
  return statusOf(await wire.exchange(get("user-service", "/")));
}

Deno.test({
  name:
    "policy pushed through etcd is taken over, merged, refused and taken back while requests go on",
  ...NEEDS_ETCD,
  async fn(t) {
    await using mesh = await startMesh();
    const { etcd, sidecar, status, run, write } = mesh;
    const load = new Load({
      port: sidecar.ports.inbound,
      clients: 4,
      request: (id) => get("order-service", `/${id}`),
    });

    await t.step("a document comes into force, and its instance says so", async () => {
      assertEquals(await call(sidecar), 200);
      const revision = await etcd.put(KEY, failing(418));
      assertEquals((await status(revision)).accepted, true);
      assertEquals(await call(sidecar), 418);
      assertEquals((await sidecar.snapshot()).policy.revision, String(revision));
    });

    await t.step("what stands in _default holds where the service says nothing", async () => {
      const base = await etcd.put(BASE, failing(421));
      await status(base);
      assertEquals(await call(sidecar), 418);
      await etcd.delete(KEY);
      await until("the default", async () => (await call(sidecar)) === 421);
      await etcd.delete(BASE);
      await until("nothing", async () => (await call(sidecar)) === 200);
    });

    await t.step("an invalid document of each kind is refused with its reason", async () => {
      const good = await etcd.put(KEY, failing(418));
      await status(good);
      const kinds: readonly [text: string, reason: RegExp][] = [
        ["upstreams: [", /order-service:1:\d+: /],
        ["upstreams: { user-service: { timeout: 3 } }", /:1:39: .*timeout: is a number, expected/],
        ["upstraems: {}", /did you mean "upstreams"/],
        ["upstreams: { user-service: { split: [{ subset: v9, weight: 50 }] } }", /are 50 together/],
        ["upstreams: { user-service: { mirror: { to: user-service } } }", /the upstream itself/],
        ["inbound: { timeout: ${NO_SUCH_VARIABLE} }", /NO_SUCH_VARIABLE/],
        [EDGE, /no edge/],
        ["\u0000\u0001", /order-service/],
        [`# ${"x".repeat(1_400_000)}`, /larger than 1 MiB/],
      ];
      for (const [text, reason] of kinds) {
        const { accepted, error } = await status(await etcd.put(KEY, text));
        assertEquals(accepted, false, text.slice(0, 80));
        assertMatch(error ?? "", reason);
        assertEquals(await call(sidecar), 418);
      }
      assertStringIncludes(await sidecar.admin("/metrics"), "\nmesh_policy_refused 1\n");
      const log = sidecar.process.lines.filter((line) => line.includes("not in force"));
      assertEquals(log.length, kinds.length);
    });

    await t.step("the command line pushes, reports, shows and takes back", async () => {
      const access = ["--etcd", etcd.endpoints[0]!];
      await etcd.put(KEY, failing(418));
      const file = await write("new.yaml", failing(420));
      const put = await run("policy", "put", "order-service", file, "--yes", ...access);
      assertEquals(put.code, 0, put.output);
      assertMatch(put.output, /^\+.*status: 420/m);
      assertMatch(put.output, /order-service-\S+ {2}accepted\n1 of 1 instances accepted it/);
      assertEquals(await call(sidecar), 420);
      const bad = await write("bad.yaml", "upstreams: { user-service: { timeout: 3 } }");
      const refused = await run("policy", "put", "order-service", bad, "--yes", ...access);
      assertEquals(refused.code, 65, refused.output);
      const edge = await write("edge.yaml", EDGE);
      const nack = await run("policy", "put", "order-service", edge, "--yes", ...access);
      assertEquals(nack.code, 65, nack.output);
      assertMatch(nack.output, /refused: .*this instance is no edge/);
      const shown = await run("policy", "status", "order-service", ...access);
      assertMatch(shown.output, /order-service +order-service-\S+ +\d+ +refused /);
      const back = await run("policy", "rollback", "order-service", "--yes", ...access);
      assertEquals(back.code, 0, back.output);
      assertEquals(await call(sidecar), 420);
      const { output } = await run("policy", "history", "order-service", ...access);
      assertEquals(output.split("\n").length, 4, output);
    });

    await t.step("of two authors at once one wins, and the other hears of it", async () => {
      const access = ["--etcd", etcd.endpoints[0]!];
      const files = await Promise.all(
        [1, 2, 3, 4].map((n) => write(`author-${n}.yaml`, failing(430 + n))),
      );
      const ends = await Promise.all(
        files.map((file) =>
          run("policy", "put", "order-service", file, "--yes", "--author", file, ...access)
        ),
      );
      const codes = ends.map(({ code }) => code);
      assert(
        codes.every((code) => code === 0 || code === 75),
        ends.map((e) => e.output).join("\n"),
      );
      const history = await run("policy", "history", "order-service", "--json", ...access);
      const written = JSON.parse(history.output)
        .filter(({ author }: { author: string }) => author.startsWith("author-"));
      assertEquals(written.length, codes.filter((code) => code === 0).length);
      const last = files.indexOf(written.at(-1).author) + 1;
      assertEquals(await etcd.get(KEY), failing(430 + last));
    });

    await t.step("plain keys are set, read and watched", async () => {
      const access = ["--etcd", etcd.endpoints[0]!];
      const watch = new TestProcess({
        command: SIDECAR,
        args: ["kv", "watch", "/config/url", ...access],
        cwd: ROOT,
      });
      await until("the first line", () => watch.lines.length === 1);
      assertEquals((await run("kv", "set", "/config/url", "postgres://a", ...access)).code, 0);
      assertEquals((await run("kv", "get", "/config/url", ...access)).output, "postgres://a");
      await until("the second line", () => watch.lines.length === 2);
      assertEquals(JSON.parse(watch.lines[1]!).value, "postgres://a");
      watch.kill("SIGINT");
      assertEquals(await watch.exited, 0);
    });

    await load.stop();
    assertEquals(load.fates.filter(({ status }) => status !== 200), []);
    assert(load.fates.length > 100, `only ${load.fates.length} requests`);
  },
});

Deno.test({
  name: "a sidecar that starts while etcd is away has the last good policy, and catches up",
  ...NEEDS_ETCD,
  async fn() {
    await using mesh = await startMesh();
    const { etcd, sidecar, start, status, workspace } = mesh;
    await status(await etcd.put(KEY, failing(418)));
    await status(await etcd.put(KEY, "rubbish"));
    assertEquals(await sidecar.stop(), 0);
    assertEquals(await etcd.get(`/mesh/status/order-service`), undefined);
    await etcd.kill();
    const [file] = [...Deno.readDirSync(`${workspace.path}/.mesh/cache`)]
      .filter(({ name }) => name.startsWith("policy-"));
    const { mode } = await Deno.stat(`${workspace.path}/.mesh/cache/${file!.name}`);
    assertEquals((mode ?? 0) & 0o777, 0o600);
    await using again = await start(sidecar.ports);
    assertEquals(await call(again), 418);
    await etcd.start();
    const revision = await etcd.put(KEY, failing(420));
    await until("the new policy", async () => (await call(again)) === 420);
    assertEquals((await again.snapshot()).policy.revision, String(revision));
  },
});

Deno.test({
  name: "a sidecar that has never seen etcd starts on the defaults, and says so",
  ...NEEDS_ETCD,
  async fn() {
    await using workspace = new Workspace();
    await using app = new RawApp(({ wire }) => wire.write(answer("ok")));
    await using sidecar = await TestSidecar.start(workspace, {
      service: "order-service",
      app: app.port,
      config: { policySource: { etcd: { endpoints: [`http://127.0.0.1:${freePort()}`] } } },
    });
    const { policy } = await sidecar.snapshot();
    assertEquals(policy.revision, "defaults");
    assertStringIncludes(policy.problem?.message ?? "", "etcd has not answered");
  },
});

Deno.test({
  name: "policy put --canary tries a policy at some instances and keeps it, or takes it back",
  ...NEEDS_ETCD,
  async fn() {
    await using workspace = new Workspace();
    await using etcd = await Etcd.start(workspace);
    await using app = new RawApp(({ target, wire }) => wire.write(answer(target)));
    await using stack = new AsyncDisposableStack();
    const sidecars: TestSidecar[] = [];
    for (let n = 0; n < 4; n++) {
      sidecars.push(stack.use(
        await TestSidecar.start(workspace, {
          service: "order-service",
          app: app.port,
          config: {
            registry: { static: { "user-service": [`127.0.0.1:${app.port}`] } },
            policySource: etcd.policySource,
            log: { format: "text", access: "off" },
          },
        }),
      ));
    }
    const access = ["--etcd", etcd.endpoints[0]!];
    const put = async (name: string, text: string) => {
      await workspace.write(name, text);
      const args = ["policy", "put", "order-service", name, "--yes", "--canary", "25%"];
      const process = new TestProcess({
        command: SIDECAR,
        args: [...args, "--canary-for", "8s", ...access],
        cwd: workspace.path,
      });
      return { code: await process.exited, output: process.lines.join("\n") };
    };
    let isOver = false;
    const statuses = new Map<number, number>();
    const callers = Promise.all(sidecars.map(async (sidecar) => {
      while (!isOver) {
        const status = await call(sidecar);
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }));
    const good = "upstreams: { user-service: { timeout: 2s } }\n";
    const kept = await put("good.yaml", good);
    assertEquals(kept.code, 0, kept.output);
    assertStringIncludes(kept.output, "on trial at 1 of 4 instances");
    assertStringIncludes(kept.output, "4 of 4 instances accepted it");
    assertEquals([...statuses.keys()], [200]);
    const bad = await put("bad.yaml", failing(503));
    isOver = true;
    await callers;
    assertEquals(bad.code, 65, bad.output);
    assertMatch(
      bad.output,
      /taken back, it fails: .*\((?:9\d|100)\.\d %\) with it, 0 of .*\(0\.0 %\) without/,
    );
    assertEquals(await etcd.get(KEY), good);
    assertEquals(await etcd.get("/mesh/canary/order-service"), undefined);
    for (const sidecar of sidecars) {
      await until("the old policy", async () => (await call(sidecar)) === 200);
    }
  },
});
