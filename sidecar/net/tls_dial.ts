// Dialing under TLS, whoever is meant: TCP, the handshake, then the question who answered. Aborting ends it at any point.
import { connect, type Socket } from "node:net";
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from "node:tls";
import { shownBy } from "./node_socket.ts";
import { NodeTransport } from "./node_transport.ts";
import type { Shown } from "./peer_verifier.ts";
import type { HostPort } from "./tcp.ts";
import { protocolOf, secured } from "./tls_socket.ts";

export interface DialPlan {
  readonly tls: ConnectionOptions;
  /** Throws PeerError where the other end is not who is meant; returns its id, if it has one. */
  readonly identify: (shown: Shown) => string | undefined;
}

/** Rejects with the abort's reason, the system's error, or what `identify` threw; nothing is left open then. */
export async function dialSecure(
  address: HostPort,
  signal: AbortSignal,
  plan: DialPlan,
): Promise<NodeTransport> {
  signal.throwIfAborted();
  const underlying = connect({ ...address, allowHalfOpen: true, noDelay: true, keepAlive: true });
  const abort = () => underlying.destroy(abortError(signal));
  signal.addEventListener("abort", abort);
  try {
    await connected(underlying);
    const socket = connectTls({ ...plan.tls, socket: underlying });
    await secured(socket, "secureConnect");
    return transportOf(socket, underlying, plan);
  } catch (error) {
    underlying.destroy();
    throw signal.aborted ? signal.reason : error;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

function transportOf(socket: TLSSocket, underlying: Socket, plan: DialPlan): NodeTransport {
  const { remoteAddress, remotePort } = underlying;
  if (remoteAddress === undefined || remotePort === undefined) throw new Error("the peer is gone");
  const verdict = socket.authorized ? undefined : String(socket.authorizationError);
  const identity = plan.identify(shownBy(socket, verdict));
  return new NodeTransport(socket, {
    peer: { host: remoteAddress, port: remotePort, identity },
    protocol: protocolOf(socket),
    underlying,
  });
}

/** The socket does not complain unheard afterwards either. */
function connected(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once("connect", resolve);
    socket.on("error", reject);
    socket.once("close", () => reject(new Error("the connection was closed")));
  });
}

function abortError({ reason }: AbortSignal): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
