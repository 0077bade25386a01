// From an accepted socket to a connection: what the first byte says it is, the TLS handshake in its turn, and who came. One
// deadline stands over all of it, and at its end the socket is destroyed.
import type { Socket } from "node:net";
import { type SecureContext, TLSSocket, type TLSSocketOptions } from "node:tls";
import type { Clock } from "../lib/clock.ts";
import type { HandshakeQueue } from "./handshake_queue.ts";
import { engineVerdict, shownBy } from "./node_socket.ts";
import type { Arrival } from "./node_listener.ts";
import { NodeTransport } from "./node_transport.ts";
import { protocolOf, secured, SPOKEN } from "./tls_socket.ts";
import type { HostPort } from "./tcp.ts";
import type { Shown, VerifiedPeer } from "./peer_verifier.ts";
import { PeerError, type PeerRefusal } from "./trust_path.ts";

/** Why a connection to a TLS port came to nothing. */
export interface TlsFailure {
  readonly reason: PeerRefusal | "handshake-failed" | "handshake-timeout" | "overloaded";
  readonly peer: HostPort;
  /** For the log; names who came, where that is known. */
  readonly detail: string;
}

/** How one handshake is done; asked for anew each time, so that a rotation shows in the next. */
export interface HandshakePlan {
  readonly secureContext: SecureContext;
  readonly minVersion: "TLSv1.2" | "TLSv1.3";
  readonly requestCert: boolean;
  readonly chooseContext?: (serverName: string) => SecureContext;
  /** Throws PeerError where the peer may not come in. */
  readonly identify: (shown: Shown) => Admitted;
}

/** What is known of a peer that was let in. */
export interface Admitted {
  /** Who it is, in a mesh. */
  readonly who?: VerifiedPeer;
  /** What it showed at an edge: TransportPeer.certificate. */
  readonly certificate?: string | undefined;
}

export interface TlsAcceptorOptions {
  readonly queue: HandshakeQueue;
  readonly clock: Clock;
  readonly plan: () => HandshakePlan;
  readonly onSecure: (transport: NodeTransport, who: VerifiedPeer | undefined) => void;
  /** First byte is not that of a TLS handshake. */
  readonly onPlain: (transport: NodeTransport) => void;
  readonly onFailure: (failure: TlsFailure) => void;
}

/** From accept to the end of the handshake, waiting for a turn included. */
const SETUP_MS = 10_000;

/** Content type of a TLS record that begins a handshake (RFC 8446, section 5.1); no HTTP begins so. */
const HANDSHAKE = 0x16;

/** Brings one arrival to its end: onSecure, onPlain, onFailure, or nothing when it left without a word. */
export function acceptTls(arrival: Arrival, options: TlsAcceptorOptions): void {
  new Setup(arrival, options).begin();
}

class Setup {
  readonly #socket: Socket;
  readonly #peer: HostPort;
  readonly #options: TlsAcceptorOptions;
  readonly #deadline: Disposable;
  /** It has become something, or nothing; what happens to the socket from then on is not ours. */
  #isOver = false;

  constructor({ socket, peer }: Arrival, options: TlsAcceptorOptions) {
    this.#socket = socket;
    this.#peer = peer;
    this.#options = options;
    this.#deadline = options.clock.after(SETUP_MS, this.#expire);
  }

  begin(): void {
    // Breaking off before a word is no news; once a handshake has begun, the TLS socket tells.
    this.#socket.on("error", ignore);
    this.#socket.once("end", this.#leave);
    this.#socket.once("close", this.#leave);
    this.#socket.once("data", this.#begun);
  }

  #begun = (first: Uint8Array): void => {
    if (first[0] !== HANDSHAKE) {
      this.#finish();
      const plain = new NodeTransport(this.#socket, { peer: this.#peer, first });
      return this.#options.onPlain(plain);
    }
    this.#socket.pause();
    this.#socket.unshift(first);
    if (!this.#options.queue.offer(this.#handshake)) {
      this.#fail("overloaded", "too many handshakes at once");
    }
  };

  #handshake = async (): Promise<void> => {
    if (this.#isOver) return;
    this.#socket.off("end", this.#leave);
    try {
      const plan = this.#options.plan();
      const socket = new TLSSocket(this.#socket, socketOptions(plan));
      await secured(socket);
      this.#admit(socket, plan);
    } catch (error) {
      if (error instanceof PeerError) this.#fail(error.reason, error.message);
      else this.#fail("handshake-failed", error instanceof Error ? error.message : String(error));
    }
  };

  /** In one turn with the end of the handshake, so that the first bytes and a reset find their listener. */
  #admit(socket: TLSSocket, plan: HandshakePlan): void {
    if (this.#isOver) return;
    const verdict = socket.isSessionReused() ? undefined : engineVerdict(socket);
    const { who, certificate } = plan.identify(shownBy(socket, verdict));
    this.#finish();
    const transport = new NodeTransport(socket, {
      peer: { ...this.#peer, identity: who?.id, certificate },
      protocol: protocolOf(socket),
      underlying: this.#socket,
    });
    this.#options.onSecure(transport, who);
  }

  #expire = (): void => this.#fail("handshake-timeout", `not done in ${SETUP_MS} ms`);

  #fail(reason: TlsFailure["reason"], detail: string): void {
    if (this.#isOver) return;
    this.#finish();
    this.#socket.destroy();
    this.#options.onFailure({ reason, peer: this.#peer, detail });
  }

  #leave = (): void => {
    this.#finish();
    this.#socket.destroy();
  };

  #finish(): void {
    this.#isOver = true;
    this.#deadline[Symbol.dispose]();
    this.#socket.off("end", this.#leave);
    this.#socket.off("close", this.#leave);
    this.#socket.off("data", this.#begun);
  }
}

/** Who may come in is decided by `identify`, not by the engine: it would only break off, and nobody would know why. */
function socketOptions(plan: HandshakePlan): TLSSocketOptions {
  const { secureContext, minVersion, requestCert, chooseContext } = plan;
  return {
    isServer: true,
    secureContext,
    requestCert,
    rejectUnauthorized: false,
    ALPNProtocols: [...SPOKEN],
    minVersion,
    ...chooseContext && {
      SNICallback: (name, done) => done(null, chooseContext(name)),
    },
  } as TLSSocketOptions;
}

function ignore(): void {}
