// RFC 9113 5.1: every frame in every state of a stream, and the rules of stream identifiers.
import { get, indexed, literal, NEWEST, post, request } from "../../../support/h2/block.ts";
import {
  answered,
  answers,
  breaks,
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
  continuation,
  data,
  end,
  FLAG,
  frame,
  headers,
  OPEN,
  priority,
  pushPromise,
  rstStream,
  SETTING,
  TYPE,
  windowUpdate,
} from "../../../support/h2/frames.ts";

const PROTOCOL = breaks("PROTOCOL_ERROR");
const TRAILERS = literal("x-trailer", "y");
/** Not lower case, so a stream error of the server's own making. */
const MALFORMED = get("/", ["X", "y"]);

const IDLE: readonly H2Case[] = [
  PROTOCOL("5.1", "idle: DATA", data(1, "x")),
  PROTOCOL("5.1", "idle: RST_STREAM", rstStream(1)),
  PROTOCOL("5.1", "idle: WINDOW_UPDATE", windowUpdate(1, 1)),
  PROTOCOL("5.1", "idle: CONTINUATION", continuation(1, get())),
  PROTOCOL("5.1", "idle: PUSH_PROMISE", pushPromise(1, 2, get())),
  ignores("5.1", "idle: PRIORITY", priority(1, 3)),
  answers("5.1", "idle: PRIORITY, then HEADERS", priority(1, 3), headers(1, get())),
  PROTOCOL("5.1", "idle: DATA far ahead", headers(1, get()), data(2 ** 31 - 1, "x")),
];

/** Streams that only a server may begin. */
const SERVERS: readonly H2Case[] = [
  PROTOCOL("5.1.1", "HEADERS on an even stream", headers(2, get())),
  PROTOCOL("5.1", "DATA on an even stream", data(2, "x")),
  PROTOCOL("5.1", "RST_STREAM on an even stream", rstStream(2)),
  PROTOCOL("5.1", "WINDOW_UPDATE on an even stream", windowUpdate(2, 1)),
  ignores("5.1", "PRIORITY on an even stream", priority(2)),
];

const OPENED: readonly H2Case[] = [
  answers("5.1", "open: PRIORITY", headers(1, post(), OPEN), priority(1), end(1)),
  answers("5.1", "open: WINDOW_UPDATE", headers(1, post(), OPEN), windowUpdate(1, 100), end(1)),
  answers("5.1", "open: trailers", headers(1, post(), OPEN), data(1, "x"), headers(1, TRAILERS)),
  answers("5.1", "open: trailers without DATA", headers(1, post(), OPEN), headers(1, TRAILERS)),
  ignores("5.1", "open: RST_STREAM", headers(1, post(), OPEN), rstStream(1)),
  PROTOCOL("5.1", "open: PUSH_PROMISE", headers(1, post(), OPEN), pushPromise(1, 2, get())),
  PROTOCOL("6.10", "open: CONTINUATION", headers(1, post(), OPEN), continuation(1, TRAILERS)),
  resets("PROTOCOL_ERROR")(
    "8.1",
    "open: trailers that do not end the stream",
    headers(1, post(), OPEN),
    data(1, "x"),
    headers(1, TRAILERS, OPEN),
  ),
  either(
    "8.1: malformed, and what comes behind trailers comes on a stream that is half-closed",
    streamError("PROTOCOL_ERROR"),
    streamError("STREAM_CLOSED"),
    connectionError("STREAM_CLOSED"),
  )(
    "8.1",
    "open: DATA behind trailers",
    headers(1, post(), OPEN),
    headers(1, TRAILERS, OPEN),
    end(1, "x"),
  ),
];

/** The response cannot end while the client gives no window, so the stream stays half-closed. */
function halfClosed(test: H2Case): H2Case {
  const settings = [[SETTING.initialWindowSize, 0]] as const;
  return { ...test, settings, steps: [headers(1, get()), { head: 1 }, ...test.steps] };
}

const HALF_CLOSED: readonly H2Case[] = [
  resets("STREAM_CLOSED")("5.1", "half-closed: DATA", data(1, "x")),
  resets("STREAM_CLOSED")("5.1", "half-closed: DATA without a byte that ends it again", end(1)),
  resets("STREAM_CLOSED")("5.1", "half-closed: HEADERS", headers(1, TRAILERS)),
  resets("STREAM_CLOSED")("5.1", "half-closed: HEADERS of another request", headers(1, get())),
  PROTOCOL("5.1", "half-closed: CONTINUATION", continuation(1, TRAILERS)),
  PROTOCOL("5.1", "half-closed: PUSH_PROMISE", pushPromise(1, 2, get())),
  ignores("5.1", "half-closed: PRIORITY", priority(1)),
  ignores("5.1", "half-closed: RST_STREAM", rstStream(1)),
  answers("5.1", "half-closed: WINDOW_UPDATE", windowUpdate(1, 1000)),
].map(halfClosed);

const GONE_BY = "5.1: a stream error by 6.1, or MAY be a connection error";
const STREAM_CLOSED = [streamError("STREAM_CLOSED"), connectionError("STREAM_CLOSED")] as const;
/** 5.1.1 has the same HEADERS as an identifier that is not new. */
const NOT_NEW = [...STREAM_CLOSED, connectionError("PROTOCOL_ERROR")] as const;

function ended(test: H2Case): H2Case {
  return { ...test, steps: [headers(1, get()), { over: 1 }, ...test.steps] };
}

const CLOSED_BY_END: readonly H2Case[] = [
  either(GONE_BY, ...STREAM_CLOSED)("5.1", "closed: DATA", data(1, "x")),
  either(GONE_BY, ...NOT_NEW)("5.1", "closed: HEADERS", headers(1, get())),
  either(GONE_BY, ...NOT_NEW)("5.1", "closed: trailers", headers(1, TRAILERS)),
  PROTOCOL("6.10", "closed: CONTINUATION", continuation(1, TRAILERS)),
  PROTOCOL("5.1", "closed: PUSH_PROMISE", pushPromise(1, 2, get())),
  ignores("5.1", "closed: PRIORITY", priority(1)),
  ignores("5.1", "closed: WINDOW_UPDATE, which may cross the end", windowUpdate(1, 1)),
  ignores("5.1", "closed: RST_STREAM, which may cross the end", rstStream(1)),
].map(ended);

function resetByClient(test: H2Case): H2Case {
  return { ...test, steps: [headers(1, post(), OPEN), rstStream(1), ...test.steps] };
}

const CLOSED_BY_CLIENT: readonly H2Case[] = [
  either(GONE_BY, ...STREAM_CLOSED)("5.1", "reset by the client: DATA", data(1, "x")),
  either(GONE_BY, ...NOT_NEW)("5.1", "reset by the client: HEADERS", headers(1, get())),
  PROTOCOL("6.10", "reset by the client: CONTINUATION", continuation(1, TRAILERS)),
  ignores("5.1", "reset by the client: PRIORITY", priority(1)),
  either(
    "5.1: MAY be an error; 5.4.2 forbids to answer RST_STREAM with another",
    IGNORED,
    ...STREAM_CLOSED,
  )(
    "5.4.2",
    "reset by the client: RST_STREAM again",
    rstStream(1),
  ),
].map(resetByClient);

/** What a client had sent before it heard of the server's reset is to be discarded. */
function resetByServer(test: H2Case): H2Case {
  return { ...test, steps: [headers(1, MALFORMED, OPEN), { over: 1 }, ...test.steps] };
}

const DISCARDS = either(
  "8.1.1: MAY be answered before",
  streamError("PROTOCOL_ERROR"),
  answered("400"),
);

const CLOSED_BY_SERVER: readonly H2Case[] = [
  DISCARDS("5.1", "reset by the server: DATA", data(1, "x"), end(1, "y")),
  DISCARDS("5.1", "reset by the server: trailers", headers(1, TRAILERS)),
  DISCARDS("5.1", "reset by the server: WINDOW_UPDATE", windowUpdate(1, 1)),
  DISCARDS(
    "5.1",
    "reset by the server: WINDOW_UPDATE beyond measure",
    windowUpdate(1, 2 ** 31 - 1),
  ),
  DISCARDS("5.1", "reset by the server: RST_STREAM", rstStream(1)),
  DISCARDS("5.1", "reset by the server: PRIORITY", priority(1)),
  DISCARDS("5.1", "reset by the server: a frame that nobody knows", frame(TYPE.unknown, 0, 1, "x")),
].map(resetByServer);

/** A field that a later block names by its place in the table. */
const REMEMBERED = literal("x-kept", "yes", "incremental");

const IN_STEP: readonly H2Case[] = [
  {
    ...answers(
      "4.3",
      "the table keeps in step with blocks of malformed requests",
      headers(1, bytes(MALFORMED, REMEMBERED)),
      { over: 1 },
      headers(3, bytes(get(), indexed(NEWEST))),
    ),
    allowed: [answered("200", 3)],
  },
  {
    ...answers(
      "4.3",
      "the table keeps in step with trailers of a stream that the server has reset",
      headers(1, MALFORMED, OPEN),
      { over: 1 },
      headers(1, REMEMBERED),
      headers(3, bytes(get(), indexed(NEWEST))),
    ),
    allowed: [answered("200", 3)],
  },
  {
    ...answers(
      "4.3",
      "the table keeps in step with a stream that the client resets at once",
      bytes(headers(1, bytes(post(), REMEMBERED), OPEN), rstStream(1)),
      headers(3, bytes(get(), indexed(NEWEST))),
    ),
    allowed: [answered("200", 3)],
  },
];

const IDENTIFIERS: readonly H2Case[] = [
  PROTOCOL("5.1.1", "HEADERS on stream 0", headers(0, get())),
  PROTOCOL(
    "5.1.1",
    "HEADERS on a stream lower than the last",
    headers(5, get()),
    headers(3, get()),
  ),
  either(
    "5.1.1 closes what was passed over; 5.1 leaves open what that costs",
    streamError("STREAM_CLOSED"),
    connectionError("STREAM_CLOSED"),
    connectionError("PROTOCOL_ERROR"),
  )(
    "5.1.1",
    "DATA on a stream that was passed over",
    headers(5, get()),
    { over: 5 },
    data(1, "x"),
  ),
  either(
    "5.1.1: closed, so it MAY cross or MAY be an error",
    IGNORED,
    connectionError("STREAM_CLOSED"),
    connectionError("PROTOCOL_ERROR"),
  )(
    "5.1.1",
    "RST_STREAM on a stream that was passed over",
    headers(5, get()),
    { over: 5 },
    rstStream(1),
  ),
  ignores(
    "5.1.1",
    "PRIORITY on a stream that was passed over",
    headers(5, get()),
    { over: 5 },
    priority(1),
  ),
  {
    ...answers("5.1.1", "streams with gaps", headers(7, get()), headers(101, get())),
    allowed: [answered("200", 101)],
  },
  {
    ...answers(
      "5.1.1",
      "PRIORITY opens nothing: a lower stream is still new",
      priority(9),
      headers(7, get()),
    ),
    allowed: [answered("200", 7)],
  },
];

const INTERLEAVED: readonly (readonly [string, Uint8Array])[] = [
  ["DATA of its stream", data(1, "x")],
  ["DATA of another stream", data(3, "x")],
  ["HEADERS of its stream", headers(1, get())],
  ["HEADERS of another stream", headers(3, get())],
  ["PRIORITY", priority(1)],
  ["RST_STREAM", rstStream(1)],
  ["SETTINGS", frame(TYPE.settings, 0, 0)],
  ["an acknowledgement", frame(TYPE.settings, FLAG.ack, 0)],
  ["PUSH_PROMISE", pushPromise(1, 2, get())],
  ["PING", frame(TYPE.ping, 0, 0, "12345678")],
  ["GOAWAY", frame(TYPE.goaway, 0, 0, "12345678")],
  ["WINDOW_UPDATE of the connection", windowUpdate(0, 1)],
  ["WINDOW_UPDATE of its stream", windowUpdate(1, 1)],
  ["CONTINUATION of another stream", continuation(3, "")],
  ["CONTINUATION of the connection", continuation(0, "")],
  ["a frame that nobody knows", frame(TYPE.unknown, 0, 0)],
  ["a frame that nobody knows, of its stream", frame(TYPE.unknown, 0, 1)],
];

const BLOCKS: readonly H2Case[] = INTERLEAVED.flatMap(([what, between]) => [
  PROTOCOL(
    "6.2",
    `within a block: ${what}`,
    headers(1, get(), FLAG.endStream),
    between,
    continuation(1, ""),
  ),
  PROTOCOL(
    "6.10",
    `within a block, behind CONTINUATION: ${what}`,
    headers(1, request(), FLAG.endStream),
    continuation(1, "", 0),
    between,
    continuation(1, ""),
  ),
]);

export const STATES: readonly H2Case[] = [
  ...IDLE,
  ...SERVERS,
  ...OPENED,
  ...HALF_CLOSED,
  ...CLOSED_BY_END,
  ...CLOSED_BY_CLIENT,
  ...CLOSED_BY_SERVER,
  ...IN_STEP,
  ...IDENTIFIERS,
  ...BLOCKS,
];
