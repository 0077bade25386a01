// A real sidecar as an edge: HTTP/2 clients by hand before it, and behind it an application that writes down every
// HTTP/1.1 byte, or an evil HTTP/2 server.
import { assertEquals } from "@std/assert";
import { RawClient } from "../raw_client.ts";
import { RecordingBackend } from "../recording_backend.ts";
import { SidecarProcess } from "../sidecar_process.ts";
import type { AbuseSubject } from "./abuse.ts";
import { get } from "./block.ts";
import { EvilServer } from "./evil_server.ts";
import { H2Peer } from "./peer.ts";
import type { UpstreamOutcome, UpstreamSubject } from "./upstream_case.ts";
import type { ErrorKind } from "../../../sidecar/errors.ts";

/** Runs `use` with an edge before this port, and holds it to an orderly end without an error in its log. */
async function withEdge(
  backendPort: number,
  protocol: "http1" | "http2",
  use: (port: number, admin: number) => Promise<void>,
): Promise<void> {
  const any = "127.0.0.1:0";
  const sidecar = await SidecarProcess.start({
    service: { name: "edge", address: "127.0.0.1" },
    listeners: { inbound: any, outbound: any, admin: any, health: any },
    registry: { static: { backend: [`127.0.0.1:${backendPort}`] } },
    gateway: { bind: any, routes: [{ match: { path: "/*" }, to: "backend", timeout: "30s" }] },
    policy: { upstreams: { backend: { protocol } } },
    log: { level: "debug" },
  });
  let exitCode: number;
  try {
    await use(await sidecar.port("edge"), await sidecar.port("admin"));
  } finally {
    exitCode = await sidecar.stop();
  }
  assertEquals(exitCode, 0);
  assertEquals(sidecar.log.filter(({ level }) => level === "error"), []);
}

/** HTTP/2 in, HTTP/1.1 out. */
export class DownstreamRig implements AbuseSubject {
  readonly backend: RecordingBackend;
  readonly port: number;
  readonly #admin: number;
  #cleanRequests = 0;
  #held = 0;

  static async run(use: (rig: DownstreamRig) => Promise<void>): Promise<void> {
    const backend = await RecordingBackend.start();
    try {
      await withEdge(
        backend.port,
        "http1",
        (port, admin) => use(new DownstreamRig(backend, port, admin)),
      );
    } finally {
      await backend.close();
    }
    assertEquals(backend.violations, []);
    assertEquals(backend.requests.filter(({ target }) => target.includes("smuggled")), []);
  }

  private constructor(backend: RecordingBackend, port: number, admin: number) {
    this.backend = backend;
    this.port = port;
    this.#admin = admin;
  }

  /** The application never answers requests of this path. */
  hold(path: string): void {
    this.backend.on(path, async (connection) => {
      this.#held++;
      await connection.gone();
      this.#held--;
    });
  }

  working(): Promise<number> {
    return Promise.resolve(this.#held);
  }

  async residentBytes(): Promise<number> {
    const text = await (await fetch(`http://127.0.0.1:${this.#admin}/metrics`)).text();
    return Number(/^process_resident_memory_bytes (\S+)$/m.exec(text)?.[1]);
  }

  /** An honest request on a new connection gets its own answer, and the backend saw it last. */
  async expectClean(): Promise<void> {
    const path = `/clean/${++this.#cleanRequests}`;
    using peer = await H2Peer.client(this.port);
    const { status, body } = await peer.ask(1, get(path));
    assertEquals([status, body], ["200", `GET ${path}`]);
    assertEquals(this.backend.requests.at(-1)?.target, path);
  }
}

/** HTTP/2 in, HTTP/2 out. */
export async function withHttp2App(use: (port: number, app: EvilServer) => Promise<void>) {
  await using server = new EvilServer();
  await withEdge(server.port, "http2", (port) => use(port, server));
}

/** HTTP/1.1 in, HTTP/2 out. */
export class UpstreamRig implements UpstreamSubject {
  readonly server: EvilServer;
  readonly #port: number;

  static async run(use: (rig: UpstreamRig) => Promise<void>): Promise<void> {
    await using server = new EvilServer();
    await withEdge(server.port, "http2", (port) => use(new UpstreamRig(server, port)));
  }

  private constructor(server: EvilServer, port: number) {
    this.server = server;
    this.#port = port;
  }

  async ask(method: string, path: string): Promise<UpstreamOutcome> {
    const client = await RawClient.connect(this.#port);
    try {
      const length = method === "POST" ? "Content-Length: 0\r\n" : "";
      await client.send(`${method} ${path} HTTP/1.1\r\nHost: a\r\n${length}\r\n`);
      const { status, body, get } = await client.response(method);
      const kind = get("x-mesh-reason") as ErrorKind | undefined;
      return kind === undefined ? { status, body } : { kind };
    } catch {
      return { kind: "cut" };
    } finally {
      client.close();
    }
  }

  /** The sidecar notices, at the latest with its next request, which is then tried again. */
  forget(): Promise<void> {
    for (const peer of this.server.peers) peer.close();
    return Promise.resolve();
  }
}
