// Part of the composition root: the identity of this sidecar, and the connections that rest on it. Loaded where there is one: node:tls
// and the authority's code cost several MB of memory.
import { consulClient } from "./app_sources.ts";
import type { Bootstrap, ConnectConfig } from "./config/bootstrap.ts";
import { ProxyError } from "./errors.ts";
import { identityFiles } from "./identity/files_io.ts";
import { Rotation } from "./identity/rotation.ts";
import type { IdentitySource } from "./identity/material.ts";
import { formatId, type Home, isWorkloadId, parseId } from "./identity/spiffe.ts";
import type { Clock } from "./lib/clock.ts";
import { MeshIdentity } from "./net/mesh_identity.ts";
import { dialMesh, listenMesh } from "./net/mesh_tls.ts";
import type { HostPort, Listener } from "./net/tcp.ts";
import type { TlsFailure } from "./net/tls_accept.ts";
import { TlsIdentity } from "./net/tls_identity.ts";
import type { AlpnProtocol, Transport, TransportPeer } from "./net/transport.ts";
import { PeerError } from "./net/trust_path.ts";
import type { PortEvents } from "./proxy/listener.ts";
import type { Logger } from "./telemetry/log.ts";
import type { Metrics } from "./telemetry/metrics.ts";
import { UntrustedPeer } from "./upstream/dial.ts";
import type { DialProtocol } from "./upstream/pool.ts";

export interface MeshPartsOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
}

const ALPN: Readonly<Record<DialProtocol, readonly AlpnProtocol[]>> = {
  http1: ["http/1.1"],
  http2: ["h2"],
  tcp: [],
};

/** One refusal a second and reason is told in the log; the metric counts all. */
const TOLD_EVERY_MS = 1_000;

/** How often open connections are looked at for certificates that have expired. */
const SWEEP_MS = 2_000;

/** mTLS with the other sidecars. */
export class Mesh {
  readonly #config: Bootstrap["identity"];
  readonly #options: MeshPartsOptions;
  readonly #source: IdentitySource;
  readonly #rotation: Rotation;
  readonly #toldAt = new Map<string, number>();
  readonly #countHandshake: (result: string) => void;
  #identity: MeshIdentity | undefined;
  #sweeping: Disposable | undefined;

  private constructor(
    identity: Bootstrap["identity"],
    source: IdentitySource,
    options: MeshPartsOptions,
  ) {
    const { clock, log, metrics } = options;
    this.#config = identity;
    this.#source = source;
    this.#options = options;
    this.#rotation = new Rotation({
      source,
      clock,
      log,
      random: Math.random,
      use: (material) => this.#use(new TlsIdentity(material)),
    });
    const connections = metrics.counter(
      "mesh_inbound_handshakes_total",
      "Connections to the inbound port: mtls, plain, or why they were refused.",
    );
    this.#countHandshake = (result) => connections.with({ result }).add();
    this.#exportGauges(metrics);
  }

  /** With an identity in force. Rejects with an error for the operator when there is none to be had. */
  static async start(bootstrap: Bootstrap, options: MeshPartsOptions): Promise<Mesh> {
    const source = await makeSource(bootstrap, options);
    const mesh = new Mesh(bootstrap.identity, source, options);
    await mesh.#rotation.start();
    mesh.#sweeping = options.clock.every(SWEEP_MS, () => mesh.#held().sweep());
    return mesh;
  }

  /** Where this sidecar is, by its own certificate: an authority may name its mesh itself. */
  get home(): Home {
    const { service: _, ...home } = parseId(this.#held().current.id)!;
    return home;
  }

  /** The SPIFFE id of its certificate. */
  get id(): string {
    return this.#held().current.id;
  }

  async close(): Promise<void> {
    this.#sweeping?.[Symbol.dispose]();
    await this.#rotation.close();
    await this.#source.close?.();
  }

  /** Connects to a service of this mesh. Rejects with UntrustedPeer when somebody else answers. */
  async dial(
    address: HostPort,
    service: string,
    signal: AbortSignal,
    protocol: DialProtocol,
  ): Promise<Transport> {
    try {
      return await dialMesh({ host: address.host, port: address.port }, signal, {
        identity: this.#held(),
        expectedId: formatId({ ...this.home, service }),
        alpn: ALPN[protocol],
      });
    } catch (error) {
      if (error instanceof PeerError) throw new UntrustedPeer(error.message, { cause: error });
      throw error;
    }
  }

  /** The inbound port. Rejects with ListenError. */
  listen(address: HostPort, { onConnection, onRefused, onError }: PortEvents): Promise<Listener> {
    const { clock } = this.#options;
    const mode = this.#config.mode === "permissive" ? "permissive" : "strict";
    return listenMesh(address, {
      identity: this.#held(),
      clock,
      mode,
      onConnection: (transport) => {
        this.#countHandshake(transport.peer.identity === undefined ? "plain" : "mtls");
        onConnection(transport);
      },
      onRefused: (transport) => {
        const message = "this port takes mTLS only (identity.mode: strict)";
        this.#refused({ reason: "plaintext", peer: transport.peer, detail: message });
        onRefused(transport, new ProxyError("tls-required", message, { side: "downstream" }));
      },
      onFailure: (failure) => this.#refused(failure),
      onError,
    });
  }

  #held(): MeshIdentity {
    if (this.#identity === undefined) throw new Error("the identity has not been started");
    return this.#identity;
  }

  #use(next: TlsIdentity): void {
    const { clock, log } = this.#options;
    if (this.#identity === undefined) {
      this.#identity = new MeshIdentity(next, { clock, isValidId: isWorkloadId });
      return;
    }
    const count = this.#identity.update(next);
    if (count > 0) log.warn("leaving connections that no trusted root vouches for", { count });
  }

  #refused({ reason, peer, detail }: Refusal): void {
    this.#countHandshake(reason);
    const { clock, log } = this.#options;
    const now = clock.now();
    if (now - (this.#toldAt.get(reason) ?? -Infinity) < TOLD_EVERY_MS) return;
    this.#toldAt.set(reason, now);
    log.warn("a connection to the inbound port was refused", {
      reason,
      peer: `${peer.host}:${peer.port}`,
      detail,
    });
  }

  #exportGauges(metrics: Metrics): void {
    const expiry = metrics.gauge(
      "mesh_identity_expiry_timestamp_seconds",
      "When this sidecar's certificate expires.",
    );
    const generation = metrics.gauge(
      "mesh_identity_generation",
      "Goes up with every certificate that came into force.",
    );
    const failing = metrics.gauge(
      "mesh_identity_renewal_failing",
      "1 while the certificate cannot be renewed.",
    );
    const connections = metrics.gauge(
      "mesh_mtls_connections",
      "Open connections under mTLS, in both directions.",
    );
    metrics.onRender(() => {
      expiry.with().set(this.#rotation.notAfterMs / 1000);
      generation.with().set(this.#rotation.generation);
      failing.with().set(this.#rotation.failure === undefined ? 0 : 1);
      connections.with().set(this.#identity?.openConnections ?? 0);
    });
  }
}

/** The authority's code costs memory that only those pay who have one. */
async function makeSource(
  { identity, service }: Bootstrap,
  { clock, log }: MeshPartsOptions,
): Promise<IdentitySource> {
  const { source: config, trustDomain, namespace } = identity;
  if (config.kind === "consul") return await makeConnect(config, service, { clock, log });
  const workload = { trustDomain, namespace, service: service.name };
  const parts = { workload, files: identityFiles, epoch: () => clock.epoch() };
  if (config.kind === "files") {
    const { FileSource } = await import("./identity/file_source.ts");
    return new FileSource({ ...parts, paths: config });
  }
  const { SelfSigned } = await import("./identity/self_signed.ts");
  return new SelfSigned({ ...parts, directory: config.directory, lifeMs: config.leafLifeMs });
}

async function makeConnect(
  config: ConnectConfig,
  { name }: Bootstrap["service"],
  { clock, log }: { readonly clock: Clock; readonly log: Logger },
): Promise<IdentitySource> {
  const { ConsulConnect } = await import("./identity/consul_connect.ts");
  const { ConnectCa } = await import("./control/registry/consul/connect_ca.ts");
  return new ConsulConnect({
    authority: new ConnectCa(consulClient(config, log)),
    service: name,
    cacheFile: `${config.cacheDirectory}/connect-${name}.json`,
    files: identityFiles,
    clock,
    random: Math.random,
    log,
  });
}

interface Refusal {
  readonly reason: TlsFailure["reason"] | "plaintext";
  readonly peer: TransportPeer;
  readonly detail: string;
}
