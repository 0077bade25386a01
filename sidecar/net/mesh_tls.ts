// mTLS between sidecars: dialing a service that must prove to be the one meant, and the port on which peers must prove who they are.
import { isSameService } from "../identity/spiffe.ts";
import type { Clock } from "../lib/clock.ts";
import { HANDSHAKE_LIMITS, HandshakeQueue } from "./handshake_queue.ts";
import type { MeshIdentity } from "./mesh_identity.ts";
import { listenNode } from "./node_listener.ts";
import type { NodeTransport } from "./node_transport.ts";
import type { VerifiedPeer } from "./peer_verifier.ts";
import { formatAddress, type HostPort, type Listener } from "./tcp.ts";
import { acceptTls, type HandshakePlan, type TlsFailure } from "./tls_accept.ts";
import { dialSecure } from "./tls_dial.ts";
import type { AlpnProtocol } from "./transport.ts";
import { PeerError } from "./trust_path.ts";

export interface DialMeshOptions {
  readonly identity: MeshIdentity;
  /** The SPIFFE id of the service that is meant. */
  readonly expectedId: string;
  readonly alpn: readonly AlpnProtocol[];
}

/** Rejects with PeerError when the other end is not who is meant, with the system's error when there is no connection. */
export async function dialMesh(
  address: HostPort,
  signal: AbortSignal,
  { identity, expectedId, alpn }: DialMeshOptions,
): Promise<NodeTransport> {
  const generation = identity.current;
  let who: VerifiedPeer | undefined;
  const transport = await dialSecure(address, signal, {
    tls: {
      secureContext: generation.clientContext,
      servername: serviceOf(expectedId),
      ALPNProtocols: [...alpn],
      minVersion: "TLSv1.3",
      rejectUnauthorized: false, // identify decides, and says why
      checkServerIdentity: () => undefined,
    },
    identify: (shown) => {
      who = identity.verify(shown, generation, "server");
      if (isSameService(who.id, expectedId)) return who.id;
      throw new PeerError(
        "wrong-identity",
        `${formatAddress(address)} is ${who.id}, and ${expectedId} was meant`,
      );
    },
  });
  if (who !== undefined) identity.hold(transport, who);
  return transport;
}

/** The last part of a SPIFFE id: what SNI names, so that no address is told. */
function serviceOf(id: string): string {
  return id.slice(id.lastIndexOf("/") + 1);
}

export interface MeshListenerOptions {
  readonly identity: MeshIdentity;
  readonly clock: Clock;
  /** What a plain connection meets: its refusal, or the same service as under TLS. */
  readonly mode: "strict" | "permissive";
  /** `transport.peer.identity` says who it is; undefined for a plain one, which comes in permissive mode only. */
  readonly onConnection: (transport: NodeTransport) => void;
  /** A plain connection in strict mode; to be told so, and closed, by who gets it. */
  readonly onRefused: (transport: NodeTransport) => void;
  readonly onFailure: (failure: TlsFailure) => void;
  /** The port itself has trouble; it goes on. */
  readonly onError: (error: Error) => void;
}

/** TLS 1.3 with client certificates, and plain, on one port. Rejects with ListenError where the address cannot be had. */
export function listenMesh(address: HostPort, options: MeshListenerOptions): Promise<Listener> {
  const { identity, clock, mode, onConnection, onRefused, onFailure, onError } = options;
  const acceptor = {
    queue: new HandshakeQueue(HANDSHAKE_LIMITS),
    clock,
    plan: () => planOf(identity),
    onFailure,
    onPlain: mode === "permissive" ? onConnection : onRefused,
    onSecure: (transport: NodeTransport, who: VerifiedPeer | undefined) => {
      if (who !== undefined) identity.hold(transport, who);
      onConnection(transport);
    },
  };
  return listenNode(address, {
    clock,
    onError,
    onArrival: (arrival) => acceptTls(arrival, acceptor),
  });
}

function planOf(identity: MeshIdentity): HandshakePlan {
  const generation = identity.current;
  return {
    secureContext: generation.serverContext,
    minVersion: "TLSv1.3",
    requestCert: true,
    identify: (shown) => ({ who: identity.verify(shown, generation, "client") }),
  };
}
