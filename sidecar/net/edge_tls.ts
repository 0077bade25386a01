// The TLS port of an edge: certificates by name, TLS 1.2 and up, client certificates where the operator asks for them.
import type { Clock } from "../lib/clock.ts";
import type { Certificate } from "./certificate.ts";
import { describeClient } from "./client_certificate.ts";
import { EdgeCertificates, type EdgeTlsMaterial } from "./edge_certificates.ts";
import { HANDSHAKE_LIMITS, HandshakeQueue } from "./handshake_queue.ts";
import { listenNode } from "./node_listener.ts";
import type { NodeTransport } from "./node_transport.ts";
import { engineRefusal, parseChain, type Shown } from "./peer_verifier.ts";
import type { HostPort, Listener } from "./tcp.ts";
import { acceptTls, type HandshakePlan, type TlsFailure } from "./tls_accept.ts";
import { findTrustPath, nameOf, PeerError } from "./trust_path.ts";

export interface EdgeListenerOptions {
  readonly material: EdgeTlsMaterial;
  readonly clock: Clock;
  readonly onConnection: (transport: NodeTransport) => void;
  /** A plain connection; to be told so, and closed, by who gets it. */
  readonly onRefused: (transport: NodeTransport) => void;
  readonly onFailure: (failure: TlsFailure) => void;
  /** The port itself has trouble; it goes on. */
  readonly onError: (error: Error) => void;
}

export interface EdgeListener extends Listener {
  /** New handshakes use `material`; open connections go on. Throws TlsMaterialError and changes nothing where it is no good. */
  update(material: EdgeTlsMaterial): void;
}

/** Rejects with TlsMaterialError for certificates that are no good, with ListenError where the address cannot be had. */
export async function listenEdgeTls(
  address: HostPort,
  options: EdgeListenerOptions,
): Promise<EdgeListener> {
  const { clock, onConnection, onRefused, onFailure, onError } = options;
  let certificates = new EdgeCertificates(options.material);
  const acceptor = {
    queue: new HandshakeQueue(HANDSHAKE_LIMITS),
    clock,
    plan: () => planOf(certificates, clock),
    onSecure: onConnection,
    onPlain: onRefused,
    onFailure,
  };
  const listener = await listenNode(address, {
    clock,
    onError,
    onArrival: (arrival) => acceptTls(arrival, acceptor),
  });
  return {
    address: listener.address,
    finished: listener.finished,
    close: () => listener.close(),
    update: (material) => {
      certificates = new EdgeCertificates(material);
    },
  };
}

function planOf(certificates: EdgeCertificates, clock: Clock): HandshakePlan {
  return {
    secureContext: certificates.defaultContext,
    minVersion: "TLSv1.2",
    requestCert: certificates.clientRoots !== undefined,
    chooseContext: (name) => certificates.contextFor(name),
    identify: (shown) => {
      const leaf = admitClient(shown, certificates, clock.epoch());
      return { certificate: leaf && describeClient(leaf) };
    },
  };
}

/** Also of a resumed session: its certificate may have been let in by other rules. Throws PeerError. */
function admitClient(
  shown: Shown,
  certificates: EdgeCertificates,
  nowMs: number,
): Certificate | undefined {
  const { clientRoots, isClientRequired } = certificates;
  if (clientRoots === undefined) return undefined;
  const presented = parseChain(shown);
  const [leaf] = presented;
  if (leaf === undefined) {
    if (!isClientRequired) return undefined;
    throw new PeerError("no-certificate", "clients need a certificate here");
  }
  findTrustPath(presented, clientRoots, { purpose: "client", nowMs });
  if (shown.verdict !== undefined) throw engineRefusal(nameOf(leaf), shown.verdict);
  return leaf;
}
