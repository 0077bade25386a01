// RFC 9113 3.4 to 4.3: the preface, frames of any kind, and the limits of their size.
import {
  bytes,
  continuation,
  data,
  end,
  FLAG,
  frame,
  headers,
  MAGIC,
  MAX_WINDOW,
  OPEN,
  ping,
  settings,
  TYPE,
  u32,
  WHOLE,
  windowUpdate,
} from "../../../support/h2/frames.ts";
import { get, post } from "../../../support/h2/block.ts";
import {
  answers,
  breaks,
  CLOSED,
  connectionError,
  either,
  type H2Case,
  ignores,
  streamError,
} from "../../../support/h2/case.ts";

const HELLO = bytes(MAGIC, settings());

/** A case from the connection's first byte on. */
function raw(test: H2Case): H2Case {
  return { ...test, isRaw: true };
}

const PREFACE_BROKEN = either(
  "3.4: GOAWAY MAY be omitted",
  connectionError("PROTOCOL_ERROR"),
  CLOSED,
);

const PREFACE: readonly H2Case[] = [
  ...([
    ["with another word in it", bytes(MAGIC.replace("SM", "XM"), settings())],
    ["with lines of LF alone", bytes(MAGIC.replaceAll("\r\n", "\n"), settings())],
    ["of version 2.1", bytes(MAGIC.replace("2.0", "2.1"), settings())],
    ["twice", bytes(MAGIC, MAGIC, settings())],
    ["followed by PING", bytes(MAGIC, ping(), settings())],
    ["followed by HEADERS", bytes(MAGIC, headers(1, get()), settings())],
    ["followed by WINDOW_UPDATE", bytes(MAGIC, windowUpdate(0, 1), settings())],
    ["followed by an acknowledgement", bytes(MAGIC, frame(TYPE.settings, FLAG.ack, 0), settings())],
    ["followed by a frame that nobody knows", bytes(MAGIC, frame(TYPE.unknown, 0, 0), settings())],
    ["followed by SETTINGS on a stream", bytes(MAGIC, frame(TYPE.settings, 0, 1))],
    ["followed by SETTINGS of a broken size", bytes(MAGIC, frame(TYPE.settings, 0, 0, "12345"))],
    ["followed by HTTP/1.1", bytes(MAGIC, "GET / HTTP/1.1\r\nhost: a\r\n\r\n")],
  ] as const).map(([how, sent]) => raw(PREFACE_BROKEN("3.4", `a preface ${how}`, sent))),
  raw(
    answers(
      "3.4",
      "a request at once, before the server has said anything",
      bytes(HELLO, headers(1, get())),
    ),
  ),
  raw(
    answers(
      "3.4",
      "a preface byte by byte",
      ...[...HELLO, ...headers(1, get())].map((byte) => Uint8Array.of(byte)),
    ),
  ),
];

/** One byte more than the server takes. */
function oversized(type: number, flags: number, stream: number, begin: Uint8Array | string = "") {
  return ({ maxFrameBytes }: { maxFrameBytes: number }) =>
    frame(type, flags, stream, bytes(begin, new Uint8Array(maxFrameBytes + 1 - begin.length)));
}

const SIZE = either(
  "4.2: where the frame cannot alter the connection's state, either kind of error",
  connectionError("FRAME_SIZE_ERROR"),
  streamError("FRAME_SIZE_ERROR"),
);
const TOO_LARGE = breaks("FRAME_SIZE_ERROR");

const SIZES: readonly H2Case[] = [
  answers(
    "4.2",
    "DATA as large as may be",
    headers(1, post(), OPEN),
    ({ maxFrameBytes }) => end(1, new Uint8Array(Math.min(maxFrameBytes, 65_535))),
  ),
  SIZE("4.2", "DATA larger than may be", headers(1, post(), OPEN), oversized(TYPE.data, 0, 1)),
  TOO_LARGE("4.2", "HEADERS larger than may be", oversized(TYPE.headers, WHOLE, 1, get())),
  TOO_LARGE(
    "4.2",
    "CONTINUATION larger than may be",
    headers(1, get(), FLAG.endStream),
    oversized(TYPE.continuation, FLAG.endHeaders, 1),
  ),
  TOO_LARGE("4.2", "SETTINGS larger than may be", oversized(TYPE.settings, 0, 0)),
  TOO_LARGE("4.2", "GOAWAY larger than may be", oversized(TYPE.goaway, 0, 0)),
  TOO_LARGE(
    "4.2",
    "a frame that nobody knows on stream 0, larger than may be",
    oversized(TYPE.unknown, 0, 0),
  ),
  TOO_LARGE("4.2", "a frame of 16 MB", frame(TYPE.headers, WHOLE, 1, get(), 0xffffff)),
];

const ANY: readonly H2Case[] = [
  ignores(
    "4.1",
    "a frame that nobody knows on the connection",
    frame(TYPE.unknown, 0xff, 0, "12345678"),
  ),
  ignores(
    "4.1",
    "a frame that nobody knows on a stream that is idle",
    frame(TYPE.unknown, 0, 1, "12345678"),
  ),
  answers(
    "4.1",
    "a frame that nobody knows on a stream that is open",
    headers(1, post(), OPEN),
    frame(TYPE.unknown, 0xff, 1, "x"),
    end(1, "x"),
  ),
  answers(
    "4.1",
    "a frame that nobody knows and that is empty",
    frame(TYPE.unknown, 0, 0),
    headers(1, get()),
  ),
  answers(
    "4.1",
    "an empty frame of every unknown type",
    ...Array.from({ length: 200 }, (_, i) => frame(10 + i, 0, 0)),
    headers(1, get()),
  ),
  answers(
    "4.1",
    "the reserved bit in a frame's header",
    frame(TYPE.headers, WHOLE, 1 + 2 ** 31, get()),
  ),
  answers("4.1", "flags that HEADERS has not", headers(1, get(), WHOLE | 0xd2)),
  answers(
    "4.1",
    "flags that DATA has not",
    headers(1, post(), OPEN),
    frame(TYPE.data, 0xf7, 1, "x"),
  ),
  ignores("4.1", "flags that SETTINGS has not", frame(TYPE.settings, 0xfe, 0)),
  ignores("4.1", "flags that PING has not", frame(TYPE.ping, 0xfe, 0, "12345678")),
  answers(
    "4.1",
    "flags that WINDOW_UPDATE has not",
    headers(1, post(), OPEN),
    frame(TYPE.windowUpdate, 0xff, 1, u32(1)),
    end(1),
  ),
  answers(
    "4.1",
    "the reserved bit of a window increment",
    headers(1, post(), OPEN),
    windowUpdate(1, 2 ** 31 + 1),
    end(1),
  ),
  answers("4.3", "a block in HEADERS and three CONTINUATIONs", ...inPieces(get(), 4)),
  answers(
    "4.3",
    "a block in HEADERS without a byte and one CONTINUATION",
    headers(1, "", FLAG.endStream),
    continuation(1, get()),
  ),
  answers(
    "4.3",
    "a block whose last CONTINUATION is empty",
    headers(1, get(), FLAG.endStream),
    continuation(1, ""),
  ),
  answers(
    "6.9.1",
    "windows of 2^31 - 1",
    headers(1, post(), OPEN),
    windowUpdate(1, MAX_WINDOW - 65_535),
    windowUpdate(0, MAX_WINDOW - 65_535),
    end(1),
  ),
  answers(
    "6.1",
    "DATA that is empty, and then the end",
    headers(1, post(), OPEN),
    data(1, ""),
    end(1),
  ),
];

/** HEADERS that end the stream and CONTINUATIONs, of about the same size. */
function inPieces(block: Uint8Array, count: number): Uint8Array[] {
  const size = Math.ceil(block.length / count);
  return Array.from({ length: count }, (_, i) => {
    const part = block.subarray(i * size, (i + 1) * size);
    if (i === 0) return headers(1, part, FLAG.endStream);
    return continuation(1, part, i === count - 1 ? FLAG.endHeaders : 0);
  });
}

export const FRAMING: readonly H2Case[] = [...PREFACE, ...SIZES, ...ANY];
