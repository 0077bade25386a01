// Length-prefixed messages (grpc's PROTOCOL-HTTP2.md): a byte of flags, four of length, the message. Pure: bytes in, messages out.
import { type ErrorSide, ProxyError } from "../errors.ts";
import { copyBytes } from "../lib/bytes.ts";

const FRAME_PREFIX = 5;

/** The message is compressed as `grpc-encoding` says. */
export const COMPRESSED = 0x01;
/** gRPC-Web only: the message is the trailers. */
export const TRAILERS = 0x80;

/** What every gRPC library takes at most unless told otherwise. */
export const DEFAULT_MAX_MESSAGE_BYTES = 4 * 1024 * 1024;

/** A message is given room as it comes: a length that was only claimed costs nothing. */
const FIRST_ROOM = 16384;

export interface GrpcMessage {
  readonly flags: number;
  /** Valid until the next `feed`. */
  readonly bytes: Uint8Array;
}

export interface MessageDecoderOptions {
  readonly maxBytes: number;
  /** Who sends, and so whose fault a malformed prefix is. */
  readonly side: ErrorSide;
  /** Flags that may be set; all others are refused. */
  readonly flags: number;
}

const NOTHING = new Uint8Array();

/** Goes `feed`, then `next` until it returns undefined, and again. After a throw it is of no more use. */
export class MessageDecoder {
  readonly #options: MessageDecoderOptions;
  #chunk: Uint8Array = NOTHING;
  #at = 0;
  readonly #prefix = new Uint8Array(FRAME_PREFIX);
  #prefixLength = 0;
  /** Length of the message in work, once the prefix is whole. */
  #length = 0;
  /** What came of it in earlier chunks. */
  #partial: Uint8Array = NOTHING;
  #partialLength = 0;

  constructor(options: MessageDecoderOptions) {
    this.#options = options;
  }

  /** No message is begun: here the sender may end. */
  get isBetween(): boolean {
    return this.#prefixLength === 0 && this.#at === this.#chunk.length;
  }

  /** Takes the next bytes over, until all messages in them were asked for. */
  feed(chunk: Uint8Array): void {
    this.#chunk = chunk;
    this.#at = 0;
  }

  /** The next whole message; undefined when it needs more bytes. */
  next(): GrpcMessage | undefined {
    if (!this.#readPrefix()) return undefined;
    const missing = this.#length - this.#partialLength;
    const isWhole = this.#chunk.length - this.#at >= missing;
    if (!isWhole || this.#partialLength > 0) this.#collect(Math.min(missing, this.#rest()));
    if (!isWhole) return undefined;
    return { flags: this.#prefix[0]!, bytes: this.#finish() };
  }

  #rest(): number {
    return this.#chunk.length - this.#at;
  }

  #readPrefix(): boolean {
    if (this.#prefixLength === FRAME_PREFIX) return true;
    const count = Math.min(FRAME_PREFIX - this.#prefixLength, this.#rest());
    copyBytes(this.#prefix, this.#prefixLength, this.#chunk, this.#at, this.#at + count);
    this.#prefixLength += count;
    this.#at += count;
    if (this.#prefixLength < FRAME_PREFIX) return false;
    this.#checkPrefix();
    return true;
  }

  #checkPrefix(): void {
    const [flags = 0, a = 0, b = 0, c = 0, d = 0] = this.#prefix;
    const { flags: allowed, maxBytes, side } = this.#options;
    if ((flags & ~allowed) !== 0) throw malformed(side, `message with flags ${flags}`);
    this.#length = a * 0x1000000 + (b << 16 | c << 8 | d);
    if (this.#length <= maxBytes) return;
    const text = `message of ${this.#length} bytes, more than the ${maxBytes} allowed`;
    throw side === "upstream"
      ? new ProxyError("upstream-protocol", text, { side })
      : new ProxyError("payload-too-large", text, { side });
  }

  #collect(count: number): void {
    const wanted = this.#partialLength + count;
    if (wanted > this.#partial.length) {
      const room = Math.max(wanted, FIRST_ROOM, this.#partial.length * 2);
      const grown = new Uint8Array(Math.min(room, this.#length));
      grown.set(this.#partial.subarray(0, this.#partialLength));
      this.#partial = grown;
    }
    copyBytes(this.#partial, this.#partialLength, this.#chunk, this.#at, this.#at + count);
    this.#partialLength = wanted;
    this.#at += count;
  }

  #finish(): Uint8Array {
    let bytes = this.#partial.subarray(0, this.#length);
    if (this.#partialLength === 0) {
      bytes = this.#chunk.subarray(this.#at, this.#at + this.#length);
      this.#at += this.#length;
    }
    this.#partial = NOTHING;
    this.#partialLength = 0;
    this.#prefixLength = 0;
    return bytes;
  }
}

/** What a sender did wrong within its body. */
export function malformed(side: ErrorSide, what: string, cause?: unknown): ProxyError {
  const kind = side === "upstream" ? "upstream-protocol" : "bad-request";
  return new ProxyError(kind, `malformed gRPC: ${what}`, { side, cause });
}

/** `message` behind its prefix. */
export function encodeMessage(message: Uint8Array, flags = 0): Uint8Array<ArrayBuffer> {
  const { length } = message;
  const framed = new Uint8Array(FRAME_PREFIX + length);
  framed[0] = flags;
  framed[1] = length >>> 24;
  framed[2] = length >>> 16;
  framed[3] = length >>> 8;
  framed[4] = length;
  framed.set(message, FRAME_PREFIX);
  return framed;
}
