// One connection of a gRPC caller, three instances behind it: calls are spread, not connections, and none is lost when an
// instance goes.
import { assertEquals, assertGreater } from "@std/assert";
import { GrpcApp } from "./support/grpc_app.ts";
import { type Ending, GrpcCaller } from "./support/grpc_caller.ts";
import { startBeside } from "./support/grpc_mesh.ts";
import type { TestSidecar } from "./support/sidecar.ts";
import { inTime, until } from "./support/until.ts";
import { Workspace } from "./support/workspace.ts";

const INSTANCES = 3;
const WORKERS = 16;
/** Long enough for calls to be under way at every moment. */
const WORK_MS = 10;

/** Three instances of "callee", each counting its calls, and the sidecar of a caller. */
class Mesh implements AsyncDisposable {
  readonly counts: number[] = Array.from({ length: INSTANCES }, () => 0);
  readonly instances: TestSidecar[] = [];
  readonly #stack = new AsyncDisposableStack();
  readonly #workspace = this.#stack.use(new Workspace());

  static async start(workMs: number, drain = {}): Promise<Mesh> {
    const mesh = new Mesh();
    try {
      await Promise.all(mesh.counts.map((_, index) => mesh.#add(index, workMs, drain)));
      return mesh;
    } catch (error) {
      await mesh[Symbol.asyncDispose]();
      throw error;
    }
  }

  async #add(index: number, workMs: number, drain: object): Promise<void> {
    const app = await GrpcApp.listen({
      Unary: async ({ request }, callback) => {
        this.counts[index]!++;
        if (workMs > 0) await new Promise((resolve) => setTimeout(resolve, workMs));
        callback(null, request);
      },
    });
    this.#stack.use(app);
    const options = { service: "callee", grpc: app.port, config: { drain } };
    this.instances.push(this.#stack.use(await startBeside(this.#workspace, options)));
  }

  /** The outbound port of a sidecar that sees them all. */
  async caller(): Promise<TestSidecar> {
    const app = this.#stack.use(await GrpcApp.listen({}));
    const config = { policy: { upstreams: { callee: {} } } };
    const options = { service: "caller", grpc: app.port, config };
    const sidecar = this.#stack.use(await startBeside(this.#workspace, options));
    await sidecar.sees("callee", this.instances.map(({ ports }) => ports.inbound));
    return sidecar;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync();
  }
}

Deno.test("one connection spreads its calls evenly over three instances", async () => {
  await using mesh = await Mesh.start(0);
  const { ports } = await mesh.caller();
  using caller = new GrpcCaller(ports.outbound);
  for (let call = 0; call < 50; call++) assertEquals((await caller.unary("one")).code, 0);
  await Promise.all(Array.from({ length: 50 }, () => caller.unary("at once")));
  assertEquals(mesh.counts.toSorted(), [33, 33, 34]);
});

for (const delay of ["1s", "0s"]) {
  Deno.test(`instances that drain one after the other under load, ${delay} after leaving the registry, lose no call`, async () => {
    await using mesh = await Mesh.start(WORK_MS, { delay });
    const { ports } = await mesh.caller();
    using caller = new GrpcCaller(ports.outbound);
    const endings: Ending[] = [];
    let isOver = false;
    const work = async () => {
      while (!isOver) endings.push(await caller.unary("load"));
    };
    const workers = Array.from({ length: WORKERS }, work);
    for (const sidecar of mesh.instances.slice(1)) {
      const { length } = endings;
      await until("calls before", () => endings.length > length + 200);
      assertEquals(await inTime("the end of an instance", sidecar.stop()), 0);
      await until("calls after", () => endings.length > length + 600);
    }
    isOver = true;
    await Promise.all(workers);
    assertEquals(endings.filter(({ code }) => code !== 0), []);
    mesh.counts.forEach((count) => assertGreater(count, 0));
  });
}
