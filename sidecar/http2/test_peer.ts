// The other end of a connection, played by a test: writes frames of its own making, and reads ours as lines of text.
import { Field } from "../http/field.ts";
import { ByteWriter } from "../lib/byte_writer.ts";
import { latin1, latin1Bytes } from "../lib/bytes.ts";
import { MemoryTransport, quiet } from "../../tests/support/memory_transport.ts";
import { FLAG, FRAME, putFrameHeader, putUint32, uint32At } from "./frame.ts";
import { PREFACE } from "./frame_reader.ts";
import { HpackDecoder } from "./hpack/decoder.ts";
import { HpackEncoder } from "./hpack/encoder.ts";
import { reasonName } from "./reason.ts";

const TYPES = new Map(Object.entries(FRAME).map(([name, type]) => [type as number, name]));

/** Any frame at all. */
export function frame(
  type: number,
  flags: number,
  stream: number,
  payload: Uint8Array | string = "",
): Uint8Array<ArrayBuffer> {
  const bytes = typeof payload === "string" ? latin1Bytes(payload) : payload;
  const whole = new Uint8Array(9 + bytes.length);
  putFrameHeader(whole, 0, bytes.length, type, flags, stream);
  whole.set(bytes, 9);
  return whole;
}

/** The frames one after the other. */
export function joined(...frames: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const out = new ByteWriter(256);
  for (const bytes of frames) out.copy(bytes);
  return out.view().slice();
}

/** Numbers of four bytes each. */
export function uint32s(...values: readonly number[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(values.length * 4);
  values.forEach((value, i) => putUint32(bytes, i * 4, value));
  return bytes;
}

export function data(stream: number, text: string, isEnd = false): Uint8Array<ArrayBuffer> {
  return frame(FRAME.DATA, isEnd ? FLAG.END_STREAM : 0, stream, text);
}

export function reset(stream: number, reason: number): Uint8Array<ArrayBuffer> {
  return frame(FRAME.RST_STREAM, 0, stream, uint32s(reason));
}

export function windowUpdate(stream: number, increment: number): Uint8Array<ArrayBuffer> {
  return frame(FRAME.WINDOW_UPDATE, 0, stream, uint32s(increment));
}

export function goaway(lastStream: number, reason = 0): Uint8Array<ArrayBuffer> {
  return frame(FRAME.GOAWAY, 0, 0, uint32s(lastStream, reason));
}

export function settings(
  ...pairs: readonly (readonly [number, number])[]
): Uint8Array<ArrayBuffer> {
  return frame(
    FRAME.SETTINGS,
    0,
    0,
    joined(...pairs.map(([id, value]) => new Uint8Array([id >> 8, id, ...uint32s(value)]))),
  );
}

export const SETTINGS_ACK = frame(FRAME.SETTINGS, FLAG.ACK, 0);

export class TestPeer {
  readonly transport = new MemoryTransport();
  readonly #encoder = new HpackEncoder();
  readonly #decoder = new HpackDecoder({ maxTableBytes: 4096, maxListBytes: 1e6, maxFields: 1000 });
  #unread = "";

  /** A field block, which the real encoder of the other end would send. */
  block(fields: Readonly<Record<string, string>> | readonly (readonly [string, string])[]) {
    const out = new ByteWriter(256);
    this.#encoder.begin(out);
    const pairs = Array.isArray(fields) ? fields : Object.entries(fields);
    for (const [name, value] of pairs) this.#encoder.encode(out, new Field(name, value));
    return out.view().slice();
  }

  head(
    stream: number,
    fields: Readonly<Record<string, string>> | readonly (readonly [string, string])[],
    isEnd = false,
  ): Uint8Array<ArrayBuffer> {
    const flags = FLAG.END_HEADERS | (isEnd ? FLAG.END_STREAM : 0);
    return frame(FRAME.HEADERS, flags, stream, this.block(fields));
  }

  /** A request by GET, or by POST whose body follows. */
  request(stream: number, fields: Readonly<Record<string, string>> = {}, isEnd = true) {
    return this.head(stream, {
      ":method": isEnd ? "GET" : "POST",
      ":scheme": "http",
      ":path": `/${stream}`,
      ":authority": "a",
      ...fields,
    }, isEnd);
  }

  /** What a client begins with. */
  preface(...pairs: readonly (readonly [number, number])[]): Uint8Array<ArrayBuffer> {
    return joined(PREFACE, settings(...pairs), SETTINGS_ACK);
  }

  /** Sends the frames in one piece, and returns what comes of them. */
  async send(...frames: readonly Uint8Array[]): Promise<string[]> {
    this.transport.send(joined(...frames));
    return await this.answer();
  }

  /** The frames that came since the last time, once nothing moves any more. */
  async answer(): Promise<string[]> {
    await quiet(this.transport);
    this.#unread += this.transport.take();
    if (this.#unread.startsWith("PRI")) this.#unread = this.#unread.slice(PREFACE.length);
    const bytes = latin1Bytes(this.#unread);
    const lines: string[] = [];
    let at = 0;
    while (bytes.length - at >= 9) {
      const length = (bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!;
      if (bytes.length - at < 9 + length) break;
      lines.push(this.#describe(bytes.subarray(at, at + 9 + length)));
      at += 9 + length;
    }
    this.#unread = this.#unread.slice(at);
    return lines;
  }

  /** As `answer`, without the frames that only keep house. */
  async said(...frames: readonly Uint8Array[]): Promise<string[]> {
    const lines = frames.length > 0 ? await this.send(...frames) : await this.answer();
    return lines.filter((line) => !/^(SETTINGS|WINDOW_UPDATE 0)/.test(line));
  }

  #describe(bytes: Uint8Array): string {
    const [type, flags, stream] = [bytes[3]!, bytes[4]!, uint32At(bytes, 5)];
    const name = TYPES.get(type) ?? String(type);
    const end = (flags & FLAG.END_STREAM) !== 0 ? " end" : "";
    const payload = bytes.subarray(9);
    switch (type) {
      case FRAME.DATA:
        return `DATA ${stream} ${latin1(payload, 0, payload.length)}${end}`;
      case FRAME.HEADERS:
        return `HEADERS ${stream}${this.#fields(payload, flags)}${end}`;
      case FRAME.SETTINGS:
        return (flags & FLAG.ACK) !== 0 ? "SETTINGS ack" : "SETTINGS";
      case FRAME.PING:
        return `PING ${latin1(payload, 0, 8)}${(flags & FLAG.ACK) !== 0 ? " ack" : ""}`;
      case FRAME.GOAWAY:
        return `GOAWAY ${uint32At(payload, 0)} ${reasonName(uint32At(payload, 4))}`;
      case FRAME.RST_STREAM:
        return `RST_STREAM ${stream} ${reasonName(uint32At(payload, 0))}`;
      case FRAME.WINDOW_UPDATE:
        return `WINDOW_UPDATE ${stream} ${uint32At(payload, 0)}`;
      default:
        return `${name} ${stream}`;
    }
  }

  #fields(block: Uint8Array, flags: number): string {
    if ((flags & FLAG.END_HEADERS) === 0) return " ...";
    const fields = this.#decoder.decode(block, 0, block.length) ?? [];
    return fields.map(({ name, value }) => ` ${name}=${value}`).join("");
  }
}
