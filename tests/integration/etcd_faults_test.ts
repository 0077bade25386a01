// Etcd that stops, restarts, forgets, loses its leader, hangs and is cut off by the network: no wrong policy is ever in force,
// requests go on, and five seconds after it is back so is what was pushed.
import { assert, assertEquals } from "@std/assert";
import { Etcd, type EtcdOptions, NEEDS_ETCD } from "./support/etcd.ts";
import { Load } from "./support/load.ts";
import { NEEDS_NAMESPACES, NetworkNamespace } from "./support/network_namespace.ts";
import { RawApp } from "./support/raw_app.ts";
import { TestProcess } from "./support/processes.ts";
import { SIDECAR, TestSidecar } from "./support/sidecar.ts";
import { until } from "./support/until.ts";
import { answer, get, statusOf, Wire } from "./support/wire.ts";
import { Workspace } from "./support/workspace.ts";

const KEY = "/mesh/policy/order-service";
const RECOVERY_MS = 5000;

/** One sidecar under load beside an etcd; `version` is what the policy in force says. */
class Rig implements AsyncDisposable {
  readonly etcd: Etcd;
  readonly sidecar: TestSidecar;
  readonly #load: Load;
  readonly #stack: AsyncDisposableStack;
  readonly #workspace: Workspace;
  readonly #within: readonly string[] | undefined;
  #pushed = 400;

  private constructor(
    stack: AsyncDisposableStack,
    { workspace, etcd, sidecar, within }: {
      readonly workspace: Workspace;
      readonly etcd: Etcd;
      readonly sidecar: TestSidecar;
      readonly within: readonly string[] | undefined;
    },
  ) {
    this.#stack = stack;
    this.#workspace = workspace;
    this.#within = within;
    this.etcd = etcd;
    this.sidecar = sidecar;
    this.#load = new Load({
      port: sidecar.ports.inbound,
      clients: 4,
      request: (id) => get("order-service", `/${id}`),
    });
  }

  static async start(options: EtcdOptions = {}): Promise<Rig> {
    await using stack = new AsyncDisposableStack();
    const workspace = stack.use(new Workspace());
    const etcd = stack.use(await Etcd.start(workspace, options));
    const app = stack.use(new RawApp(({ wire }) => wire.write(answer("ok"))));
    const sidecar = stack.use(
      await TestSidecar.start(workspace, {
        service: "order-service",
        app: app.port,
        config: {
          registry: { static: { "user-service": [`127.0.0.1:${app.port}`] } },
          policySource: etcd.policySource,
          log: { format: "text", access: "off" },
        },
      }),
    );
    const { within } = options;
    const rig = new Rig(stack.move(), { workspace, etcd, sidecar, within });
    await rig.push();
    return rig;
  }

  /** Pushes a policy and waits until it is in force; resolves to how many milliseconds that took. */
  async push(): Promise<number> {
    const begin = performance.now();
    await this.arrives(await this.write());
    return performance.now() - begin;
  }

  async arrives(status: number): Promise<void> {
    await until(`policy ${status}`, async () => (await this.#status()) === status);
  }

  /** Pushes a policy, which calls can be told by. */
  async write(): Promise<number> {
    const status = ++this.#pushed;
    const fault = { abort: { status, percent: "100%" } };
    const policy = JSON.stringify({ upstreams: { "user-service": { fault } } });
    await until("etcd takes it", async () => {
      await this.#put(policy);
      return true;
    });
    return status;
  }

  /** `status` must be what the policy in force says. */
  async holds(status = this.#pushed): Promise<void> {
    assertEquals(await this.#status(), status);
  }

  /** From where etcd is. */
  async #put(policy: string): Promise<void> {
    if (this.#within === undefined) return void await this.etcd.put(KEY, policy);
    const [command = "", ...args] = [...this.#within, SIDECAR, "kv", "set", KEY, policy];
    const process = new TestProcess({
      command,
      args: [...args, "--etcd", this.etcd.endpoints.join()],
      cwd: this.#workspace.path,
    });
    if (await process.exited !== 0) throw new Error(process.lines.join("\n"));
  }

  async #status(): Promise<number> {
    using wire = await Wire.dial(this.sidecar.ports.outbound);
    return statusOf(await wire.exchange(get("user-service", "/")));
  }

  async finish(): Promise<void> {
    await this.#load.stop();
    const { fates } = this.#load;
    assertEquals(fates.filter(({ status }) => status !== 200), []);
    assert(fates.length > 100, `only ${fates.length} requests`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#load.stop();
    await this.#stack.disposeAsync();
  }
}

async function pause(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}

Deno.test({
  name: "etcd that stops, restarts and forgets leaves the policy in force, and the next one comes",
  ...NEEDS_ETCD,
  async fn(t) {
    await using rig = await Rig.start();
    const { etcd } = rig;
    const comesBack = async () => {
      const ms = await rig.push();
      assert(ms < RECOVERY_MS, `in force after ${ms} ms`);
    };
    await t.step("stopped for longer than its leases last, and started again", async () => {
      await etcd.kill();
      await pause(12_000);
      await rig.holds();
      await etcd.start();
      await comesBack();
    });
    await t.step("restarted at once", async () => {
      await etcd.kill();
      await etcd.start();
      await rig.holds();
      await comesBack();
    });
    await t.step("compacted, so that a watch would begin in what is forgotten", async () => {
      await etcd.kill();
      await etcd.start();
      for (let turn = 0; turn < 50; turn++) await etcd.put("/elsewhere", String(turn));
      await etcd.compact();
      await comesBack();
    });
    await t.step("hanging, with all its connections open", async () => {
      etcd.freeze();
      await pause(6000);
      await rig.holds();
      etcd.thaw();
      await comesBack();
    });
    await rig.finish();
  },
});

Deno.test({
  name: "etcd of three members loses its leader, and the next policy is in force within seconds",
  ...NEEDS_ETCD,
  async fn() {
    await using rig = await Rig.start({ members: 3 });
    for (let turn = 0; turn < 2; turn++) {
      await rig.etcd.killLeader();
      await rig.holds();
      const ms = await rig.push();
      assert(ms < RECOVERY_MS, `in force after ${ms} ms`);
      await rig.etcd.start();
    }
    await rig.finish();
  },
});

Deno.test({
  name: "etcd that the network cuts off for a while catches up as soon as it is back",
  ignore: NEEDS_ETCD.ignore || NEEDS_NAMESPACES.ignore,
  async fn() {
    await using network = await NetworkNamespace.make();
    await using rig = await Rig.start({ host: network.inside, within: network.within });
    const before = await rig.write();
    await rig.arrives(before);
    await network.cut();
    const meanwhile = await rig.write();
    await pause(8000);
    await rig.holds(before);
    await network.heal();
    const begin = performance.now();
    await rig.arrives(meanwhile);
    const ms = performance.now() - begin;
    assert(ms < RECOVERY_MS, `in force after ${ms} ms`);
    await rig.finish();
  },
});
