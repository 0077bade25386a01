// RFC 9113 3 to 6 as a client must hold to it: settings and frames of a server that are none.
import { block, indexed, NEWEST, response, tableSize } from "../../../support/h2/block.ts";
import {
  bytes,
  continuation,
  data,
  FLAG,
  frame,
  headers,
  MAX_WINDOW,
  OPEN,
  padded,
  priority,
  pushPromise,
  type Reason,
  rstStream,
  SETTING,
  settings,
  TYPE,
  WHOLE,
  windowUpdate,
} from "../../../support/h2/frames.ts";
import {
  passed,
  type UpstreamCase,
  upstreamConnectionError,
  upstreamStreamError,
  type UpstreamVerdict,
} from "../../../support/h2/upstream_case.ts";

type Respond = (stream: number) => Uint8Array;

function allowing(...allowed: readonly UpstreamVerdict[]) {
  return (section: string, name: string, respond: Respond): UpstreamCase => ({
    section,
    name,
    respond,
    allowed,
  });
}

const breaks = (reason: Reason) => allowing(upstreamConnectionError(reason));
const PROTOCOL = breaks("PROTOCOL_ERROR");
const SIZE = breaks("FRAME_SIZE_ERROR");
const PASSED = allowing(passed(200));
const OK = response("200");
const NOTHING = new Uint8Array();

function greeted(test: UpstreamCase, greeting: UpstreamCase["greeting"]): UpstreamCase {
  return greeting === undefined ? test : { ...test, greeting };
}

/** In place of the server's settings. */
const GREETINGS: readonly UpstreamCase[] = ([
  ["PING in place of settings", frame(TYPE.ping, 0, 0, "12345678")],
  ["HEADERS in place of settings", headers(1, OK)],
  ["an acknowledgement in place of settings", frame(TYPE.settings, FLAG.ack, 0)],
  ["WINDOW_UPDATE in place of settings", frame(TYPE.windowUpdate, 0, 0, "\0\0\0\x01")],
  ["HTTP/1.1", bytes("HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")],
] as const).map(([name, sent]) => ({
  ...allowing(
    upstreamConnectionError("PROTOCOL_ERROR"),
    upstreamConnectionError("FRAME_SIZE_ERROR"),
  )("3.4", name, () => NOTHING),
  greeting: { bytes: sent },
  why: "what is no frame of ours may be too large first",
}));

const GREETED: readonly UpstreamCase[] = [
  greeted(PROTOCOL("6.5.2", "ENABLE_PUSH of 1", (stream) => headers(stream, OK)), {
    settings: [[SETTING.enablePush, 1]],
  }),
  greeted(
    breaks("FLOW_CONTROL_ERROR")(
      "6.5.2",
      "INITIAL_WINDOW_SIZE of 2^31",
      (stream) => headers(stream, OK),
    ),
    { settings: [[SETTING.initialWindowSize, 2 ** 31]] },
  ),
  greeted(PROTOCOL("6.5.2", "MAX_FRAME_SIZE of 16383", (stream) => headers(stream, OK)), {
    settings: [[SETTING.maxFrameSize, 16_383]],
  }),
  greeted(PASSED("6.5.2", "a header table of no size", (stream) => headers(stream, OK)), {
    settings: [[SETTING.headerTableSize, 0]],
  }),
  greeted(PASSED("6.5.2", "a header table of 2^32 - 1", (stream) => headers(stream, OK)), {
    settings: [[SETTING.headerTableSize, 0xffffffff]],
  }),
  greeted(PASSED("6.5.2", "ENABLE_PUSH of 0", (stream) => headers(stream, OK)), {
    settings: [[SETTING.enablePush, 0]],
  }),
  greeted(PASSED("6.5.2", "settings that nobody knows", (stream) => headers(stream, OK)), {
    settings: [[0xabcd, 7]],
  }),
];

const CONNECTION: readonly UpstreamCase[] = [
  PROTOCOL(
    "8.4",
    "PUSH_PROMISE",
    (stream) =>
      bytes(
        pushPromise(
          stream,
          2,
          block([":method", "GET"], [":scheme", "http"], [":path", "/"], [":authority", "a"]),
        ),
        headers(stream, OK),
      ),
  ),
  PROTOCOL("5.1.1", "HEADERS on stream 0", () => headers(0, OK)),
  PROTOCOL("5.1.1", "HEADERS on an even stream", () => headers(2, OK)),
  PROTOCOL("5.1", "HEADERS on a stream that nobody opened", (stream) => headers(stream + 100, OK)),
  PROTOCOL("5.1", "DATA on a stream that nobody opened", (stream) => data(stream + 100, "x")),
  PROTOCOL(
    "5.1",
    "WINDOW_UPDATE on a stream that nobody opened",
    (stream) => windowUpdate(stream + 100, 1),
  ),
  PROTOCOL("5.1", "RST_STREAM on a stream that nobody opened", (stream) => rstStream(stream + 100)),
  PROTOCOL("6.1", "DATA on stream 0", () => data(0, "x")),
  PROTOCOL(
    "6.1",
    "padding longer than its DATA",
    (stream) =>
      bytes(
        headers(stream, OK, OPEN),
        frame(TYPE.data, FLAG.padded | FLAG.endStream, stream, padded(9, "x")),
      ),
  ),
  PROTOCOL(
    "6.2",
    "padding longer than its HEADERS",
    (stream) => frame(TYPE.headers, WHOLE | FLAG.padded, stream, padded(255, OK)),
  ),
  SIZE(
    "4.2",
    "HEADERS larger than may be",
    (stream) => frame(TYPE.headers, WHOLE, stream, bytes(OK, new Uint8Array(2 ** 20))),
  ),
  SIZE("6.4", "RST_STREAM of 3 bytes", (stream) => frame(TYPE.rstStream, 0, stream, "123")),
  SIZE("6.5", "SETTINGS of 5 bytes", () => frame(TYPE.settings, 0, 0, "12345")),
  SIZE(
    "6.5",
    "an acknowledgement that says something",
    () => frame(TYPE.settings, FLAG.ack, 0, "123456"),
  ),
  PROTOCOL("6.5.2", "ENABLE_PUSH of 1, later", () => settings([SETTING.enablePush, 1])),
  SIZE("6.7", "PING of 7 bytes", () => frame(TYPE.ping, 0, 0, "1234567")),
  PROTOCOL("6.7", "PING on a stream", (stream) => frame(TYPE.ping, 0, stream, "12345678")),
  SIZE("6.8", "GOAWAY of 7 bytes", () => frame(TYPE.goaway, 0, 0, "1234567")),
  PROTOCOL("6.8", "GOAWAY on a stream", (stream) => frame(TYPE.goaway, 0, stream, "12345678")),
  PROTOCOL("6.9", "WINDOW_UPDATE of 0 for the connection", () => windowUpdate(0, 0)),
  SIZE("6.9", "WINDOW_UPDATE of 3 bytes", () => frame(TYPE.windowUpdate, 0, 0, "123")),
  breaks("FLOW_CONTROL_ERROR")(
    "6.9.1",
    "a window of the connection above 2^31 - 1",
    () => windowUpdate(0, MAX_WINDOW),
  ),
  PROTOCOL("6.10", "CONTINUATION without HEADERS", (stream) => continuation(stream, OK)),
  PROTOCOL(
    "6.10",
    "PING within a block",
    (stream) =>
      bytes(
        headers(stream, OK, FLAG.endStream),
        frame(TYPE.ping, 0, 0, "12345678"),
        continuation(stream, ""),
      ),
  ),
  breaks("COMPRESSION_ERROR")("4.3", "index 0", (stream) => headers(stream, bytes(OK, 0x80))),
  breaks("COMPRESSION_ERROR")(
    "4.3",
    "an index behind the table",
    (stream) => headers(stream, bytes(OK, indexed(NEWEST + 50))),
  ),
  breaks("COMPRESSION_ERROR")(
    "RFC 7541 6.3",
    "a table larger than allowed",
    (stream) => headers(stream, bytes(tableSize(65_537), OK)),
  ),
  breaks("COMPRESSION_ERROR")(
    "4.3",
    "a value that is cut off",
    (stream) => headers(stream, bytes(OK, 0, 1, "x", 5, "y")),
  ),
];

const STREAM: readonly UpstreamCase[] = [
  allowing(upstreamStreamError("FLOW_CONTROL_ERROR"))(
    "6.9.1",
    "a window of the stream above 2^31 - 1",
    (stream) => windowUpdate(stream, MAX_WINDOW),
  ),
  allowing(upstreamStreamError("PROTOCOL_ERROR"))(
    "6.9",
    "WINDOW_UPDATE of 0 for the stream",
    (stream) => windowUpdate(stream, 0),
  ),
  allowing(upstreamStreamError("FRAME_SIZE_ERROR"))(
    "6.3",
    "PRIORITY of 4 bytes",
    (stream) => frame(TYPE.priority, 0, stream, "1234"),
  ),
  PASSED("6.3", "PRIORITY", (stream) => bytes(priority(stream), headers(stream, OK))),
  PASSED(
    "4.1",
    "a frame that nobody knows",
    (stream) => bytes(frame(TYPE.unknown, 0xff, stream, "x"), headers(stream, OK)),
  ),
  PASSED(
    "4.3",
    "a response in HEADERS and CONTINUATION",
    (stream) => bytes(headers(stream, OK, FLAG.endStream), continuation(stream, block(["x", "y"]))),
  ),
  PASSED(
    "6.1",
    "padded DATA",
    (stream) =>
      bytes(
        headers(stream, OK, OPEN),
        frame(TYPE.data, FLAG.padded | FLAG.endStream, stream, padded(2, "x", "\0\0")),
      ),
  ),
];

export const UPSTREAM_FRAMES: readonly UpstreamCase[] = [
  ...GREETINGS,
  ...GREETED,
  ...CONNECTION,
  ...STREAM,
];
