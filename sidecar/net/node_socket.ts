// What node:net and node:tls do not offer by their public names on Deno 2.9.3, and cannot be done without. Nothing else may touch
// a socket's handle. A runtime that has moved these is told apart at the first connection, by an error that says so.
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { Shown } from "./peer_verifier.ts";

interface Handle {
  readStop(): unknown;
  readStart(): unknown;
  getpeername(out: object): number;
}

interface Verdict {
  /** Empty where the engine is content; it says nothing about a peer without a certificate. */
  verifyError(): string | { readonly code?: string } | null | undefined;
}

/**
 * Stops and starts reading at the kernel. `pause()` of a TLSSocket does not: with nobody reading, 125 MB of a peer's bytes were
 * taken in and kept (measured); with the TCP handle stopped, none above what the kernel holds.
 */
export class FlowGate {
  readonly #socket: Socket;

  /** `socket` is the TCP socket, also under TLS. */
  constructor(socket: Socket) {
    this.#socket = socket;
    const handle = handleOf(socket);
    if (handle !== undefined && typeof handle.readStop !== "function") {
      throw new Error("this runtime's sockets cannot be held back: run on the Deno version pinned");
    }
  }

  stop(): void {
    handleOf(this.#socket)?.readStop();
  }

  start(): void {
    handleOf(this.#socket)?.readStart();
  }

  /**
   * At the end of reading: a reset comes as an end under TLS, but the kernel knows no peer any more. Nor does it when both
   * ends have sent FIN, so this tells nothing once ours has.
   */
  get wasReset(): boolean {
    const handle = handleOf(this.#socket);
    return handle !== undefined && handle.getpeername({}) !== 0;
  }
}

/** Undefined once the socket is destroyed. */
function handleOf(socket: Socket): Handle | undefined {
  return (socket as unknown as { _handle?: Handle | null })._handle ?? undefined;
}

/** What the TLS engine of a server says of the peer's certificate; undefined where it has nothing against it. */
export function engineVerdict(socket: TLSSocket): string | undefined {
  const { ssl } = socket as unknown as { ssl?: Verdict | null };
  const verdict = ssl === null || ssl === undefined ? "no TLS engine" : ssl.verifyError();
  if (verdict === null || verdict === undefined || verdict === "") return undefined;
  return typeof verdict === "string" ? verdict : verdict.code ?? String(verdict);
}

/** More than any chain has. */
const MAX_CHAIN = 10;

/**
 * What the peer showed. The leaf alone costs 20 us, the chain 90 and memory that is long in coming back, so the chain is read
 * when somebody asks for it. A session that is resumed shows what it began with.
 */
export function shownBy(socket: TLSSocket, verdict: string | undefined): Shown {
  const { raw } = socket.getPeerCertificate(false) as { readonly raw?: Uint8Array };
  return { leaf: raw, chain: () => presentedChain(socket), verdict };
}

/** The engine may add a root of ours behind what came. */
function presentedChain(socket: TLSSocket): Uint8Array[] {
  const chain: Uint8Array[] = [];
  let certificate: { raw?: Uint8Array; issuerCertificate?: object } | undefined = socket
    .getPeerCertificate(true);
  const seen = new Set<object>();
  while (certificate?.raw !== undefined && !seen.has(certificate) && chain.length < MAX_CHAIN) {
    seen.add(certificate);
    chain.push(certificate.raw);
    certificate = certificate.issuerCertificate;
  }
  return chain;
}
