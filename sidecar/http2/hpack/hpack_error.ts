// What a peer's header block can do wrong.

/** Decoder and encoder no longer agree: a connection error of type COMPRESSION_ERROR (RFC 9113 4.3). */
export class HpackError extends Error {
  override readonly name = "HpackError";
}
