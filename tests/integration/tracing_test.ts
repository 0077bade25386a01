// Traces of real sidecars as a collector gets them: who called whom, what failed and why, and what a collector that is away costs.
import { assert, assertEquals, assertMatch } from "@std/assert";
import { Collector, treeOf } from "./support/collector.ts";
import { GrpcApp } from "./support/grpc_app.ts";
import { GrpcCaller } from "./support/grpc_caller.ts";
import { status } from "@grpc/grpc-js";
import { freePort } from "./support/ports.ts";
import { RawApp } from "./support/raw_app.ts";
import { TestSidecar } from "./support/sidecar.ts";
import { until } from "./support/until.ts";
import { answer, get, statusOf, Wire } from "./support/wire.ts";
import { Workspace } from "./support/workspace.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const ROUTES = [
  { match: { path: "/api/orders/*" }, to: "order-service", rewrite: "/orders/*" },
  { match: { path: "/ghosts" }, to: "ghost-service" },
];

interface Mesh extends AsyncDisposable {
  readonly collector: Collector;
  readonly edge: number;
  readonly orders: TestSidecar;
  readonly gateway: TestSidecar;
  /** Asks the gateway as a member of a trace; resolves to the status. */
  ask(path: string, traceId: string, fields?: string): Promise<number>;
}

/** gateway > order service > its own sidecar > user service, which fails the first time it is asked for `/flaky`. */
async function startMesh(tracing: Readonly<Record<string, unknown>> = {}): Promise<Mesh> {
  await using stack = new AsyncDisposableStack();
  const workspace = stack.use(new Workspace());
  const collector = stack.use(new Collector());
  let flaked = false;
  const users = stack.use(
    new RawApp(async ({ target, wire }) => {
      const fails = target === "/flaky" && !flaked;
      if (fails) flaked = true;
      await wire.write(fails ? answer("no", "503 Service Unavailable") : answer("user"));
    }),
  );
  const outbound: { port: number } = { port: 0 };
  const app = stack.use(
    new RawApp(async ({ fields, target, wire }) => {
      using out = await Wire.dial(outbound.port);
      const user = target.endsWith("flaky") ? "/flaky" : "/users/7";
      // What a service does for its trace: it passes the field on.
      const own = `traceparent: ${fields.get("traceparent")}\r\n`;
      const { body } = await out.exchange(get("user-service", user, own));
      await wire.write(answer(`order of ${body}`));
    }),
  );
  const edge = freePort();
  const config = {
    tracing,
    policy: {
      upstreams: { "user-service": { tls: "none", retry: { attempts: 2, on: ["gateway-error"] } } },
    },
    log: { format: "text", access: "off" },
  };
  const env = collector.env;
  await workspace.write("x", "");
  const orders = stack.use(
    await TestSidecar.start(workspace, {
      service: "order-service",
      app: app.port,
      env,
      config: { ...config, registry: { static: { "user-service": [`127.0.0.1:${users.port}`] } } },
    }),
  );
  outbound.port = orders.ports.outbound;
  const gateway = stack.use(
    await TestSidecar.start(workspace, {
      service: "gateway",
      env,
      config: {
        ...config,
        registry: { static: { "order-service": [`127.0.0.1:${orders.ports.inbound}`] } },
        gateway: { bind: `127.0.0.1:${edge}`, routes: ROUTES },
      },
    }),
  );
  const ask = async (path: string, traceId: string, fields = "") => {
    using wire = await Wire.dial(edge);
    const traceparent = `traceparent: 00-${traceId}-b7ad6b7169203331-01\r\n`;
    return statusOf(await wire.exchange(get("shop", path, traceparent + fields)));
  };
  const owned = stack.move();
  return {
    collector,
    edge,
    orders,
    gateway,
    ask,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

Deno.test("a request is one trace through all of its sidecars, with parents, attributes and what went wrong", async (t) => {
  await using mesh = await startMesh();
  const { collector, ask } = mesh;

  await t.step("an order that goes well", async () => {
    assertEquals(await ask("/api/orders/7?secret=x", TRACE), 200);
    const spans = await collector.trace(TRACE, 4);
    assertEquals(
      treeOf(spans),
      [
        "gateway server GET /api/orders/*",
        "  gateway client GET /api/orders/*",
        "    order-service server GET",
        "      order-service client GET",
      ].join("\n"),
    );
    assertEquals(spans.filter(({ error }) => error !== undefined), []);
    const [root] = spans.filter(({ service, kind }) => service === "gateway" && kind === "server");
    const { attributes } = root!;
    assertEquals(attributes["http.route"], "/api/orders/*");
    assertEquals(attributes["http.response.status_code"], 200);
    assertEquals(attributes["mesh.upstream"], "order-service");
    assertEquals(JSON.stringify(spans).includes("secret"), false);
    assert(Math.abs(root!.startMs - Date.now()) < 60_000, `${root!.startMs}`);
    for (const { durationMs } of spans) {
      assert(durationMs > 0 && durationMs < 20_000, `${durationMs}`);
    }
  });

  await t.step("a call that is made once more", async () => {
    const traceId = TRACE.replace("0af", "1af");
    assertEquals(await ask("/api/orders/flaky", traceId), 200);
    const spans = await collector.trace(traceId, 4);
    const call = spans.find(({ kind, service }) =>
      kind === "client" && service === "order-service"
    );
    assertEquals(call?.events.map(({ name }) => name), ["attempt", "attempt failed", "retry"]);
    assertEquals(call?.events[1]?.attributes["mesh.reason"], "503");
    assertEquals(call?.attributes["mesh.attempts"], 2);
    assertEquals(call?.error, undefined);
  });

  await t.step("a service that nobody is", async () => {
    const traceId = TRACE.replace("0af", "2af");
    assertEquals(await ask("/ghosts", traceId), 503);
    const [span] = await collector.trace(traceId, 1);
    assertEquals([span?.error, span?.attributes["mesh.reason"]], ["no-endpoints", "no-endpoints"]);
  });
});

Deno.test("of what is not sampled only failures and slow requests are kept, and everybody is told so", async () => {
  await using mesh = await startMesh({ sample: 0 });
  const { collector, ask } = mesh;
  assertEquals(await ask("/api/orders/7", TRACE), 200);
  const failed = TRACE.replace("0af", "3af");
  assertEquals(await ask("/ghosts", failed), 503);
  await collector.trace(failed, 1);
  assertEquals(collector.spans.filter(({ traceId }) => traceId === TRACE), []);
});

Deno.test("a gRPC call and its failure are spans by the conventions for RPC", async () => {
  await using workspace = new Workspace();
  await using collector = new Collector();
  using app = await GrpcApp.listen({
    Unary: ({ request }, callback) => {
      const isBad = String(request) === "bad";
      callback(isBad ? { code: status.UNAVAILABLE, details: "down" } : null, request);
    },
  });
  await using caller = await TestSidecar.spawn(workspace, {
    service: "caller",
    env: collector.env,
    config: {
      service: { name: "caller", app: { grpc: `127.0.0.1:${app.port}` } },
      registry: { static: { callee: [`127.0.0.1:${app.port}`] } },
      policy: { upstreams: { callee: { protocol: "http2", tls: "none" } } },
    },
  });
  await until("the outbound port", async () => {
    using _wire = await Wire.dial(caller.ports.outbound);
    return true;
  });
  using client = new GrpcCaller(caller.ports.outbound);
  assertEquals((await client.unary("good")).code, status.OK);
  assertEquals((await client.unary("bad")).code, status.UNAVAILABLE);
  const spans = await until("two spans", () => collector.spans.length >= 2 && collector.spans);
  assertEquals(spans.map(({ name, kind }) => [name, kind]), [
    ["test.Calls/Unary", "client"],
    ["test.Calls/Unary", "client"],
  ]);
  assertEquals(spans.map(({ attributes }) => attributes["rpc.grpc.status_code"]), [0, 14]);
  assertEquals(spans.map(({ error }) => error), [undefined, "grpc-status 14"]);
});

Deno.test("a collector that refuses or is away costs spans, which are counted, and no request", async () => {
  await using mesh = await startMesh();
  const { collector, ask, gateway } = mesh;
  collector.status = 503;
  for (let request = 0; request < 20; request++) {
    assertEquals(await ask("/api/orders/7", TRACE), 200);
  }
  await until(
    "the log",
    () => gateway.process.lines.some((line) => line.includes("dropping them")),
  );
  assertMatch(await gateway.admin("/metrics"), /mesh_spans_total\{result="dropped"\} \d+/);
  collector.status = 200;
  const later = TRACE.replace("0af", "4af");
  assertEquals(await ask("/api/orders/7", later), 200);
  await collector.trace(later, 4);
});

Deno.test("a sidecar that stops sends the spans that it still has", async () => {
  await using mesh = await startMesh();
  const { collector, ask, gateway } = mesh;
  assertEquals(await ask("/ghosts", TRACE), 503);
  assertEquals(await gateway.stop(), 0);
  assertEquals(collector.spans.filter(({ traceId }) => traceId === TRACE).length, 1);
});
