// The usual road of a gRPC call: caller > its sidecar, outbound > the callee's sidecar, inbound > app. Nobody speaks HTTP/1.1.
import { type SidecarPorts, TestSidecar } from "./sidecar.ts";
import { until } from "./until.ts";
import { Wire } from "./wire.ts";
import type { Workspace } from "./workspace.ts";

export interface BesideOptions {
  readonly service: string;
  /** Port where the app speaks HTTP/2 with prior knowledge. */
  readonly grpc: number;
  /** Further sections of the bootstrap document. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Further settings of `service.app.health`. */
  readonly health?: Readonly<Record<string, unknown>>;
}

/** The document's part about an app that speaks HTTP/2 alone. */
function configOf({ service, grpc, config = {}, health = {} }: BesideOptions) {
  const often = { interval: "200ms", timeout: "2s" };
  const app = { grpc: `127.0.0.1:${grpc}`, health: { ...often, ...health } };
  return { service: { name: service, app }, ...config };
}

/** A sidecar beside such an app, whether that is there or not. */
export function spawnBeside(
  workspace: Workspace,
  options: BesideOptions,
  ports?: SidecarPorts,
): Promise<TestSidecar> {
  const { service } = options;
  return TestSidecar.spawn(workspace, { service, config: configOf(options) }, ports);
}

/** The same, as soon as it is registered. */
export async function startBeside(
  workspace: Workspace,
  options: BesideOptions,
  ports?: SidecarPorts,
): Promise<TestSidecar> {
  const sidecar = await spawnBeside(workspace, options, ports);
  try {
    await sidecar.ready();
    await sidecar.registered();
    return sidecar;
  } catch (error) {
    await sidecar[Symbol.asyncDispose]();
    throw new Error(sidecar.process.lines.join("\n"), { cause: error });
  }
}

/** Both sidecars of the road to service "callee"; what calls has no app of its own, so the same one stands behind it. */
export class Road implements AsyncDisposable {
  readonly caller: TestSidecar;
  readonly callee: TestSidecar;

  private constructor(caller: TestSidecar, callee: TestSidecar) {
    this.caller = caller;
    this.callee = callee;
  }

  /** `policy` is that of the caller. */
  static async start(
    workspace: Workspace,
    grpc: number,
    policy: Readonly<Record<string, unknown>> = {},
  ): Promise<Road> {
    const callee = await startBeside(workspace, { service: "callee", grpc });
    const upstreams = { callee: policy };
    const config = { policy: { upstreams } };
    const caller = await startBeside(workspace, { service: "caller", grpc, config });
    await caller.sees("callee", [callee.ports.inbound]);
    return new Road(caller, callee);
  }

  /** Where the caller dials. */
  get port(): number {
    return this.caller.ports.outbound;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.caller[Symbol.asyncDispose]();
    await this.callee[Symbol.asyncDispose]();
  }
}

/** The same road where health and registry play no part: `app` says where the app is and what it speaks. */
export async function startFixedRoad(
  workspace: Workspace,
  app: { readonly http: number } | { readonly grpc: number },
): Promise<{ readonly port: number; readonly sidecars: readonly TestSidecar[] } & AsyncDisposable> {
  const stack = new AsyncDisposableStack();
  const address = Object.fromEntries(Object.entries(app).map(([kind, port]) => [kind, at(port)]));
  const spawn = async (name: string, services: Readonly<Record<string, string[]>>) => {
    const config = {
      service: { name, app: address },
      registry: { static: services },
      // What a sidecar says of itself in a registry, and nobody says in this one.
      policy: { upstreams: { callee: { protocol: "http2" } } },
    };
    return stack.use(await TestSidecar.spawn(workspace, { service: name, config }));
  };
  const callee = await spawn("callee", {});
  const caller = await spawn("caller", { callee: [at(callee.ports.inbound)] });
  await until("two listeners", async () => {
    for (const port of [caller.ports.outbound, callee.ports.inbound]) {
      using _wire = await Wire.dial(port);
    }
    return true;
  });
  const sidecars = [caller, callee];
  return {
    port: caller.ports.outbound,
    sidecars,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

function at(port: number): string {
  return `127.0.0.1:${port}`;
}
