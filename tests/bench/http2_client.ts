// A raw HTTP/2 client, for asking whether a proxy works and for holding connections open: one request, and the frames of its
// answer are counted rather than decoded.
import { Field } from "../../sidecar/http/field.ts";
import { HpackEncoder } from "../../sidecar/http2/hpack/encoder.ts";
import { ByteWriter } from "../../sidecar/lib/byte_writer.ts";
import { connect } from "./client.ts";
import type { Peer, Place } from "./place.ts";
import type { Workload } from "./workloads.ts";

/** RFC 9113 3.4. */
const PREFACE = new TextEncoder().encode("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
/** RFC 9113 6. */
const FRAME = { data: 0, headers: 1, reset: 3, settings: 4, goaway: 7, windowUpdate: 8 } as const;
const FLAG = { ack: 1, endStream: 1, endHeaders: 4 } as const;
const HEAD_BYTES = 9;
/** RFC 9113 6.9.1: what no answer here exhausts. */
const MAX_WINDOW = 2 ** 31 - 1;
const DEFAULT_WINDOW = 65_535;
const INITIAL_WINDOW_SIZE = 4;
/** `:status: 200` in the static table, as an indexed field (RFC 7541 6.1, appendix A). */
const STATUS_200 = 0x88;

interface Answer {
  /** The first byte of the head that is a field. */
  status: number | undefined;
  /** Blocks of fields: the head, and the trailers. */
  blocks: number;
  bytes: number;
  isOver: boolean;
}

/** One request on a connection that stays open until it is disposed, its settings exchanged. */
export async function askHttp2(place: Place, peer: Peer, workload: Workload): Promise<Disposable> {
  const connection = await connect(peer.port);
  try {
    await writeAll(connection, requestFrames(place, peer, workload));
    const answer = await readAnswer(connection);
    const { status, blocks, bytes } = answer;
    if (status === STATUS_200 && blocks === 2 && bytes === workload.responseBytes) {
      return connection;
    }
    throw new Error(`${peer.name} answered ${workload.title} with ${JSON.stringify(answer)}`);
  } catch (error) {
    connection.close();
    throw error;
  }
}

function requestFrames(place: Place, peer: Peer, workload: Workload): Uint8Array {
  const { method, path, body } = workload;
  const head: Record<string, string> = {
    ":method": method,
    ":scheme": "http",
    ":path": peer.path(path),
    ...workload.headers(place.token),
  };
  const block = new ByteWriter();
  const encoder = new HpackEncoder();
  encoder.begin(block);
  for (const [name, value] of Object.entries(head)) encoder.encode(block, new Field(name, value));
  const isWhole = body === "";
  const flags = FLAG.endHeaders | (isWhole ? FLAG.endStream : 0);
  return join([
    PREFACE,
    frame(FRAME.settings, 0, 0, settings()),
    frame(FRAME.windowUpdate, 0, 0, uint32(MAX_WINDOW - DEFAULT_WINDOW)),
    frame(FRAME.headers, flags, 1, block.view()),
    ...(isWhole ? [] : [frame(FRAME.data, FLAG.endStream, 1, new TextEncoder().encode(body))]),
  ]);
}

function settings(): Uint8Array {
  return join([Uint8Array.of(0, INITIAL_WINDOW_SIZE), uint32(MAX_WINDOW)]);
}

function frame(type: number, flags: number, stream: number, payload: Uint8Array): Uint8Array {
  const { length } = payload;
  const head = Uint8Array.of(length >> 16, length >> 8, length, type, flags);
  return join([head, uint32(stream), payload]);
}

function uint32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const writer = new ByteWriter();
  for (const part of parts) writer.copy(part);
  return writer.view().slice();
}

async function writeAll(connection: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
}

/** Reads to the end of stream 1, and answers the peer's SETTINGS. */
async function readAnswer(connection: Deno.TcpConn): Promise<Answer> {
  const answer: Answer = { status: undefined, blocks: 0, bytes: 0, isOver: false };
  let isAcknowledged = false;
  let rest = new Uint8Array();
  const buffer = new Uint8Array(65536);
  while (!answer.isOver || !isAcknowledged) {
    const count = await connection.read(buffer);
    if (count === null) throw new Error("the connection was closed before the response was whole");
    rest = Uint8Array.from([...rest, ...buffer.subarray(0, count)]);
    for (let length = frameLength(rest); rest.length >= length; length = frameLength(rest)) {
      const [type, flags] = [rest[3]!, rest[4]!];
      if (type === FRAME.settings && (flags & FLAG.ack) === 0) {
        await writeAll(connection, frame(FRAME.settings, FLAG.ack, 0, new Uint8Array()));
        isAcknowledged = true;
      }
      note(answer, type, flags, rest.subarray(HEAD_BYTES, length));
      rest = rest.subarray(length);
    }
  }
  return answer;
}

/** With its head; Infinity where that is not there yet. */
function frameLength(bytes: Uint8Array): number {
  const [high, middle, low] = bytes;
  if (bytes.length < HEAD_BYTES) return Infinity;
  return HEAD_BYTES + (high! << 16 | middle! << 8 | low!);
}

function note(answer: Answer, type: number, flags: number, payload: Uint8Array): void {
  if (type === FRAME.reset || type === FRAME.goaway) {
    throw new Error(`the answer is a frame of type ${type}: ${payload}`);
  }
  if (type !== FRAME.data && type !== FRAME.headers) return;
  if (type === FRAME.data) answer.bytes += payload.length;
  else {
    answer.blocks++;
    answer.status ??= payload.find(isField);
  }
  answer.isOver = (flags & FLAG.endStream) !== 0;
}

/** Before the first field a block may change the size of the table (RFC 7541 6.3), here by one byte. */
function isField(byte: number): boolean {
  return (byte & 0xe0) !== 0x20;
}
