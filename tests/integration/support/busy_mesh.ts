// Two real sidecars, an order service that calls a user service without a pause over HTTP and gRPC, and the fate of every call.
import { assert, assertEquals } from "@std/assert";
import { status } from "@grpc/grpc-js";
import { GrpcApp } from "./grpc_app.ts";
import { GrpcCaller } from "./grpc_caller.ts";
import { Load } from "./load.ts";
import { RawApp } from "./raw_app.ts";
import { TestSidecar } from "./sidecar.ts";
import { until } from "./until.ts";
import { answer, post } from "./wire.ts";
import type { Workspace } from "./workspace.ts";

/** Ten renewals, and a roll of the root, take some 40 s on a busy machine. */
const PATIENCE_MS = 90_000;

/** How long the app takes: a connection that is cut always has something under way. */
const WORK_MS = 30;

function work(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, WORK_MS));
}

/** How many certificates have been in force so far. */
export async function generation(sidecar: TestSidecar): Promise<number> {
  const metrics = await sidecar.admin("/metrics");
  return Number(/^mesh_identity_generation (\d+)$/m.exec(metrics)?.[1]);
}

/** The services are `order-service` and `user-service`. */
export class BusyMesh implements AsyncDisposable {
  readonly sidecars: readonly TestSidecar[];
  readonly #stack: AsyncDisposableStack;
  readonly #load: Load;
  /** How each call ended. */
  readonly #calls: Promise<readonly string[]>;
  #isOver = false;

  private constructor(stack: AsyncDisposableStack, sidecars: readonly TestSidecar[]) {
    const [{ ports: { outbound } }] = sidecars as [TestSidecar];
    this.#stack = stack;
    this.sidecars = sidecars;
    this.#load = new Load({
      port: outbound,
      clients: 4,
      // What fails of a POST is not sent once more behind our back.
      request: (id) => post("user-service", "hello", `/${id}`),
    });
    const callers = Array.from(
      { length: 4 },
      () => stack.use(new GrpcCaller(outbound, "user-service")),
    );
    this.#calls = Promise.all(callers.map((caller) => this.#call(caller)))
      .then((endings) => endings.flat());
  }

  static async start(
    workspace: Workspace,
    identityOf: (service: string) => Readonly<Record<string, unknown>>,
  ): Promise<BusyMesh> {
    const stack = new AsyncDisposableStack();
    const app = stack.use(
      new RawApp(async ({ wire }) => {
        await work();
        await wire.write(answer("ok"));
      }),
    );
    const grpc = stack.use(
      await GrpcApp.listen({
        Unary: ({ request }, callback) => void work().then(() => callback(null, request)),
      }),
    );
    const start = async (name: string) => {
      const health = { http: "/health", interval: "200ms", timeout: "2s" };
      const apps = { http: `127.0.0.1:${app.port}`, grpc: `127.0.0.1:${grpc.port}`, health };
      const config = {
        service: { name, app: apps },
        identity: identityOf(name),
        policy: { upstreams: { "user-service": {} } },
        log: { format: "text", access: "off" },
      };
      return stack.use(
        await TestSidecar.start(workspace, { service: name, app: app.port, config }),
      );
    };
    const users = await start("user-service");
    const orders = await start("order-service");
    await orders.sees("user-service", [users.ports.inbound]);
    return new BusyMesh(stack, [orders, users]);
  }

  /** Waits until each sidecar is past the generation that it has now, `count` times over. */
  async renewed(count = 1): Promise<void> {
    const wanted = await Promise.all(
      this.sidecars.map(async (sidecar) => await generation(sidecar) + count),
    );
    for (const [index, sidecar] of this.sidecars.entries()) {
      await until(
        `generation ${wanted[index]}`,
        async () => await generation(sidecar) >= wanted[index]!,
        PATIENCE_MS,
      );
    }
  }

  /** Ends the load; every request of it must have been answered well. */
  async finish(): Promise<void> {
    this.#isOver = true;
    await this.#load.stop();
    const { fates } = this.#load;
    assertEquals(fates.filter((fate) => fate.status !== 200), []);
    const endings = await this.#calls;
    assertEquals(endings.filter((ending) => ending !== "OK"), []);
    assert(fates.length > 50 && endings.length > 50, `only ${fates.length} and ${endings.length}`);
  }

  async #call(caller: GrpcCaller): Promise<readonly string[]> {
    const endings: string[] = [];
    while (!this.#isOver) {
      const { code, details } = await caller.unary("hello");
      endings.push(code === status.OK ? "OK" : `call ${endings.length}: ${code} ${details}`);
    }
    return endings;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    await this.#load.stop();
    await this.#calls;
    await this.#stack.disposeAsync();
  }
}
