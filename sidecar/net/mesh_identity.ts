// What a sidecar shows and trusts now, and which open connections rest on it: the one place where a rotation takes place.
import type { Clock } from "../lib/clock.ts";
import type { Purpose } from "./certificate.ts";
import type { NodeTransport } from "./node_transport.ts";
import { PeerVerifier, type Shown, type VerifiedPeer } from "./peer_verifier.ts";
import type { TlsIdentity } from "./tls_identity.ts";

export interface MeshIdentityOptions {
  readonly clock: Clock;
  /** Whether this is a well-formed SPIFFE id of a workload. */
  readonly isValidId: (uri: string) => boolean;
}

/** How long what is under way may take to finish on a connection whose root is trusted no more. */
const GRACE_MS = 10_000;

/** Shared by all listeners and dialers of the mesh. */
export class MeshIdentity {
  readonly #options: MeshIdentityOptions;
  readonly #open = new Map<NodeTransport, VerifiedPeer>();
  /** Those that nothing vouches for any more, and until when what is under way on them may finish. */
  readonly #untrusted = new Map<NodeTransport, number>();
  #current: TlsIdentity;
  #verifier: PeerVerifier;

  constructor(first: TlsIdentity, options: MeshIdentityOptions) {
    this.#options = options;
    this.#current = first;
    this.#verifier = this.#verifierOf(first);
  }

  get current(): TlsIdentity {
    return this.#current;
  }

  /** Connections under mTLS that are open. */
  get openConnections(): number {
    return this.#open.size;
  }

  /**
   * New handshakes, of both directions, use `next` from now on. Open connections go on, but for those that only a root
   * that is gone vouched for: nothing new begins on them, and soon they are closed. Returns how many those were.
   */
  update(next: TlsIdentity): number {
    const removed = hasLostRoot(this.#current, next);
    this.#current = next;
    this.#verifier = this.#verifierOf(next);
    return removed ? this.#retireUntrusted() : 0;
  }

  /**
   * To be called now and then. Nothing new begins on a connection whose peer's certificate has expired meanwhile, and
   * what it carries goes on: a peer that is well has a new one by then, and makes a new connection.
   */
  sweep(): void {
    const nowMs = this.#options.clock.epoch();
    for (const [transport, { notAfterMs }] of this.#open) {
      if (notAfterMs < nowMs) transport.retire();
    }
    for (const [transport, untilMs] of this.#untrusted) if (untilMs < nowMs) transport.close();
  }

  /**
   * By what is trusted now; `generation` is what the handshake began with. The engine's word about another one does not
   * count: a root may have been added meanwhile. Throws PeerError.
   */
  verify(shown: Shown, generation: TlsIdentity, purpose: Purpose): VerifiedPeer {
    const verdict = generation === this.#current ? shown.verdict : undefined;
    return this.#verifier.verify({ ...shown, verdict }, purpose);
  }

  /** Keeps an eye on an open connection until it closes. */
  hold(transport: NodeTransport, peer: VerifiedPeer): void {
    this.#open.set(transport, peer);
    transport.onClosed(() => {
      this.#open.delete(transport);
      this.#untrusted.delete(transport);
    });
  }

  #retireUntrusted(): number {
    const untilMs = this.#options.clock.epoch() + GRACE_MS;
    const verdicts = new Map<VerifiedPeer, boolean>();
    let count = 0;
    for (const [transport, peer] of this.#open) {
      const isTrusted = verdicts.get(peer) ?? this.#verifier.isTrusted(peer);
      verdicts.set(peer, isTrusted);
      if (isTrusted) continue;
      count++;
      this.#untrusted.set(transport, untilMs);
      transport.retire();
    }
    return count;
  }

  #verifierOf({ roots, trustDomain }: TlsIdentity): PeerVerifier {
    return new PeerVerifier({ ...this.#options, roots, trustDomain });
  }
}

function hasLostRoot(before: TlsIdentity, after: TlsIdentity): boolean {
  const kept = new Set(after.roots.map(({ fingerprint }) => fingerprint));
  return before.roots.some(({ fingerprint }) => !kept.has(fingerprint));
}
