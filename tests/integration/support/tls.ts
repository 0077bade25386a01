// The mesh's TLS port and identities as tests use them: everything that comes to the port is kept and can be waited for.
import type { Clock } from "../../../sidecar/lib/clock.ts";
import { systemClock } from "../../../sidecar/lib/clock.ts";
import { MeshIdentity } from "../../../sidecar/net/mesh_identity.ts";
import { dialMesh, listenMesh } from "../../../sidecar/net/mesh_tls.ts";
import type { NodeTransport } from "../../../sidecar/net/node_transport.ts";
import type { Listener } from "../../../sidecar/net/tcp.ts";
import type { TlsFailure } from "../../../sidecar/net/tls_accept.ts";
import { TlsIdentity, type TlsMaterial } from "../../../sidecar/net/tls_identity.ts";
import { type LeafOptions, TestAuthority } from "../../support/certificates.ts";
import { until } from "./until.ts";

export const LOOPBACK = { host: "127.0.0.1", port: 0 } as const;

export function idOf(service: string): string {
  return `spiffe://mesh.local/ns/default/svc/${service}`;
}

export function isValidId(uri: string): boolean {
  return /^spiffe:\/\/[a-z0-9.-]+\/ns\/[a-z0-9-]+\/svc\/[a-z0-9-]+$/.test(uri);
}

/** A service's material; trusts its own authority and no other, unless told. */
export async function materialOf(
  authority: TestAuthority,
  service: string,
  { trust = [authority], ...leaf }: LeafOptions & { trust?: readonly TestAuthority[] } = {},
): Promise<TlsMaterial> {
  const id = idOf(service);
  const issued = await authority.issue({ uris: [id], ...leaf });
  return { id, ...issued, trustPem: trust.map(({ certificatePem }) => certificatePem) };
}

export function meshIdentity(material: TlsMaterial, clock: Clock = systemClock): MeshIdentity {
  return new MeshIdentity(new TlsIdentity(material), { clock, isValidId });
}

export interface MeshPortOptions {
  readonly mode?: "strict" | "permissive";
  readonly clock?: Clock;
  readonly onConnection?: (transport: NodeTransport) => void;
}

/** A port of the mesh; closes all that came to it when disposed. */
export class MeshPort implements AsyncDisposable {
  readonly connections: NodeTransport[] = [];
  readonly refused: NodeTransport[] = [];
  readonly failures: TlsFailure[] = [];
  #listener: Listener | undefined;

  static async open(identity: MeshIdentity, options: MeshPortOptions = {}): Promise<MeshPort> {
    const { mode = "strict", clock = systemClock } = options;
    const port = new MeshPort();
    port.#listener = await listenMesh(LOOPBACK, {
      identity,
      clock,
      mode,
      onConnection: (transport) => {
        port.connections.push(transport);
        options.onConnection?.(transport);
      },
      onRefused: (transport) => port.refused.push(transport),
      onFailure: (failure) => port.failures.push(failure),
      onError: (error) => {
        throw error;
      },
    });
    return port;
  }

  get port(): number {
    return this.#listener!.address.port;
  }

  /** The connection that came as number `index`, counted from 0. */
  connection(index = 0): Promise<NodeTransport> {
    return until("a connection", () => this.connections[index]);
  }

  failure(index = 0): Promise<TlsFailure> {
    return until("a failure", () => this.failures[index]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener?.close();
    for (const transport of [...this.connections, ...this.refused]) transport.close();
    await this.#listener?.finished;
  }
}

/** Both ends of one connection of the mesh. */
export class MeshPair implements AsyncDisposable {
  readonly client: NodeTransport;
  readonly server: NodeTransport;
  readonly #port: MeshPort;

  private constructor(client: NodeTransport, server: NodeTransport, port: MeshPort) {
    this.client = client;
    this.server = server;
    this.#port = port;
  }

  static async open(): Promise<MeshPair> {
    const authority = await TestAuthority.root("root");
    const port = await MeshPort.open(meshIdentity(await materialOf(authority, "callee")));
    const client = await dialMesh(
      { host: LOOPBACK.host, port: port.port },
      new AbortController().signal,
      {
        identity: meshIdentity(await materialOf(authority, "caller")),
        expectedId: idOf("callee"),
        alpn: ["h2", "http/1.1"],
      },
    );
    return new MeshPair(client, await port.connection(), port);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.client.close();
    await this.#port[Symbol.asyncDispose]();
  }
}
