// Takes frames off a run of bytes, and field blocks off frames. Trusts the sender's framing: a peer that breaks it fails
// its test by what is read next.
import { HpackDecoder } from "../../../sidecar/http2/hpack/decoder.ts";
import { latin1 } from "../../../sidecar/lib/bytes.ts";
import type { Pair } from "./block.ts";
import { FLAG, TYPE } from "./frames.ts";

const HEADER_BYTES = 9;
const LIMITS = { maxTableBytes: 4096, maxListBytes: 1 << 20, maxFields: 10_000 };

export interface ReceivedFrame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Uint8Array;
  /** The decoded fields, with the frame that ends a field block. */
  readonly fields?: readonly Pair[];
  /** Of the HEADERS that began the block. */
  readonly isLast?: boolean;
}

export function hasFlag(frame: { readonly flags: number }, flag: number): boolean {
  return (frame.flags & flag) !== 0;
}

export function readU32(payload: Uint8Array, at: number): number {
  return new DataView(payload.buffer, payload.byteOffset).getUint32(at);
}

export class FrameReader {
  readonly #decoder = new HpackDecoder(LIMITS);
  #unread = new Uint8Array();
  #block: Uint8Array[] = [];
  #isLast = false;

  /** What has come of the next frame and no further. */
  get unread(): Uint8Array {
    return this.#unread;
  }

  /** Takes `text` off the front, where it stands there whole. */
  takeText(text: string): boolean {
    if (this.#unread.length < text.length) return false;
    if (latin1(this.#unread, 0, text.length) !== text) throw new Error(`expected ${text}`);
    this.#unread = this.#unread.slice(text.length);
    return true;
  }

  push(chunk: Uint8Array): void {
    const whole = new Uint8Array(this.#unread.length + chunk.length);
    whole.set(this.#unread);
    whole.set(chunk, this.#unread.length);
    this.#unread = whole;
  }

  /** Every frame that is whole. */
  *take(): Generator<ReceivedFrame> {
    for (;;) {
      const bytes = this.#unread;
      if (bytes.length < HEADER_BYTES) return;
      const end = HEADER_BYTES + (bytes[0]! << 16 | bytes[1]! << 8 | bytes[2]!);
      if (bytes.length < end) return;
      this.#unread = bytes.subarray(end);
      yield this.#complete({
        type: bytes[3]!,
        flags: bytes[4]!,
        stream: readU32(bytes, 5) & 0x7fffffff,
        payload: bytes.slice(HEADER_BYTES, end),
      });
    }
  }

  #complete(frame: ReceivedFrame): ReceivedFrame {
    if (frame.type === TYPE.headers) {
      this.#block = [headersBlock(frame)];
      this.#isLast = hasFlag(frame, FLAG.endStream);
    } else if (frame.type === TYPE.continuation) this.#block.push(frame.payload);
    else if (frame.type === TYPE.pushPromise) this.#block = [frame.payload.subarray(4)];
    else return frame;
    if (!hasFlag(frame, FLAG.endHeaders)) return frame;
    return { ...frame, fields: this.#decode(), isLast: this.#isLast };
  }

  #decode(): Pair[] {
    const whole = new Uint8Array(this.#block.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of this.#block) {
      whole.set(part, at);
      at += part.length;
    }
    this.#block = [];
    const fields = this.#decoder.decode(whole, 0, whole.length);
    if (fields === null) throw new Error("a field list of more than a megabyte");
    return fields.map(({ name, value }) => [name, value] as const);
  }
}

/** The payload of HEADERS without padding and priority. */
function headersBlock({ flags, payload }: ReceivedFrame): Uint8Array {
  const isPadded = (flags & FLAG.padded) !== 0;
  const padding = isPadded ? payload[0]! : 0;
  const start = (isPadded ? 1 : 0) + ((flags & FLAG.priority) !== 0 ? 5 : 0);
  return payload.subarray(start, payload.length - padding);
}

/** The payload of DATA without padding. */
export function dataOf({ flags, payload }: ReceivedFrame): Uint8Array {
  if ((flags & FLAG.padded) === 0) return payload;
  return payload.subarray(1, payload.length - payload[0]!);
}
