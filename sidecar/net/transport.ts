// A connection as the codecs see it: bytes in, bytes out, and an end. Types only.

export interface TransportPeer {
  /** IP address without brackets. */
  readonly host: string;
  readonly port: number;
  /** The SPIFFE id that the other end has proved; undefined on a plain connection. */
  readonly identity?: string | undefined;
  /** The verified certificate of a client of the edge, in the words of x-forwarded-client-cert. */
  readonly certificate?: string | undefined;
}

/** What the ends of a TLS connection agreed to speak (ALPN). */
export type AlpnProtocol = "h2" | "http/1.1";

/** One reader and one writer at a time; what is lent to `read` or `write` is not touched until the promise settles. */
export interface Transport {
  readonly peer: TransportPeer;
  /** What ALPN chose; undefined where it chose nothing and on a plain connection: then the preface tells. */
  readonly protocol?: AlpnProtocol | undefined;
  /** A write is under way: the peer's window, or its patience, is used up. */
  readonly isWriting: boolean;
  /** Bytes read into the start of `buffer`; null or 0 when the peer sent its last byte. Rejects when the connection broke. */
  read(buffer: Uint8Array<ArrayBuffer>): Promise<number | null>;
  /** Resolves when all of `bytes` is with the kernel. Rejects when the connection broke or was closed meanwhile. */
  write(bytes: Uint8Array<ArrayBufferLike>): Promise<void>;
  /** Calls back, perhaps at once, when what the peer proved holds no more: the connection should end soon. Absent: it always holds. */
  onRetired?(callback: () => void): void;
  /** Sends FIN; reading goes on. Never throws. */
  closeWrite(): void;
  /** Ends everything at once; pending reads and writes reject. May be called twice. */
  close(): void;
}
