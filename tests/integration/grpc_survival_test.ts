// A sidecar must not be able to take a grpc-js service with it, however it goes and whatever is open at the time: the service
// lives on and serves the next call, as a callee and as a caller.
import { assertEquals } from "@std/assert";
import { GrpcCaller } from "./support/grpc_caller.ts";
import { startBeside } from "./support/grpc_mesh.ts";
import { GrpcService } from "./support/grpc_service.ts";
import { freePort } from "./support/ports.ts";
import { freePorts } from "./support/sidecar.ts";
import { inTime, until } from "./support/until.ts";
import { Workspace } from "./support/workspace.ts";

const STREAMS = 20;
const ROUNDS = 3;
/** Little time to finish what does not finish. */
const drain = { delay: "0s", timeout: "300ms" };

/** The callee's service and sidecar, and the caller's: both services are processes of their own. */
class Pair implements AsyncDisposable {
  readonly #stack = new AsyncDisposableStack();
  readonly #workspace = this.#stack.use(new Workspace());
  readonly ports = { caller: freePorts(), callee: freePorts() };
  readonly services: Record<"caller" | "callee", GrpcService>;

  private constructor(caller: GrpcService, callee: GrpcService) {
    this.services = { caller: this.#stack.use(caller), callee: this.#stack.use(callee) };
  }

  static async start(): Promise<Pair> {
    const [outbound, nobody] = [freePort(), freePort()];
    const callee = await GrpcService.start(nobody);
    const pair = new Pair(await GrpcService.start(outbound), callee);
    pair.ports.caller = { ...pair.ports.caller, outbound };
    return pair;
  }

  startSidecar(service: "caller" | "callee") {
    const { port } = this.services[service];
    const options = { service, grpc: port, config: { drain } };
    return startBeside(this.#workspace, options, this.ports[service]);
  }

  /** Every stream that the caller's service ever opened is over, and its next call is answered. */
  async recovers(opened: number): Promise<void> {
    const { caller } = this.services;
    await until("the end of every stream", async () => await caller.tell("ended") === `${opened}`);
    await until("an answer", async () => await caller.tell("next") === "0");
    assertEquals([caller.process.hasExited, this.services.callee.process.hasExited], [
      false,
      false,
    ]);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync();
  }
}

for (const signal of ["SIGTERM", "SIGKILL"] as const) {
  for (const side of ["caller", "callee"] as const) {
    Deno.test(`${signal} to the ${side}'s sidecar with ${STREAMS} streams open leaves both services well`, async () => {
      await using pair = await Pair.start();
      await using stack = new AsyncDisposableStack();
      const other = side === "caller" ? "callee" : "caller";
      stack.use(await pair.startSidecar(other));
      let opened = 0;
      for (let round = 0; round < ROUNDS; round++) {
        await using sidecar = await pair.startSidecar(side);
        await pair.recovers(opened);
        assertEquals(await pair.services.caller.tell(`open ${STREAMS}`), `open ${STREAMS}`);
        opened += STREAMS;
        sidecar.process.kill(signal);
        await inTime("the end of the sidecar", sidecar.process.exited);
      }
      await using _sidecar = await pair.startSidecar(side);
      await pair.recovers(opened);
    });
  }
}

Deno.test("callers that cancel all at once leave the service well", async () => {
  await using workspace = new Workspace();
  await using service = await GrpcService.start(freePort());
  await using sidecar = await startBeside(workspace, { service: "callee", grpc: service.port });
  for (let round = 0; round < ROUNDS; round++) {
    using caller = new GrpcCaller(sidecar.ports.inbound);
    const streams = Array.from({ length: 10 * STREAMS }, () => caller.download("hold 1"));
    // Half of them have begun, and the others have not.
    await Promise.all(streams.slice(0, 5 * STREAMS).map((stream) => stream.next()));
    for (const { call } of streams) call.cancel();
    await Promise.all(streams.map(({ end }) => end));
    assertEquals((await caller.unary("hello")).code, 0);
  }
  assertEquals(service.process.hasExited, false);
});
