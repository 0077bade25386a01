// RFC 9113 6.5 to 6.9: what the frames of the connection must be by themselves, and flow control.
import { get, post } from "../../../support/h2/block.ts";
import {
  answered,
  answers,
  breaks,
  CLOSED,
  connectionError,
  either,
  type H2Case,
  IGNORED,
  ignores,
  resets,
  streamError,
} from "../../../support/h2/case.ts";
import {
  bytes,
  data,
  end,
  FLAG,
  frame,
  goaway,
  headers,
  MAX_WINDOW,
  OPEN,
  padded,
  ping,
  pushPromise,
  SETTING,
  type Setting,
  settings,
  TYPE,
  windowUpdate,
} from "../../../support/h2/frames.ts";

const PROTOCOL = breaks("PROTOCOL_ERROR");
const SIZE = breaks("FRAME_SIZE_ERROR");

/** A POST whose body is to come, and then this. */
function posting(make: (section: string, name: string, ...steps: Uint8Array[]) => H2Case) {
  return (section: string, name: string, ...frames: Uint8Array[]) =>
    make(section, name, headers(1, post(), OPEN), ...frames);
}

function one(setting: Setting): Uint8Array {
  return settings(setting);
}

const SETTINGS: readonly H2Case[] = [
  PROTOCOL("6.5", "SETTINGS on a stream", frame(TYPE.settings, 0, 1)),
  SIZE(
    "6.5",
    "an acknowledgement that says something",
    frame(TYPE.settings, FLAG.ack, 0, "\0\x01\0\0\0\0"),
  ),
  SIZE("6.5", "an acknowledgement of one byte", frame(TYPE.settings, FLAG.ack, 0, "x")),
  ...[1, 5, 7, 11].map((length) =>
    SIZE("6.5", `SETTINGS of ${length} bytes`, frame(TYPE.settings, 0, 0, "\0".repeat(length)))
  ),
  PROTOCOL("6.5.2", "ENABLE_PUSH of 2", one([SETTING.enablePush, 2])),
  PROTOCOL("6.5.2", "ENABLE_PUSH of 2^32 - 1", one([SETTING.enablePush, 0xffffffff])),
  breaks("FLOW_CONTROL_ERROR")(
    "6.5.2",
    "INITIAL_WINDOW_SIZE of 2^31",
    one([SETTING.initialWindowSize, 2 ** 31]),
  ),
  breaks("FLOW_CONTROL_ERROR")(
    "6.5.2",
    "INITIAL_WINDOW_SIZE of 2^32 - 1",
    one([SETTING.initialWindowSize, 0xffffffff]),
  ),
  PROTOCOL("6.5.2", "MAX_FRAME_SIZE of 16383", one([SETTING.maxFrameSize, 16_383])),
  PROTOCOL("6.5.2", "MAX_FRAME_SIZE of 0", one([SETTING.maxFrameSize, 0])),
  PROTOCOL("6.5.2", "MAX_FRAME_SIZE of 2^24", one([SETTING.maxFrameSize, 2 ** 24])),
  either(
    "RFC 8441 3: 0 or 1; a server need not look at it",
    IGNORED,
    connectionError("PROTOCOL_ERROR"),
  )(
    "RFC 8441 3",
    "ENABLE_CONNECT_PROTOCOL of 2",
    one([SETTING.enableConnectProtocol, 2]),
  ),
  PROTOCOL(
    "6.5",
    "a bad value behind a good one of the same setting",
    settings([SETTING.enablePush, 0], [SETTING.enablePush, 2]),
  ),
  PROTOCOL(
    "6.5",
    "a good value behind a bad one of the same setting",
    settings([SETTING.enablePush, 2], [SETTING.enablePush, 0]),
  ),
  answers(
    "6.5.2",
    "the lowest and highest values that may be",
    settings(
      [SETTING.maxFrameSize, 2 ** 24 - 1],
      [SETTING.initialWindowSize, MAX_WINDOW],
      [SETTING.headerTableSize, 0xffffffff],
      [SETTING.maxConcurrentStreams, 0],
      [SETTING.maxHeaderListSize, 0xffffffff],
      [SETTING.enablePush, 0],
    ),
    headers(1, get()),
  ),
  answers(
    "6.5.2",
    "a header table of no size, then of another",
    one([SETTING.headerTableSize, 0]),
    headers(1, get()),
    { over: 1 },
    one([SETTING.headerTableSize, 100]),
    headers(3, get()),
    { over: 3 },
  ),
  answers(
    "6.5.2",
    "settings that nobody knows",
    settings([0, 1], [7, 1], [0xff00, 0xffffffff]),
    headers(1, get()),
  ),
  answers("6.5", "SETTINGS that say nothing", settings(), headers(1, get())),
  either(
    "6.5.3 says nothing of an acknowledgement that nobody waits for",
    answered("200"),
    connectionError("PROTOCOL_ERROR"),
  )(
    "6.5.3",
    "an acknowledgement too many",
    frame(TYPE.settings, FLAG.ack, 0),
    frame(TYPE.settings, FLAG.ack, 0),
    headers(1, get()),
  ),
];

const PUSH: readonly H2Case[] = [
  PROTOCOL("8.4", "PUSH_PROMISE of a client", headers(1, get()), pushPromise(1, 2, get())),
  PROTOCOL("8.4", "PUSH_PROMISE on stream 0", pushPromise(0, 2, get())),
];

const PING: readonly H2Case[] = [
  PROTOCOL("6.7", "PING on a stream", frame(TYPE.ping, 0, 1, "12345678")),
  ...[0, 7, 9].map((length) =>
    SIZE("6.7", `PING of ${length} bytes`, frame(TYPE.ping, 0, 0, "\0".repeat(length)))
  ),
  SIZE("6.7", "the answer to a PING, of 7 bytes", frame(TYPE.ping, FLAG.ack, 0, "1234567")),
  ignores("6.7", "the answer to a PING that was never sent", ping("12345678", FLAG.ack)),
];

const LEAVING = either(
  "6.8: the client says that it opens no more; what it opens yet may be served",
  answered("200"),
  CLOSED,
);

const GOAWAY: readonly H2Case[] = [
  PROTOCOL("6.8", "GOAWAY on a stream", frame(TYPE.goaway, 0, 1, "12345678")),
  ...[0, 4, 7].map((length) =>
    SIZE("6.8", `GOAWAY of ${length} bytes`, frame(TYPE.goaway, 0, 0, "\0".repeat(length)))
  ),
  LEAVING("6.8", "GOAWAY behind a request", headers(1, get()), goaway(0)),
  LEAVING(
    "6.8",
    "GOAWAY within a request's body",
    headers(1, post(), OPEN),
    goaway(0),
    end(1, "x"),
  ),
  LEAVING(
    "7",
    "GOAWAY with a reason that nobody knows and a long story",
    headers(1, get()),
    frame(TYPE.goaway, 0, 0, "\0\0\0\0\xff\xff\xff\xff" + "x".repeat(8000)),
  ),
];

const WINDOW_UPDATE: readonly H2Case[] = [
  PROTOCOL("6.9", "WINDOW_UPDATE of 0 for the connection", windowUpdate(0, 0)),
  PROTOCOL(
    "6.9",
    "WINDOW_UPDATE of the reserved bit alone for the connection",
    windowUpdate(0, 2 ** 31),
  ),
  posting(resets("PROTOCOL_ERROR"))("6.9", "WINDOW_UPDATE of 0 for a stream", windowUpdate(1, 0)),
  ...[0, 3, 5, 8].flatMap((length) => [
    SIZE(
      "6.9",
      `WINDOW_UPDATE of ${length} bytes for the connection`,
      frame(TYPE.windowUpdate, 0, 0, "\x01".repeat(length)),
    ),
    posting(SIZE)(
      "6.9",
      `WINDOW_UPDATE of ${length} bytes for a stream`,
      frame(TYPE.windowUpdate, 0, 1, "\x01".repeat(length)),
    ),
  ]),
  breaks("FLOW_CONTROL_ERROR")(
    "6.9.1",
    "a window of the connection above 2^31 - 1",
    windowUpdate(0, MAX_WINDOW),
  ),
  breaks("FLOW_CONTROL_ERROR")(
    "6.9.1",
    "a window of the connection above 2^31 - 1 in two steps",
    windowUpdate(0, MAX_WINDOW - 65_535),
    windowUpdate(0, 1),
  ),
  posting(resets("FLOW_CONTROL_ERROR"))(
    "6.9.1",
    "a window of a stream above 2^31 - 1",
    windowUpdate(1, MAX_WINDOW),
  ),
  posting(resets("FLOW_CONTROL_ERROR"))(
    "6.9.1",
    "a window of a stream above 2^31 - 1 in two steps",
    windowUpdate(1, MAX_WINDOW - 65_535),
    windowUpdate(1, 1),
  ),
  posting(breaks("FLOW_CONTROL_ERROR"))(
    "6.9.2",
    "INITIAL_WINDOW_SIZE that lifts an open stream's window above 2^31 - 1",
    windowUpdate(1, MAX_WINDOW - 65_535),
    one([SETTING.initialWindowSize, 65_536]),
  ),
];

/** An application that does not read leaves the windows as they are. */
const WINDOWS_OVERRUN: readonly H2Case[] = [
  {
    ...either(
      "6.9.1: a stream error or a connection error",
      streamError("FLOW_CONTROL_ERROR"),
      connectionError("FLOW_CONTROL_ERROR"),
    )(
      "6.9.1",
      "DATA beyond the window of its stream",
      headers(1, post("/hold/window"), OPEN),
      ({ streamWindow }) => fill(streamWindow + 1),
    ),
    needsHold: true,
  },
  {
    ...either(
      "6.9.1: a stream error or a connection error",
      streamError("FLOW_CONTROL_ERROR"),
      connectionError("FLOW_CONTROL_ERROR"),
    )(
      "6.9.1",
      "padding beyond the window of its stream",
      headers(1, post("/hold/padding"), OPEN),
      ({ streamWindow }) => fill(streamWindow - 10),
      frame(TYPE.data, FLAG.padded, 1, padded(10, "x", "\0".repeat(10))),
    ),
    needsHold: true,
  },
];

/** DATA on stream 1, of so many bytes altogether. */
function fill(count: number): Uint8Array {
  const size = 16_384;
  const whole = Array.from(
    { length: Math.floor(count / size) },
    () => data(1, new Uint8Array(size)),
  );
  return bytes(...whole, data(1, new Uint8Array(count % size)));
}

export const CONNECTION_FRAMES: readonly H2Case[] = [
  ...SETTINGS,
  ...PUSH,
  ...PING,
  ...GOAWAY,
  ...WINDOW_UPDATE,
  ...WINDOWS_OVERRUN,
];
