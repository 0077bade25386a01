// Floods that a server must end, each by what a client repeats. Where there is a name for it, the advisory stands beside.
import {
  bytes,
  continuation,
  data,
  FLAG,
  frame,
  headers,
  OPEN,
  ping,
  priority,
  rstStream,
  SETTING,
  settings,
  TYPE,
  windowUpdate,
} from "../../../support/h2/frames.ts";
import { get, literal, post } from "../../../support/h2/block.ts";
import { many, nth } from "../../../support/h2/flood.ts";
import type { Flood } from "../../../support/h2/abuse.ts";

const PER_ROUND = 100;

/** One more stream each time, on which the server has something to do and something to give up. */
function wasted(waste: (stream: number) => Uint8Array): (round: number) => Uint8Array {
  return (round) =>
    many(PER_ROUND, round * PER_ROUND, (number) => {
      const stream = nth(number);
      return bytes(
        headers(stream, post("/hold/wasted", ["content-length", "1"]), OPEN),
        waste(stream),
      );
    });
}

function repeated(what: Uint8Array): (round: number) => Uint8Array {
  const all = many(PER_ROUND, 0, () => what);
  return () => all;
}

const NOTHING = new Uint8Array();
const UPLOAD = headers(1, post("/hold/upload"), OPEN);

/** Streams that cost a request each and the client nothing. CVE-2023-44487, and CVE-2025-8671 from the second on. */
export const RESETS: readonly Flood[] = [
  ["reset by the client", NOTHING, wasted((stream) => rstStream(stream))],
  ["reset for a WINDOW_UPDATE of 0", NOTHING, wasted((stream) => windowUpdate(stream, 0))],
  ["reset for a window too large", NOTHING, wasted((stream) => windowUpdate(stream, 2 ** 31 - 1))],
  ["reset for a PRIORITY of no size", NOTHING, wasted((stream) => frame(TYPE.priority, 0, stream))],
  ["reset for more DATA than was said", NOTHING, wasted((stream) => data(stream, "xx"))],
  [
    "reset for DATA behind the end",
    NOTHING,
    wasted((stream) => bytes(data(stream, "x", FLAG.endStream), data(stream, "x"))),
  ],
  ["reset for malformed trailers", NOTHING, wasted((stream) => headers(stream, literal("X", "y")))],
  [
    "reset for trailers without an end",
    NOTHING,
    wasted((stream) => headers(stream, literal("x", "y"), OPEN)),
  ],
  [
    "malformed from the start",
    NOTHING,
    (round) =>
      many(PER_ROUND, round * PER_ROUND, (number) => headers(nth(number), get("/", ["X", "y"]))),
  ],
  [
    "of an empty head",
    NOTHING,
    (round) => many(PER_ROUND, round * PER_ROUND, (number) => headers(nth(number), "")),
  ],
];

const MANY_SETTINGS = settings(
  ...Array.from({ length: 2000 }, (_, i) => [SETTING.initialWindowSize, i] as const),
);

/** Frames that say nothing, each answered or looked at. */
export const EMPTY: readonly Flood[] = [
  ["SETTINGS", NOTHING, repeated(settings([SETTING.maxFrameSize, 16_384]))],
  ["SETTINGS without a value", NOTHING, repeated(settings())],
  ["SETTINGS of two thousand values", NOTHING, () => MANY_SETTINGS],
  ["PING", NOTHING, repeated(ping())],
  ["answers to PING", NOTHING, repeated(ping("12345678", FLAG.ack))],
  ["PRIORITY", NOTHING, repeated(priority(1, 3))],
  [
    "PRIORITY of ever other streams",
    NOTHING,
    (round) => many(PER_ROUND, round * PER_ROUND, (number) => priority(nth(number), 1)),
  ],
  ["DATA without a byte", UPLOAD, repeated(data(1, ""))],
  ["WINDOW_UPDATE of 1 for the connection", NOTHING, repeated(windowUpdate(0, 1))],
  ["WINDOW_UPDATE of 1 for a stream", UPLOAD, repeated(windowUpdate(1, 1))],
  ["frames that nobody knows", NOTHING, repeated(frame(TYPE.unknown, 0, 0))],
  ["RST_STREAM of a stream that is gone", bytes(UPLOAD, rstStream(1)), repeated(rstStream(1))],
];

/** A block that does not end. CVE-2024-27316. */
export const BLOCKS: readonly Flood[] = [
  ["CONTINUATION without a byte", headers(1, get(), 0), repeated(continuation(1, "", 0))],
  ["CONTINUATION of one byte", headers(1, get(), 0), repeated(continuation(1, "\x82", 0))],
  [
    "CONTINUATION of fields",
    headers(1, get(), 0),
    repeated(continuation(1, literal("x", "y".repeat(1000)), 0)),
  ],
  [
    "CONTINUATION of one endless field",
    headers(1, bytes(get(), "\x00\x01x\x7f\xff\xff\xff\x07"), 0),
    repeated(continuation(1, "y".repeat(16_000), 0)),
  ],
];
