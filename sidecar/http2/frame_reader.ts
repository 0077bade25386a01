// Bytes to frames (RFC 9113 4 and 6): sizes, padding, which frames need a stream, and field blocks put together from
// HEADERS and CONTINUATION. Knows the shape of frames and nothing of the state of streams.
import { equals, latin1Bytes } from "../lib/bytes.ts";
import { ByteWriter } from "../lib/byte_writer.ts";
import { FLAG, FRAME, FRAME_HEADER_BYTES, MAX_31_BIT, MAX_FRAME_BYTES, uint32At } from "./frame.ts";
import { ConnectionError, protocolError, REASON, StreamError } from "./reason.ts";

/** What a client sends before its first frame (3.4). */
export const PREFACE = latin1Bytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

/** Frames as they come. `bytes[start, end)` is valid during the call. Every method may throw either of the errors. */
export interface FrameSink {
  /** `flowBytes` is what counts against the windows: padding does too (6.9.1). */
  onData(
    stream: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    flowBytes: number,
    isEnd: boolean,
  ): void;
  /** A whole field block. */
  onHead(stream: number, bytes: Uint8Array, start: number, end: number, isEnd: boolean): void;
  onReset(stream: number, reason: number): void;
  onSettings(bytes: Uint8Array, start: number, end: number): void;
  onSettingsAck(): void;
  onPing(bytes: Uint8Array, start: number, isAck: boolean): void;
  onGoaway(lastStream: number, reason: number): void;
  onWindowUpdate(stream: number, increment: number): void;
  /** A frame that asks for nothing: PRIORITY, of an unknown type, or an empty CONTINUATION. */
  onIgnored(): void;
}

/** Senders fill their frames, so a block within the limits comes in few; many small ones are CVE-2024-27316. */
const MAX_CONTINUATIONS = 64;

export class FrameReader {
  /** How many bytes were dealt with in the last `read`; also set when it threw, so that a stream error is no end. */
  position = 0;
  /** How many bytes of the frame that is not whole yet there must be for `read` to go on. */
  needed = FRAME_HEADER_BYTES;
  readonly #sink: FrameSink;
  readonly #maxBlockBytes: number;
  #isPrefaceDue: boolean;
  #isSettingsDue = true;
  /** The stream whose field block is under way; 0 when none is. */
  #blockStream = 0;
  #blockEnds = false;
  #continuations = 0;
  #block: ByteWriter | undefined;

  /** A block of more than `maxBlockBytes`, as it came, ends the connection. */
  constructor(sink: FrameSink, isServer: boolean, maxBlockBytes: number) {
    this.#sink = sink;
    this.#isPrefaceDue = isServer;
    this.#maxBlockBytes = maxBlockBytes;
  }

  /** The peer owes us the rest of its preface or of a field block. */
  get isMidway(): boolean {
    return this.#isSettingsDue || this.#blockStream !== 0;
  }

  /** Deals with all whole frames in `bytes[start, end)`. */
  read(bytes: Uint8Array, start: number, end: number): void {
    this.position = start;
    if (this.#isPrefaceDue && !this.#readPreface(bytes, start, end)) return;
    for (;;) {
      const at = this.position;
      if (end - at < FRAME_HEADER_BYTES) {
        this.needed = FRAME_HEADER_BYTES;
        return;
      }
      const length = (bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!;
      if (length > MAX_FRAME_BYTES) sizeError(`a frame of ${length} bytes`);
      const next = at + FRAME_HEADER_BYTES + length;
      if (next > end) {
        this.needed = FRAME_HEADER_BYTES + length;
        return;
      }
      this.position = next;
      const stream = uint32At(bytes, at + 5) & MAX_31_BIT;
      this.#frame(bytes, at + FRAME_HEADER_BYTES, next, bytes[at + 3]!, bytes[at + 4]!, stream);
    }
  }

  #readPreface(bytes: Uint8Array, start: number, end: number): boolean {
    const there = Math.min(end - start, PREFACE.length);
    if (!equals(bytes, start, start + there, PREFACE.subarray(0, there))) {
      protocolError("the connection does not begin with the preface");
    }
    this.needed = PREFACE.length;
    if (there < PREFACE.length) return false;
    this.#isPrefaceDue = false;
    this.position = start + PREFACE.length;
    return true;
  }

  #frame(
    bytes: Uint8Array,
    start: number,
    end: number,
    type: number,
    flags: number,
    stream: number,
  ): void {
    if (this.#isSettingsDue) this.#checkFirst(type, flags);
    if (this.#blockStream !== 0 && type !== FRAME.CONTINUATION) {
      protocolError("a frame between HEADERS and its CONTINUATION");
    }
    switch (type) {
      case FRAME.DATA:
        return this.#data(bytes, start, end, flags, stream);
      case FRAME.HEADERS:
        return this.#headers(bytes, start, end, flags, stream);
      case FRAME.CONTINUATION:
        return this.#continuation(bytes, start, end, flags, stream);
      case FRAME.WINDOW_UPDATE:
        return this.#windowUpdate(bytes, start, end, stream);
      case FRAME.RST_STREAM:
        needStream(stream, "RST_STREAM");
        if (end - start !== 4) sizeError("RST_STREAM is not of four bytes");
        return this.#sink.onReset(stream, uint32At(bytes, start));
      case FRAME.PRIORITY:
        return this.#priority(bytes, start, end, stream);
      case FRAME.SETTINGS:
        return this.#settings(bytes, start, end, flags, stream);
      case FRAME.PING:
        needConnection(stream, "PING");
        if (end - start !== 8) sizeError("PING is not of eight bytes");
        return this.#sink.onPing(bytes, start, (flags & FLAG.ACK) !== 0);
      case FRAME.GOAWAY:
        needConnection(stream, "GOAWAY");
        if (end - start < 8) sizeError("GOAWAY of less than eight bytes");
        return this.#sink.onGoaway(uint32At(bytes, start) & MAX_31_BIT, uint32At(bytes, start + 4));
      case FRAME.PUSH_PROMISE:
        // Clients must not send it, and as a client we said that we take none (6.6, 8.4).
        return protocolError("PUSH_PROMISE");
      default:
        // 4.1, 5.5: unknown types are ignored.
        return this.#sink.onIgnored();
    }
  }

  #checkFirst(type: number, flags: number): void {
    if (type !== FRAME.SETTINGS || (flags & FLAG.ACK) !== 0) {
      protocolError("the first frame is not SETTINGS");
    }
    this.#isSettingsDue = false;
  }

  #data(bytes: Uint8Array, start: number, end: number, flags: number, stream: number): void {
    needStream(stream, "DATA");
    const flowBytes = end - start;
    if ((flags & FLAG.PADDED) !== 0) {
      const padding = paddingOf(bytes, start, end);
      start++;
      end -= padding;
    }
    this.#sink.onData(stream, bytes, start, end, flowBytes, (flags & FLAG.END_STREAM) !== 0);
  }

  #headers(bytes: Uint8Array, start: number, end: number, flags: number, stream: number): void {
    needStream(stream, "HEADERS");
    if ((flags & FLAG.PADDED) !== 0) {
      const padding = paddingOf(bytes, start, end);
      start++;
      end -= padding;
    }
    let dependency = 0;
    if ((flags & FLAG.PRIORITY) !== 0) {
      if (end - start < 5) {
        if ((flags & FLAG.PADDED) !== 0) protocolError("padding that reaches into the priority");
        sizeError("HEADERS too short for its priority");
      }
      dependency = uint32At(bytes, start) & MAX_31_BIT;
      start += 5;
    }
    const isEnd = (flags & FLAG.END_STREAM) !== 0;
    if ((flags & FLAG.END_HEADERS) !== 0) this.#sink.onHead(stream, bytes, start, end, isEnd);
    else this.#beginBlock(bytes, start, end, stream, isEnd);
    // Behind the block: that has to be decoded whatever becomes of its stream (4.3).
    if (dependency === stream) dependsOnItself(stream);
  }

  #beginBlock(bytes: Uint8Array, start: number, end: number, stream: number, isEnd: boolean): void {
    this.#blockStream = stream;
    this.#blockEnds = isEnd;
    this.#continuations = 0;
    this.#block = new ByteWriter(2 * MAX_FRAME_BYTES);
    this.#block.copy(bytes, start, end);
  }

  #continuation(
    bytes: Uint8Array,
    start: number,
    end: number,
    flags: number,
    stream: number,
  ): void {
    const block = this.#block;
    if (block === undefined || stream !== this.#blockStream) {
      return protocolError("CONTINUATION without its HEADERS");
    }
    if (end === start) this.#sink.onIgnored();
    block.copy(bytes, start, end);
    if (++this.#continuations > MAX_CONTINUATIONS || block.length > this.#maxBlockBytes) {
      throw new ConnectionError(REASON.ENHANCE_YOUR_CALM, "a field block without end");
    }
    if ((flags & FLAG.END_HEADERS) === 0) return;
    this.#blockStream = 0;
    this.#block = undefined;
    this.#sink.onHead(stream, block.bytes, 0, block.length, this.#blockEnds);
  }

  #windowUpdate(bytes: Uint8Array, start: number, end: number, stream: number): void {
    if (end - start !== 4) sizeError("WINDOW_UPDATE is not of four bytes");
    const increment = uint32At(bytes, start) & MAX_31_BIT;
    if (increment === 0) {
      if (stream === 0) protocolError("WINDOW_UPDATE by nothing");
      throw new StreamError(stream, REASON.PROTOCOL_ERROR, "WINDOW_UPDATE by nothing");
    }
    this.#sink.onWindowUpdate(stream, increment);
  }

  #priority(bytes: Uint8Array, start: number, end: number, stream: number): void {
    needStream(stream, "PRIORITY");
    this.#sink.onIgnored();
    if (end - start !== 5) {
      throw new StreamError(stream, REASON.FRAME_SIZE_ERROR, "PRIORITY is not of five bytes");
    }
    if ((uint32At(bytes, start) & MAX_31_BIT) === stream) dependsOnItself(stream);
  }

  #settings(bytes: Uint8Array, start: number, end: number, flags: number, stream: number): void {
    needConnection(stream, "SETTINGS");
    if ((flags & FLAG.ACK) === 0) {
      if ((end - start) % 6 !== 0) sizeError("SETTINGS is not a multiple of six bytes");
      return this.#sink.onSettings(bytes, start, end);
    }
    if (end !== start) sizeError("an acknowledgement of SETTINGS with a payload");
    this.#sink.onSettingsAck();
  }
}

/** How many bytes at the end are padding. Padding as long as the payload, or longer, is an error (6.1, 6.2). */
function paddingOf(bytes: Uint8Array, start: number, end: number): number {
  if (start === end) sizeError("a padded frame without the length of its padding");
  const padding = bytes[start]!;
  if (padding >= end - start) protocolError("more padding than payload");
  return padding;
}

/** Of what RFC 7540 5.3.1 forbade; priorities have no other meaning to us. */
function dependsOnItself(stream: number): never {
  throw new StreamError(stream, REASON.PROTOCOL_ERROR, "a stream that depends on itself");
}

function needStream(stream: number, frame: string): void {
  if (stream === 0) protocolError(`${frame} without a stream`);
}

function needConnection(stream: number, frame: string): void {
  if (stream !== 0) protocolError(`${frame} on a stream`);
}

function sizeError(message: string): never {
  throw new ConnectionError(REASON.FRAME_SIZE_ERROR, message);
}
