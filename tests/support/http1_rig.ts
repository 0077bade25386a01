// A real sidecar as an edge between raw clients and a recording backend.
import { assertEquals } from "@std/assert";
import { RawClient } from "./raw_client.ts";
import { RecordingBackend } from "./recording_backend.ts";
import { SidecarProcess } from "./sidecar_process.ts";

export interface RigOptions {
  /** The section `limits` of the bootstrap document. */
  readonly limits?: Readonly<Record<string, unknown>>;
  /** Of the one route that there is. */
  readonly timeout?: string;
}

export class Rig {
  readonly backend: RecordingBackend;
  readonly port: number;
  #cleanRequests = 0;

  /** Runs `use` with both of them up, then ends them and holds them to what must hold whatever was sent. */
  static async run(options: RigOptions, use: (rig: Rig) => Promise<void>): Promise<void> {
    const backend = await RecordingBackend.start();
    try {
      const sidecar = await SidecarProcess.start(documentOf(backend.port, options));
      let exitCode: number;
      try {
        await use(new Rig(backend, await sidecar.port("edge")));
      } finally {
        exitCode = await sidecar.stop();
      }
      assertEquals(exitCode, 0);
      assertEquals(sidecar.log.filter(({ level }) => level === "error"), []);
    } finally {
      await backend.close();
    }
    assertEquals(backend.violations, []);
    assertEquals(backend.requests.filter(({ target }) => target.includes("smuggled")), []);
    assertEquals(backend.requests.flatMap(({ fields }) => fields.filter(isHopByHop)), []);
  }

  private constructor(backend: RecordingBackend, port: number) {
    this.backend = backend;
    this.port = port;
  }

  async connect(): Promise<RawClient> {
    return await RawClient.connect(this.port);
  }

  /** Connects, and closes when `use` is done. */
  async client<T>(use: (client: RawClient) => Promise<T>): Promise<T> {
    const client = await this.connect();
    try {
      return await use(client);
    } finally {
      client.close();
    }
  }

  /** An honest request on a new connection gets its own answer, and the backend saw it once. */
  async expectClean(): Promise<void> {
    const target = `/clean/${++this.#cleanRequests}`;
    const { status, body } = await this.client(async (client) => {
      await client.send(`GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`);
      return await client.response();
    });
    assertEquals([status, body], [200, `GET ${target}`]);
    assertEquals(this.backend.requests.at(-1)?.target, target);
  }
}

function documentOf(backendPort: number, { limits = {}, timeout = "10s" }: RigOptions) {
  const any = "127.0.0.1:0";
  return {
    service: { name: "edge", address: "127.0.0.1" },
    listeners: { inbound: any, outbound: any, admin: any, health: any },
    registry: { static: { backend: [`127.0.0.1:${backendPort}`] } },
    gateway: { bind: any, routes: [{ match: { path: "/*" }, to: "backend", timeout }] },
    limits,
    log: { level: "debug" },
  };
}

/** A backend sees none of these, but for the offer of trailers that the sidecar makes itself. */
function isHopByHop([name, value]: readonly [string, string]): boolean {
  if (name === "connection") return value !== "te";
  if (name === "te") return value !== "trailers";
  return ["keep-alive", "proxy-connection", "upgrade", "http2-settings", "x-hop"].includes(name);
}
