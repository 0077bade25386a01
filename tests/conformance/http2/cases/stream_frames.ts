// RFC 9113 6.1 to 6.4 and 6.10: what the frames of a stream must be by themselves.
import { get, post } from "../../../support/h2/block.ts";
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
  FLAG,
  frame,
  headers,
  OPEN,
  padded,
  priority,
  priorityFields,
  rstStream,
  TYPE,
  u32,
  WHOLE,
} from "../../../support/h2/frames.ts";

const PROTOCOL = breaks("PROTOCOL_ERROR");
const SIZE = breaks("FRAME_SIZE_ERROR");
const ENDS_PADDED = FLAG.endStream | FLAG.padded;
const WHOLE_PADDED = WHOLE | FLAG.padded;

/** A POST whose body is to come, and then this. */
function posting(make: (section: string, name: string, ...steps: Uint8Array[]) => H2Case) {
  return (section: string, name: string, ...frames: Uint8Array[]) =>
    make(section, name, headers(1, post(), OPEN), ...frames);
}

const NO_PAD_LENGTH = either(
  "4.2 has it too short, 6.1 has its padding too long",
  connectionError("FRAME_SIZE_ERROR"),
  connectionError("PROTOCOL_ERROR"),
);

const DATA: readonly H2Case[] = [
  PROTOCOL("6.1", "DATA on stream 0", data(0, "x")),
  posting(answers)(
    "6.1",
    "DATA that is padded",
    frame(TYPE.data, ENDS_PADDED, 1, padded(3, "x", "\0\0\0")),
  ),
  posting(answers)(
    "6.1",
    "DATA that is nothing but padding",
    frame(TYPE.data, ENDS_PADDED, 1, padded(255, "", "\0".repeat(255))),
  ),
  posting(answers)(
    "6.1",
    "DATA with padding of no length",
    frame(TYPE.data, ENDS_PADDED, 1, padded(0, "x")),
  ),
  posting(PROTOCOL)(
    "6.1",
    "DATA whose padding is as long as its payload",
    frame(TYPE.data, ENDS_PADDED, 1, padded(4, "xxx")),
  ),
  posting(PROTOCOL)(
    "6.1",
    "DATA whose padding is longer than its payload",
    frame(TYPE.data, ENDS_PADDED, 1, padded(255, "xxx")),
  ),
  posting(PROTOCOL)(
    "6.1",
    "DATA whose padding leaves no room for its length",
    frame(TYPE.data, ENDS_PADDED, 1, padded(1, "")),
  ),
  posting(
    either(
      "4.2: a frame too short; 6.1: its padding is too long; DATA may cost its stream alone",
      connectionError("FRAME_SIZE_ERROR"),
      connectionError("PROTOCOL_ERROR"),
      streamError("FRAME_SIZE_ERROR"),
    ),
  )(
    "6.1",
    "DATA that is padded and has no byte",
    frame(TYPE.data, ENDS_PADDED, 1),
  ),
  posting(
    either(
      "6.1: padding that is not zero MAY be an error",
      answered("200"),
      connectionError("PROTOCOL_ERROR"),
    ),
  )(
    "6.1",
    "DATA whose padding is not zero",
    frame(TYPE.data, ENDS_PADDED, 1, padded(2, "x", "ab")),
  ),
];

const SELF = either(
  "6.3: priority is of the past; RFC 7540 had it as an error",
  IGNORED,
  streamError("PROTOCOL_ERROR"),
);

const HEADERS: readonly H2Case[] = [
  answers(
    "6.2",
    "HEADERS that are padded",
    frame(TYPE.headers, WHOLE_PADDED, 1, padded(4, get(), "\0\0\0\0")),
  ),
  answers(
    "6.2",
    "HEADERS with a priority",
    frame(TYPE.headers, WHOLE | FLAG.priority, 1, bytes(priorityFields(0), get())),
  ),
  answers(
    "6.2",
    "HEADERS with a priority and padding",
    frame(
      TYPE.headers,
      WHOLE_PADDED | FLAG.priority,
      1,
      padded(2, bytes(priorityFields(3), get()), "\0\0"),
    ),
  ),
  PROTOCOL(
    "6.2",
    "HEADERS whose padding is longer than their payload",
    frame(TYPE.headers, WHOLE_PADDED, 1, padded(255, get())),
  ),
  PROTOCOL(
    "6.2",
    "HEADERS whose padding reaches into their priority",
    frame(TYPE.headers, WHOLE_PADDED | FLAG.priority, 1, padded(3, priorityFields(3))),
  ),
  NO_PAD_LENGTH(
    "6.2",
    "HEADERS that are padded and have no byte",
    frame(TYPE.headers, WHOLE_PADDED, 1),
  ),
  either(
    "4.2: too short; or what is cut off reads as a broken block",
    connectionError("FRAME_SIZE_ERROR"),
    connectionError("PROTOCOL_ERROR"),
  )(
    "6.2",
    "HEADERS too short for their priority",
    frame(TYPE.headers, WHOLE | FLAG.priority, 1, "1234"),
  ),
  SELF(
    "6.2",
    "HEADERS that depend on themselves",
    frame(TYPE.headers, WHOLE | FLAG.priority, 1, bytes(priorityFields(1), get())),
  ),
];

const PRIORITY: readonly H2Case[] = [
  PROTOCOL("6.3", "PRIORITY on stream 0", priority(0, 1)),
  ...[0, 4, 6].map((length) =>
    posting(resets("FRAME_SIZE_ERROR"))(
      "6.3",
      `PRIORITY of ${length} bytes`,
      frame(TYPE.priority, 0, 1, "\0".repeat(length)),
    )
  ),
  either(
    "6.3: a stream error, where 5.1 has no stream yet",
    streamError("FRAME_SIZE_ERROR"),
    connectionError("FRAME_SIZE_ERROR"),
    IGNORED,
  )(
    "6.3",
    "PRIORITY of 4 bytes on an idle stream",
    frame(TYPE.priority, 0, 1, "1234"),
  ),
  SELF("6.3", "PRIORITY of a stream on itself", priority(1, 1)),
];

const RST_STREAM: readonly H2Case[] = [
  PROTOCOL("6.4", "RST_STREAM on stream 0", rstStream(0)),
  ...[0, 3, 5, 8].map((length) =>
    posting(SIZE)(
      "6.4",
      `RST_STREAM of ${length} bytes`,
      frame(TYPE.rstStream, 0, 1, "\0".repeat(length)),
    )
  ),
  posting(ignores)(
    "7",
    "RST_STREAM with a reason that nobody knows",
    frame(TYPE.rstStream, 0, 1, u32(0xfffffff0)),
  ),
];

const CONTINUATION: readonly H2Case[] = [
  PROTOCOL("6.10", "CONTINUATION on stream 0", continuation(0, get())),
  PROTOCOL("6.10", "CONTINUATION first of all", continuation(1, get())),
  PROTOCOL(
    "6.10",
    "CONTINUATION behind a block that is whole",
    headers(1, get()),
    continuation(1, ""),
  ),
  PROTOCOL(
    "6.10",
    "CONTINUATION behind a block that a CONTINUATION ended",
    headers(1, get(), FLAG.endStream),
    continuation(1, ""),
    continuation(1, ""),
  ),
  PROTOCOL(
    "6.10",
    "CONTINUATION behind DATA",
    headers(1, post(), OPEN),
    data(1, "x"),
    continuation(1, ""),
  ),
];

export const STREAM_FRAMES: readonly H2Case[] = [
  ...DATA,
  ...HEADERS,
  ...PRIORITY,
  ...RST_STREAM,
  ...CONTINUATION,
];
