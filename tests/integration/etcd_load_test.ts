// A thousand changes of policy under 200 clients and 50 open WebSockets: no failed request, no cut socket, no answer by a policy
// that was not in force.
// deno-lint-ignore-file no-console -- says how long changes took
import { assert, assertEquals } from "@std/assert";
import { status } from "@grpc/grpc-js";
import { Etcd, NEEDS_ETCD } from "./support/etcd.ts";
import { GrpcApp } from "./support/grpc_app.ts";
import { GrpcCaller } from "./support/grpc_caller.ts";
import { freePort } from "./support/ports.ts";
import { RawApp } from "./support/raw_app.ts";
import { TestSidecar } from "./support/sidecar.ts";
import { until } from "./support/until.ts";
import { WebApp } from "./support/web_app.ts";
import { WebSocketClient } from "./support/web_socket_client.ts";
import { answer, get, statusOf, Wire } from "./support/wire.ts";
import { Workspace } from "./support/workspace.ts";

const CHANGES = 1000;
const HTTP_CLIENTS = 100;
const GRPC_CLIENTS = 100;
const WEB_SOCKETS = 50;
/** Between two requests of one client: enough load to meet every change, and not so much that only load is measured. */
const PAUSE_MS = 150;

const EDGE_KEY = "/mesh/policy/gateway";
const BASE_KEY = "/mesh/policy/_default";

/** What requests at the edge are rewritten to names the version of the policy. */
function edgePolicy(version: number): string {
  return JSON.stringify({
    gateway: {
      routes: [
        { match: { path: "/api/*" }, to: "user-service", rewrite: `/v${version}/*` },
        { match: { path: "/ws" }, to: "chat-service" },
      ],
    },
  });
}

/** Changes the upstream that is called by gRPC, at every sidecar. */
function basePolicy(version: number): string {
  const callee = { protocol: "http2", timeout: `${10_000 + version}ms` };
  return JSON.stringify({ upstreams: { callee } });
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, PAUSE_MS * (0.5 + Math.random())));
}

/** Which versions of the edge's policy an answer may be by. */
interface Versions {
  /** Every sidecar has it, or a newer one. */
  confirmed: number;
  pushed: number;
}

async function httpClient(port: number, versions: Versions, isOver: () => boolean) {
  const problems: string[] = [];
  let count = 0;
  using wire = await Wire.dial(port);
  for (; !isOver(); count++) {
    const oldest = versions.confirmed;
    const message = await wire.exchange(get("shop", "/api/x"));
    const version = Number(/^\/v(\d+)\/x$/.exec(message.body)?.[1]);
    const isRight = statusOf(message) === 200 && version >= oldest && version <= versions.pushed;
    if (!isRight) problems.push(`${statusOf(message)} ${message.body}, ${oldest} was in force`);
    await pause();
  }
  return { count, problems };
}

async function grpcClient(port: number, isOver: () => boolean) {
  const problems: string[] = [];
  let count = 0;
  using caller = new GrpcCaller(port, "callee");
  for (; !isOver(); count++) {
    const { code, details } = await caller.unary("hello");
    if (code !== status.OK) problems.push(`${code} ${details}`);
    await pause();
  }
  return { count, problems };
}

async function chat(socket: WebSocketClient, isOver: () => boolean) {
  const problems: string[] = [];
  let count = 0;
  for (; !isOver(); count++) {
    const text = `message ${count}`;
    const echo = await socket.ask(text).catch(String);
    if (echo !== text) problems.push(String(echo));
    await pause();
  }
  const { code } = await socket.close(1000);
  if (code !== 1000) problems.push(`closed with ${code}`);
  return { count, problems };
}

Deno.test({
  name:
    "a thousand policies pushed under load fail no request, cut no socket and are in force at once",
  ...NEEDS_ETCD,
  async fn() {
    await using stack = new AsyncDisposableStack();
    const workspace = stack.use(new Workspace());
    const etcd = stack.use(await Etcd.start(workspace));
    const users = stack.use(new RawApp(({ target, wire }) => wire.write(answer(target))));
    const web = stack.use(new WebApp());
    const grpc = stack.use(
      await GrpcApp.listen({ Unary: ({ request }, callback) => callback(null, request) }),
    );
    await etcd.put(EDGE_KEY, edgePolicy(0));
    await etcd.put(BASE_KEY, basePolicy(0));
    const edge = freePort();
    const config = {
      registry: {
        static: {
          "user-service": [`127.0.0.1:${users.port}`],
          "chat-service": [`127.0.0.1:${web.port}`],
          callee: [`127.0.0.1:${grpc.port}`],
        },
      },
      policySource: etcd.policySource,
      log: { format: "text", level: "warn", access: "off" },
    };
    const gateway = stack.use(
      await TestSidecar.start(workspace, {
        service: "gateway",
        config: { ...config, gateway: { bind: `127.0.0.1:${edge}` } },
      }),
    );
    const orders = stack.use(
      await TestSidecar.start(workspace, { service: "order-service", app: users.port, config }),
    );

    const versions: Versions = { confirmed: 0, pushed: 0 };
    let hasEnded = false;
    const isOver = () => hasEnded;
    const sockets = await Promise.all(
      Array.from({ length: WEB_SOCKETS }, () => WebSocketClient.open(edge, "/ws")),
    );
    const clients = Promise.all([
      Promise.all(
        Array.from({ length: HTTP_CLIENTS }, () => httpClient(edge, versions, isOver)),
      ),
      Promise.all(
        Array.from({ length: GRPC_CLIENTS }, () => grpcClient(orders.ports.outbound, isOver)),
      ),
      Promise.all(sockets.map((socket) => chat(socket, isOver))),
    ]);

    const took: number[] = [];
    try {
      for (let change = 1; change <= CHANGES; change++) {
        const isEdge = change % 2 === 0;
        if (isEdge) versions.pushed = change;
        const begin = performance.now();
        const revision = isEdge
          ? await etcd.put(EDGE_KEY, edgePolicy(change))
          : await etcd.put(BASE_KEY, basePolicy(change));
        const concerned = isEdge ? [gateway] : [gateway, orders];
        await Promise.all(concerned.map((sidecar) =>
          until(`revision ${revision}`, async () => {
            const { policy } = await sidecar.snapshot();
            return policy.revision.split("+").includes(String(revision));
          })
        ));
        took.push(performance.now() - begin);
        if (isEdge) versions.confirmed = change;
      }
    } finally {
      hasEnded = true;
    }
    const [http, calls, chats] = await clients;
    for (const ends of [http, calls, chats]) {
      assertEquals(ends.flatMap(({ problems }) => problems), []);
      const least = Math.min(...ends.map(({ count }) => count));
      assert(least >= 10, `a client did only ${least} requests`);
    }
    assertEquals(web.ends.map(({ code }) => code), Array(WEB_SOCKETS).fill(1000));
    const sorted = took.toSorted((a, b) => a - b);
    const at = (share: number) => `${sorted[Math.floor(share * (CHANGES - 1))]!.toFixed(0)} ms`;
    const requests = [...http, ...calls, ...chats].reduce((sum, { count }) => sum + count, 0);
    console.log(
      `${CHANGES} changes under ${requests} requests, from put to effect: ` +
        `median ${at(0.5)}, p99 ${at(0.99)}, longest ${at(1)}`,
    );
  },
});
