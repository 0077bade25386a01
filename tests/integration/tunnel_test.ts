// Tunnels end to end: client > gateway > sidecar of the app > app, with clients and servers that nobody here wrote.
import { assertEquals } from "@std/assert";
import { freePort } from "./support/ports.ts";
import { TestSidecar } from "./support/sidecar.ts";
import { inTime, until } from "./support/until.ts";
import { WebApp } from "./support/web_app.ts";
import { WebSocketClient } from "./support/web_socket_client.ts";
import { get, Wire } from "./support/wire.ts";
import { Workspace } from "./support/workspace.ts";

const MEGABYTE = 1024 * 1024;
const ROUTES = [{ match: { path: "/*" }, to: "chat-service" }];

/** The handshake of RFC 6455 1.3 by hand: a client whose end is ours to choose. */
const HANDSHAKE = get(
  "chat",
  "/ws",
  "connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n" +
    "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
);

interface Mesh extends AsyncDisposable {
  readonly workspace: Workspace;
  readonly app: WebApp;
  readonly sidecar: TestSidecar;
  readonly gateway: TestSidecar;
  /** Where clients call. */
  readonly edge: number;
}

/** What the gateway speaks to the sidecar behind it; the app gets HTTP/1.1. */
function policyOf(protocol: string, timeout = "5s"): string {
  return `upstreams: { chat-service: { protocol: ${protocol}, timeout: ${timeout} } }\n`;
}

async function startMesh(protocol: string, drain = {}): Promise<Mesh> {
  await using stack = new AsyncDisposableStack();
  const workspace = stack.use(new Workspace());
  const app = stack.use(new WebApp());
  const edge = freePort();
  const sidecar = stack.use(
    await TestSidecar.start(workspace, {
      service: "chat-service",
      app: app.port,
      config: { drain },
    }),
  );
  await workspace.write("policy.yaml", policyOf(protocol));
  const gateway = stack.use(
    await TestSidecar.start(workspace, {
      service: "gateway",
      config: {
        policySource: { file: "policy.yaml" },
        gateway: { bind: `127.0.0.1:${edge}`, routes: ROUTES },
      },
    }),
  );
  await gateway.sees("chat-service", [sidecar.ports.inbound]);
  const owned = stack.move();
  return {
    workspace,
    app,
    sidecar,
    gateway,
    edge,
    [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose](),
  };
}

function randomBytes(count: number): Uint8Array {
  const bytes = new Uint8Array(count);
  for (let i = 0; i < count; i += 65_536) crypto.getRandomValues(bytes.subarray(i, i + 65_536));
  return bytes;
}

async function testWebSockets(t: Deno.TestContext, mesh: Mesh): Promise<void> {
  const { app, edge } = mesh;
  const open = () => WebSocketClient.open(edge, "/ws");

  await t.step("carries text and binary messages, empty ones included", async () => {
    const socket = await open();
    for (const message of ["hello", "", "€𝄞\0", Uint8Array.of(0, 255, 13, 10), new Uint8Array()]) {
      assertEquals(await socket.ask(message), message);
    }
    await socket.close(1000);
  });

  await t.step("carries messages of a megabyte", async () => {
    const socket = await open();
    const bytes = randomBytes(MEGABYTE);
    assertEquals(await socket.ask(bytes), bytes);
    const text = "x".repeat(MEGABYTE);
    assertEquals(await socket.ask(text) === text, true);
    await socket.close(1000);
  });

  await t.step("carries 200 at once", async () => {
    const sockets = await Promise.all(Array.from({ length: 200 }, open));
    await until("as many at the app", () => app.open === 200);
    const answers = await Promise.all(sockets.map((socket, i) => socket.ask(`number ${i}`)));
    assertEquals(answers, sockets.map((_, i) => `number ${i}`));
    await Promise.all(sockets.map((socket) => socket.close(1000)));
    await until("the app's side ends too", () => app.open === 0);
  });

  await t.step("passes on why the app closed it", async () => {
    const socket = await open();
    socket.send("bye");
    const closing = await inTime("the close", socket.closed);
    assertEquals(closing, { code: 4001, reason: "as you wish" });
  });

  await t.step("passes on why the client closed it", async () => {
    const socket = await open();
    await inTime("the close", socket.close(4002, "had enough"));
    await until("the app's side", () => app.open === 0);
    assertEquals(app.ends.at(-1), { code: 4002, reason: "had enough" });
  });

  await t.step("ends at the app when the client dies", async () => {
    const wire = await Wire.dial(edge);
    await wire.write(HANDSHAKE);
    const head = await wire.readHead();
    assertEquals(head?.startLine, "HTTP/1.1 101 Switching Protocols");
    assertEquals(head?.fields.get("sec-websocket-accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    await until("the app's side", () => app.open === 1);
    wire.close();
    await until("the app's side ends", () => app.open === 0);
  });

  await t.step("leaves no connection behind", async () => {
    const pattern = /mesh_upstream_connections\{cluster="app",state="busy"\} (\d+)/;
    await until("none is busy", async () => {
      return pattern.exec(await mesh.sidecar.admin("/metrics"))?.[1] === "0";
    });
  });
}

for (const protocol of ["auto", "http2"]) {
  Deno.test(`WebSockets, with ${protocol} between the sidecars`, async (t) => {
    await using mesh = await startMesh(protocol);
    await testWebSockets(t, mesh);
  });
}

Deno.test("a WebSocket outlives a change of policy", async () => {
  await using mesh = await startMesh("auto");
  const { workspace, gateway, edge } = mesh;
  const socket = await WebSocketClient.open(edge, "/ws");
  const { policy: { revision } } = await gateway.snapshot();
  await workspace.write("policy.yaml", policyOf("http1", "3s"));
  await until("the new policy", async () => {
    return (await gateway.snapshot()).policy.revision !== revision;
  });
  assertEquals(await socket.ask("still here"), "still here");
  await socket.close(1000);
});

Deno.test("WebSockets outlive the drain of a sidecar until its time is up", async () => {
  await using mesh = await startMesh("auto", { delay: "10ms", timeout: "1s" });
  const { app, sidecar, gateway, edge } = mesh;
  const sockets = [
    await WebSocketClient.open(edge, "/ws"),
    await WebSocketClient.open(edge, "/ws"),
  ];
  const stopped = sidecar.stop();
  await gateway.sees("chat-service", []);
  for (const socket of sockets) assertEquals(await socket.ask("still here"), "still here");
  await sockets[0]!.close(1000);
  assertEquals(await inTime("the end of the sidecar", stopped), 0);
  const { code } = await inTime("the cut", sockets[1]!.closed);
  assertEquals(code === 1000, false, "a cut is no goodbye");
  await until("the app's side ends", () => app.open === 0);
});

Deno.test("Server-Sent Events arrive one by one, and a client that leaves is noticed", async () => {
  await using mesh = await startMesh("auto");
  const { app, edge } = mesh;
  const leaving = new AbortController();
  const asked = fetch(`http://127.0.0.1:${edge}/events`, { signal: leaving.signal });
  const stream = await inTime("the app is asked", app.nextStream());
  const response = await inTime("the head, before any event", asked);
  assertEquals(response.headers.get("content-type"), "text/event-stream");
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  for (let i = 0; i < 20; i++) {
    stream.send(`event ${i}`);
    const { value } = await inTime("the event, before the next", reader.read());
    assertEquals(value, `data: event ${i}\n\n`);
  }
  leaving.abort();
  await reader.closed.catch(() => {});
  await inTime("the app hears of it", stream.cancelled);
});

Deno.test("Server-Sent Events end as the app ends them", async () => {
  await using mesh = await startMesh("http2");
  const { app, edge } = mesh;
  const asked = fetch(`http://127.0.0.1:${edge}/events`);
  const stream = await inTime("the app is asked", app.nextStream());
  stream.send("only");
  stream.end();
  assertEquals(await (await asked).text(), "data: only\n\n");
});
