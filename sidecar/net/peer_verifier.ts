// Who the other end of a TLS connection is, by its certificate, the roots of one identity generation and the clock. It is asked
// about every connection, for a resumed session comes as `authorized` whatever has become of its certificate.
import { latin1 } from "../lib/bytes.ts";
import type { Clock } from "../lib/clock.ts";
import { LruMap } from "../lib/lru.ts";
import { Certificate, type Purpose } from "./certificate.ts";
import { findTrustPath, nameOf, PeerError, type TrustPath } from "./trust_path.ts";

/** A peer that was let in. Connections of one certificate share it. */
export interface VerifiedPeer {
  /** Its SPIFFE id. */
  readonly id: string;
  readonly purpose: Purpose;
  /** What it showed, leaf first, in DER. */
  readonly chain: readonly Uint8Array[];
  /** When some certificate of its chain expires, in epoch milliseconds. */
  readonly notAfterMs: number;
}

/** What came to light in a handshake that is done. */
export interface Shown {
  /** In DER; undefined where the peer showed nothing. */
  readonly leaf: Uint8Array | undefined;
  /** Leaf first, in DER. */
  readonly chain: () => readonly Uint8Array[];
  /** Why the TLS engine would not trust it. It has not looked at a resumed session's certificate: undefined there. */
  readonly verdict: string | undefined;
}

export interface PeerVerifierOptions {
  readonly roots: readonly Certificate[];
  readonly trustDomain: string;
  /** Whether this is a well-formed SPIFFE id of a workload. */
  readonly isValidId: (uri: string) => boolean;
  readonly clock: Clock;
}

interface Known extends TrustPath {
  readonly peer: VerifiedPeer;
}

/** Peers whose signatures need not be checked again (a miss costs over 1 ms). */
const MAX_KNOWN = 1024;

export class PeerVerifier {
  readonly #options: PeerVerifierOptions;
  readonly #known = new LruMap<string, Known>(MAX_KNOWN);

  constructor(options: PeerVerifierOptions) {
    this.#options = options;
  }

  /** Throws PeerError. The engine is asked second: it does not say what is wrong. */
  verify(shown: Shown, purpose: Purpose): VerifiedPeer {
    const peer = this.#recall(shown.leaf, purpose) ?? this.#examine(shown, purpose);
    if (shown.verdict !== undefined) throw engineRefusal(peer.id, shown.verdict);
    return peer;
  }

  #recall(leaf: Uint8Array | undefined, purpose: Purpose): VerifiedPeer | undefined {
    if (leaf === undefined) return undefined;
    const known = this.#known.get(keyOf(leaf, purpose));
    if (known === undefined) return undefined;
    const nowMs = this.#options.clock.epoch();
    return known.notBeforeMs <= nowMs && nowMs <= known.notAfterMs ? known.peer : undefined;
  }

  #examine(shown: Shown, purpose: Purpose): VerifiedPeer {
    const presented = parseChain(shown);
    const nowMs = this.#options.clock.epoch();
    const path = findTrustPath(presented, this.#options.roots, { purpose, nowMs });
    const leaf = presented[0]!;
    const chain = presented.map(({ der }) => der);
    const id = this.#identityOf(leaf);
    const peer = { id, purpose, chain, notAfterMs: path.notAfterMs };
    this.#known.set(keyOf(leaf.der, purpose), { ...path, peer });
    return peer;
  }

  /** Whether a peer that was let in before has a path to a root still; its dates are not looked at again. */
  isTrusted(peer: VerifiedPeer): boolean {
    try {
      const presented = peer.chain.map((der) => new Certificate(der));
      findTrustPath(presented, this.#options.roots, { purpose: peer.purpose, nowMs: undefined });
      return true;
    } catch {
      return false;
    }
  }

  #identityOf(leaf: Certificate): string {
    const { isValidId, trustDomain } = this.#options;
    const { uris } = leaf;
    const [id] = uris;
    if (leaf.isAuthority) throw new PeerError("bad-identity", `${nameOf(leaf)} is an authority`);
    if (id === undefined || uris.length > 1) {
      throw new PeerError("bad-identity", `${uris.length} URI names where one is due`);
    }
    if (!isValidId(id)) throw new PeerError("bad-identity", `${nameOf(leaf)} is no SPIFFE id`);
    if (!id.startsWith(`spiffe://${trustDomain}/`)) {
      throw new PeerError("wrong-trust-domain", `${nameOf(leaf)} is not of ${trustDomain}`);
    }
    return id;
  }
}

/** Of one who passes our own rules. */
export function engineRefusal(who: string, verdict: string): PeerError {
  return new PeerError("unknown-ca", `the TLS engine refuses ${who}: ${verdict}`);
}

/** Leaf first; empty where nothing was shown. Throws PeerError where something in it is malformed. */
export function parseChain({ leaf, chain }: Shown): Certificate[] {
  if (leaf === undefined) return [];
  try {
    return chain().map((der) => {
      const certificate = new Certificate(der);
      void certificate.uris; // malformed names are found here and nowhere later
      return certificate;
    });
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    throw new PeerError("bad-identity", `the certificate cannot be read: ${what}`);
  }
}

/** The whole certificate, so that nothing else can stand for it. */
function keyOf(leaf: Uint8Array, purpose: Purpose): string {
  return purpose + latin1(leaf, 0, leaf.length);
}
