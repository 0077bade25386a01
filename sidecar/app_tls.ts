// Part of the composition root: TLS as the web knows it, to endpoints outside of the mesh and at the edge. Loaded where it is used:
// node:tls costs several MB of memory.
import type { EdgeTlsConfig } from "./config/bootstrap.ts";
import { ProxyError } from "./errors.ts";
import type { IdentityFiles } from "./identity/files_io.ts";
import type { Clock } from "./lib/clock.ts";
import type { EdgeTlsMaterial } from "./net/edge_certificates.ts";
import { type EdgeListener, listenEdgeTls } from "./net/edge_tls.ts";
import { dialOriginTls, OriginTrust } from "./net/origin_tls.ts";
import type { HostPort, Listener } from "./net/tcp.ts";
import type { TlsFailure } from "./net/tls_accept.ts";
import type { AlpnProtocol, Transport } from "./net/transport.ts";
import type { PortEvents } from "./proxy/listener.ts";
import type { Logger } from "./telemetry/log.ts";
import type { Counter, Family } from "./telemetry/metrics.ts";
import { UntrustedPeer } from "./upstream/dial.ts";
import type { DialProtocol } from "./upstream/pool.ts";

const ALPN: Readonly<Record<DialProtocol, readonly AlpnProtocol[]>> = {
  http1: ["http/1.1"],
  http2: ["h2"],
  tcp: [],
};

/** The runtime's roots; made when first asked for. */
let webTrust: OriginTrust | undefined;

/** Connects to a host outside of the mesh. Rejects with UntrustedPeer where its certificate is not for its name. */
export async function dialOrigin(
  { host, port }: HostPort,
  signal: AbortSignal,
  protocol: DialProtocol,
): Promise<Transport> {
  webTrust ??= new OriginTrust();
  const options = { trust: webTrust, serverName: host, alpn: ALPN[protocol] };
  try {
    return await dialOriginTls({ host, port }, signal, options);
  } catch (error) {
    // What has no system call in it came about in the handshake.
    if (!(error instanceof Error) || "syscall" in error || signal.aborted) throw error;
    throw new UntrustedPeer(error.message, { cause: error });
  }
}

export interface EdgeTlsOptions {
  readonly tls: EdgeTlsConfig;
  readonly files: IdentityFiles;
  readonly clock: Clock;
  readonly log: Logger;
  /** By result: `tls`, `plain`, or why a connection was refused. */
  readonly handshakes: Family<Counter>;
}

/** How often the files are looked at for a change. */
const LOOK_MS = 2_000;

/** The edge's port under TLS; takes certificates that have changed without a restart. Rejects with a message for the operator. */
export async function listenEdge(
  address: HostPort,
  events: PortEvents,
  options: EdgeTlsOptions,
): Promise<Listener> {
  const { clock, handshakes } = options;
  const count = (result: string) => handshakes.with({ result }).add();
  const stamps = await readStamps(options);
  const listener = await listenEdgeTls(address, {
    material: await readMaterial(options),
    clock,
    onConnection: (transport) => {
      count("tls");
      events.onConnection(transport);
    },
    onRefused: (transport) => {
      count("plain");
      const message = "this port takes https only";
      events.onRefused(transport, new ProxyError("tls-required", message, { side: "downstream" }));
    },
    onFailure: ({ reason, peer, detail }: TlsFailure) => {
      count(reason);
      options.log.debug("a TLS handshake at the edge failed", {
        reason,
        peer: `${peer.host}:${peer.port}`,
        detail,
      });
    },
    onError: events.onError,
  });
  return reloading(listener, stamps, options);
}

/** The same listener, with an eye on the files until it is closed. */
function reloading(listener: EdgeListener, first: string, options: EdgeTlsOptions): Listener {
  const { clock, log } = options;
  let known = first;
  let isLooking = false;
  const look = async () => {
    const stamps = await readStamps(options);
    if (stamps === known) return;
    known = stamps;
    listener.update(await readMaterial(options));
    log.info("the edge's certificates were read anew");
  };
  const watch = clock.every(LOOK_MS, () => {
    if (isLooking) return;
    isLooking = true;
    look()
      .catch((error) =>
        log.error("the edge's new certificates are no good; the last ones stay", { error })
      )
      .finally(() => isLooking = false);
  });
  return {
    address: listener.address,
    finished: listener.finished,
    close: () => {
      watch[Symbol.dispose]();
      listener.close();
    },
  };
}

function pathsOf({ certificates, clientCertificates }: EdgeTlsConfig): string[] {
  const pairs = certificates.flatMap(({ cert, key }) => [cert, key]);
  return clientCertificates === undefined ? pairs : [...pairs, clientCertificates.trustBundle];
}

async function readStamps({ tls, files }: EdgeTlsOptions): Promise<string> {
  return JSON.stringify(await Promise.all(pathsOf(tls).map((path) => files.stamp(path))));
}

async function readMaterial({ tls, files }: EdgeTlsOptions): Promise<EdgeTlsMaterial> {
  const read = async (path: string) => {
    const text = await files.read(path);
    if (text === null) throw new Error(`gateway.tls: there is no file ${path}`);
    return text;
  };
  const { clientCertificates } = tls;
  const certificates = await Promise.all(
    tls.certificates.map(async ({ cert, key }) => ({
      certificatePem: await read(cert),
      privateKeyPem: await read(key),
    })),
  );
  if (clientCertificates === undefined) return { certificates };
  const { trustBundle, require: isRequired } = clientCertificates;
  return { certificates, clients: { trustPem: [await read(trustBundle)], isRequired } };
}
