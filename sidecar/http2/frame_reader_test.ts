import { assertEquals, assertThrows } from "@std/assert";
import { latin1 } from "../lib/bytes.ts";
import { FLAG, FRAME } from "./frame.ts";
import { FrameReader, type FrameSink, PREFACE } from "./frame_reader.ts";
import { ConnectionError, reasonName, StreamError } from "./reason.ts";
import {
  data,
  frame,
  goaway,
  joined,
  reset,
  settings,
  SETTINGS_ACK,
  uint32s,
  windowUpdate,
} from "./test_peer.ts";

const PRIORITY_FIELDS = new Uint8Array([0, 0, 0, 3, 16]);

/** Notes what it is told. */
class Notes implements FrameSink {
  readonly lines: string[] = [];

  onData(id: number, bytes: Uint8Array, start: number, end: number, flow: number, isEnd: boolean) {
    this.lines.push(`DATA ${id} ${latin1(bytes, start, end)} ${flow} ${isEnd}`);
  }
  onHead(id: number, bytes: Uint8Array, start: number, end: number, isEnd: boolean) {
    this.lines.push(`HEAD ${id} ${latin1(bytes, start, end)} ${isEnd}`);
  }
  onReset(id: number, reason: number) {
    this.lines.push(`RESET ${id} ${reason}`);
  }
  onSettings(_bytes: Uint8Array, start: number, end: number) {
    this.lines.push(`SETTINGS ${end - start}`);
  }
  onSettingsAck() {
    this.lines.push("SETTINGS ack");
  }
  onPing(bytes: Uint8Array, start: number, isAck: boolean) {
    this.lines.push(`PING ${latin1(bytes, start, start + 8)} ${isAck}`);
  }
  onGoaway(last: number, reason: number) {
    this.lines.push(`GOAWAY ${last} ${reason}`);
  }
  onWindowUpdate(id: number, increment: number) {
    this.lines.push(`WINDOW ${id} ${increment}`);
  }
  onIgnored() {
    this.lines.push("ignored");
  }
}

function open(maxBlockBytes = 100_000) {
  const notes = new Notes();
  const reader = new FrameReader(notes, true, maxBlockBytes);
  const hello = joined(PREFACE, settings());
  reader.read(hello, 0, hello.length);
  notes.lines.length = 0;
  return { notes, reader };
}

function read(bytes: Uint8Array, maxBlockBytes?: number): string[] {
  const { notes, reader } = open(maxBlockBytes);
  reader.read(bytes, 0, bytes.length);
  return notes.lines;
}

const ALL = joined(
  data(1, "abc"),
  frame(FRAME.DATA, FLAG.PADDED | FLAG.END_STREAM, 1, "\x02abc\0\0"),
  frame(FRAME.HEADERS, FLAG.END_HEADERS | FLAG.END_STREAM, 3, "block"),
  frame(FRAME.HEADERS, FLAG.END_HEADERS | FLAG.PADDED | FLAG.PRIORITY, 5, "\x01\0\0\0\x03xB\0"),
  frame(FRAME.HEADERS, 0, 7, "one"),
  frame(FRAME.CONTINUATION, 0, 7, " two"),
  frame(FRAME.CONTINUATION, FLAG.END_HEADERS, 7, " three"),
  frame(FRAME.PRIORITY, 0, 9, PRIORITY_FIELDS),
  reset(1, 8),
  settings([4, 1]),
  SETTINGS_ACK,
  frame(FRAME.PING, 0, 0, "12345678"),
  frame(FRAME.PING, FLAG.ACK, 0, "12345678"),
  goaway(2 ** 31 - 1, 11),
  windowUpdate(0, 1),
  windowUpdate(1, 2 ** 31 - 1),
  frame(0x42, 0xff, 5, "anything"),
);

const LINES = [
  "DATA 1 abc 3 false",
  "DATA 1 abc 6 true",
  "HEAD 3 block true",
  "HEAD 5 B false",
  "HEAD 7 one two three false",
  "ignored",
  "RESET 1 8",
  "SETTINGS 6",
  "SETTINGS ack",
  "PING 12345678 false",
  "PING 12345678 true",
  "GOAWAY 2147483647 11",
  "WINDOW 0 1",
  "WINDOW 1 2147483647",
  "ignored",
];

Deno.test("FrameReader reads every type of frame", () => {
  assertEquals(read(ALL), LINES);
});

Deno.test("FrameReader reads the same however the bytes are cut", () => {
  const bytes = joined(PREFACE, settings(), ALL);
  for (let size = 1; size <= bytes.length; size++) {
    const notes = new Notes();
    const reader = new FrameReader(notes, true, 100_000);
    let start = 0;
    for (let end = size; start < bytes.length; end = Math.min(end + size, bytes.length)) {
      reader.read(bytes, start, end);
      start = reader.position;
      assertEquals(start === end || start + reader.needed > end, true);
    }
    assertEquals(notes.lines.slice(1), LINES, `cut at every ${size} bytes`);
  }
});

Deno.test("FrameReader wants the preface of a client, and SETTINGS first of both", () => {
  for (const isServer of [true, false]) {
    const hello = isServer ? PREFACE : new Uint8Array();
    for (const first of [SETTINGS_ACK, data(1, "x"), frame(0x42, 0, 0)]) {
      const reader = new FrameReader(new Notes(), isServer, 1000);
      const bytes = joined(hello, first);
      assertThrows(() => reader.read(bytes, 0, bytes.length), ConnectionError, "not SETTINGS");
    }
  }
  for (const text of ["GET / HTTP/1.1\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\rX"]) {
    const reader = new FrameReader(new Notes(), true, 1000);
    const bytes = new TextEncoder().encode(text);
    assertThrows(() => reader.read(bytes, 0, bytes.length), ConnectionError, "preface");
  }
});

Deno.test("FrameReader says when the peer owes it the rest", () => {
  const reader = new FrameReader(new Notes(), false, 1000);
  assertEquals(reader.isMidway, true);
  const steps = [
    [settings(), false],
    [frame(FRAME.HEADERS, 0, 1), true],
    [frame(FRAME.CONTINUATION, FLAG.END_HEADERS, 1), false],
  ] as const;
  for (const [bytes, isMidway] of steps) {
    reader.read(bytes, 0, bytes.length);
    assertEquals(reader.isMidway, isMidway);
  }
});

/** What each frame is refused with; a number stands for the stream that it ends. */
const REFUSED:
  readonly (readonly [name: string, bytes: Uint8Array, reason: string, on?: number])[] = [
    ["a frame above 16384 bytes", frame(0x42, 0, 0, "x".repeat(16385)), "FRAME_SIZE_ERROR"],
    ["DATA without a stream", data(0, "x"), "PROTOCOL_ERROR"],
    ["padded DATA of nothing", frame(FRAME.DATA, FLAG.PADDED, 1), "FRAME_SIZE_ERROR"],
    ["DATA, padding its size", frame(FRAME.DATA, FLAG.PADDED, 1, "\x02x"), "PROTOCOL_ERROR"],
    ["HEADERS without a stream", frame(FRAME.HEADERS, 4, 0), "PROTOCOL_ERROR"],
    ["padded HEADERS of nothing", frame(FRAME.HEADERS, 12, 1), "FRAME_SIZE_ERROR"],
    ["HEADERS, padding its size", frame(FRAME.HEADERS, 12, 1, "\x02x"), "PROTOCOL_ERROR"],
    ["HEADERS, short of a priority", frame(FRAME.HEADERS, 0x24, 1, "xxxx"), "FRAME_SIZE_ERROR"],
    ["HEADERS, padded over it", frame(FRAME.HEADERS, 0x2c, 1, "\x02xxxxxx"), "PROTOCOL_ERROR"],
    ["HEADERS on itself", frame(FRAME.HEADERS, 0x24, 3, PRIORITY_FIELDS), "PROTOCOL_ERROR", 3],
    ["PRIORITY without a stream", frame(FRAME.PRIORITY, 0, 0, PRIORITY_FIELDS), "PROTOCOL_ERROR"],
    ["PRIORITY of four bytes", frame(FRAME.PRIORITY, 0, 1, "xxxx"), "FRAME_SIZE_ERROR", 1],
    ["PRIORITY on itself", frame(FRAME.PRIORITY, 0, 3, PRIORITY_FIELDS), "PROTOCOL_ERROR", 3],
    ["RST_STREAM without a stream", reset(0, 8), "PROTOCOL_ERROR"],
    ["RST_STREAM of five bytes", frame(FRAME.RST_STREAM, 0, 1, "xxxxx"), "FRAME_SIZE_ERROR"],
    ["SETTINGS on a stream", frame(FRAME.SETTINGS, 0, 1), "PROTOCOL_ERROR"],
    ["SETTINGS of five bytes", frame(FRAME.SETTINGS, 0, 0, "xxxxx"), "FRAME_SIZE_ERROR"],
    ["SETTINGS ack with more", frame(FRAME.SETTINGS, 1, 0, "xxxxxx"), "FRAME_SIZE_ERROR"],
    ["PUSH_PROMISE", frame(FRAME.PUSH_PROMISE, 4, 1, "\0\0\0\x02"), "PROTOCOL_ERROR"],
    ["PING on a stream", frame(FRAME.PING, 0, 1, "12345678"), "PROTOCOL_ERROR"],
    ["PING of seven bytes", frame(FRAME.PING, 0, 0, "1234567"), "FRAME_SIZE_ERROR"],
    ["GOAWAY on a stream", frame(FRAME.GOAWAY, 0, 1, "12345678"), "PROTOCOL_ERROR"],
    ["GOAWAY of seven bytes", frame(FRAME.GOAWAY, 0, 0, "1234567"), "FRAME_SIZE_ERROR"],
    ["WINDOW_UPDATE of five", frame(FRAME.WINDOW_UPDATE, 0, 1, "12345"), "FRAME_SIZE_ERROR"],
    ["WINDOW_UPDATE by 0", windowUpdate(0, 0), "PROTOCOL_ERROR"],
    ["WINDOW_UPDATE of a stream by 0", windowUpdate(5, 0), "PROTOCOL_ERROR", 5],
    ["CONTINUATION alone", frame(FRAME.CONTINUATION, 4, 1), "PROTOCOL_ERROR"],
    [
      "CONTINUATION of another stream",
      joined(frame(FRAME.HEADERS, 0, 1), frame(FRAME.CONTINUATION, 4, 3)),
      "PROTOCOL_ERROR",
    ],
    ["a frame in between", joined(frame(FRAME.HEADERS, 0, 1), data(1, "")), "PROTOCOL_ERROR"],
    [
      "CONTINUATION behind the end",
      joined(frame(FRAME.HEADERS, 4, 1), frame(FRAME.CONTINUATION, 4, 1)),
      "PROTOCOL_ERROR",
    ],
    [
      "a block without end",
      joined(
        frame(FRAME.HEADERS, 0, 1),
        ...Array(65).fill(frame(FRAME.CONTINUATION, 0, 1, "x")),
      ),
      "ENHANCE_YOUR_CALM",
    ],
  ];

Deno.test("FrameReader refuses what is no frame, and says whether that ends the stream or the connection", () => {
  for (const [name, bytes, reason, stream] of REFUSED) {
    const { reader } = open();
    const error: unknown = assertThrows(() => reader.read(bytes, 0, bytes.length));
    if (error instanceof StreamError) {
      assertEquals([reasonName(error.reason), error.stream], [reason, stream], name);
    } else if (error instanceof ConnectionError) {
      assertEquals([reasonName(error.reason), undefined], [reason, stream], name);
    } else throw error;
  }
});

Deno.test("FrameReader goes on behind a stream error", () => {
  const { notes, reader } = open();
  const bytes = joined(windowUpdate(1, 0), data(3, "x"));
  assertThrows(() => reader.read(bytes, 0, bytes.length), StreamError);
  reader.read(bytes, reader.position, bytes.length);
  assertEquals(notes.lines, ["DATA 3 x 1 false"]);
});

Deno.test("FrameReader bounds a block by its bytes", () => {
  const large = frame(FRAME.CONTINUATION, 0, 1, "x".repeat(600));
  const block = joined(frame(FRAME.HEADERS, 0, 1), large, large);
  assertThrows(() => read(block, 1000), ConnectionError, "without end");
  assertEquals(read(block, 1200), []);
});

Deno.test("FrameReader takes 31 bits of a stream id, whatever the first one says", () => {
  const bytes = data(1, "x");
  bytes[5]! |= 0x80;
  assertEquals(read(joined(bytes, frame(FRAME.GOAWAY, 0, 0, uint32s(0xffffffff, 0)))), [
    "DATA 1 x 1 false",
    "GOAWAY 2147483647 0",
  ]);
});
