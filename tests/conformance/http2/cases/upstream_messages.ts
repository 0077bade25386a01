// RFC 9113 8 as a client must hold to it: responses that are none, and how often what failed may be tried again.
import { block, literal, type Pair, response } from "../../../support/h2/block.ts";
import {
  bytes,
  data,
  end,
  goaway,
  headers,
  MAX_WINDOW,
  OPEN,
  REASONS,
  rstStream,
} from "../../../support/h2/frames.ts";
import {
  failed,
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

const MALFORMED = allowing(upstreamStreamError("PROTOCOL_ERROR"));
const PASSED = allowing(passed(200));
const OK = response("200");
const NOTHING = new Uint8Array();

function malformed(name: string, section: string, ...pairs: readonly Pair[]): UpstreamCase {
  return MALFORMED(section, name, (stream) => headers(stream, block(...pairs)));
}

const OF_200: Pair = [":status", "200"];

const HEADS: readonly UpstreamCase[] = [
  malformed("no :status", "8.3.2", ["x", "y"]),
  malformed("nothing at all", "8.3.2"),
  malformed(":status twice", "8.3", OF_200, OF_200),
  malformed(":status behind a field", "8.3", ["x", "y"], OF_200),
  malformed("a pseudo-field of requests", "8.3", OF_200, [":path", "/"]),
  malformed("a pseudo-field that nobody knows", "8.3", OF_200, [":unknown", "x"]),
  ...[
    "",
    "2",
    "20",
    "2000",
    "020",
    "099",
    "000",
    "abc",
    "2x0",
    "-20",
    "+20",
    " 200",
    "200 ",
    "200 OK",
    "200\r\nx: y",
    "1e2",
    "101",
  ].map((status) => malformed(`:status ${JSON.stringify(status)}`, "8.3.2", [":status", status])),
  ...(["X", "x\ny", "x\r\ny", "x y", "x:", "x\0", "", "x: y\r\nset-cookie"] as const).map((name) =>
    malformed(`the name ${JSON.stringify(name)}`, "8.2.1", OF_200, [name, "y"])
  ),
  ...["a\r\nset-cookie: x", "a\nb", "a\rb", "a\0b", "\n", " a", "a ", "a\t"].map((value) =>
    malformed(`the value ${JSON.stringify(value)}`, "8.2.1", OF_200, ["x", value])
  ),
  ...([["connection", "close"], ["transfer-encoding", "chunked"], ["keep-alive", "x"], [
    "proxy-connection",
    "x",
  ], ["upgrade", "h2c"]] as const)
    .map((pair) => malformed(`${pair[0]}`, "8.2.2", OF_200, pair)),
  ...["-1", "+5", "5x", "", "5,6", "99999999999999999999"].map((length) =>
    malformed(`content-length ${JSON.stringify(length)}`, "8.1.1", OF_200, [
      "content-length",
      length,
    ])
  ),
  malformed("two lengths that differ", "8.1.1", OF_200, ["content-length", "0"], [
    "content-length",
    "1",
  ]),
  malformed("content-length of 5 and no body", "8.1.1", OF_200, ["content-length", "5"]),
];

/** Where no content may follow, the head is whole to whoever has it already. */
function unwanted(status: number, name: string, respond: Respond): UpstreamCase {
  const allowed = [upstreamStreamError("PROTOCOL_ERROR"), passed(status)];
  return { section: "8.1.1", name, respond, allowed, why: "the head may have gone on before" };
}

const BODIES: readonly UpstreamCase[] = [
  MALFORMED("8.1", "DATA without HEADERS", (stream) => end(stream, "x")),
  MALFORMED("8.1", "an end without HEADERS", (stream) => end(stream)),
  MALFORMED(
    "8.1.1",
    "4 bytes of 5",
    (stream) =>
      bytes(headers(stream, response("200", ["content-length", "5"]), OPEN), end(stream, "1234")),
  ),
  MALFORMED(
    "8.1.1",
    "6 bytes of 5",
    (stream) =>
      bytes(headers(stream, response("200", ["content-length", "5"]), OPEN), end(stream, "123456")),
  ),
  unwanted(
    204,
    "DATA with 204",
    (stream) => bytes(headers(stream, response("204"), OPEN), end(stream, "x")),
  ),
  unwanted(
    304,
    "DATA with 304",
    (stream) => bytes(headers(stream, response("304"), OPEN), end(stream, "x")),
  ),
  {
    ...unwanted(
      200,
      "DATA in answer to HEAD",
      (stream) => bytes(headers(stream, OK, OPEN), end(stream, "x")),
    ),
    method: "HEAD",
  },
  {
    ...PASSED(
      "8.1.1",
      "a length in answer to HEAD",
      (stream) => headers(stream, response("200", ["content-length", "5"])),
    ),
    method: "HEAD",
  },
  {
    ...PASSED(
      "8.1",
      "an empty end in answer to HEAD",
      (stream) => bytes(headers(stream, OK, OPEN), end(stream)),
    ),
    method: "HEAD",
  },
  MALFORMED(
    "8.1",
    "trailers without an end",
    (stream) =>
      bytes(headers(stream, OK, OPEN), data(stream, "x"), headers(stream, literal("x", "y"), OPEN)),
  ),
  MALFORMED(
    "8.1",
    "trailers with :status",
    (stream) => bytes(headers(stream, OK, OPEN), data(stream, "x"), headers(stream, OK)),
  ),
  MALFORMED(
    "8.1",
    "trailers with CR LF",
    (stream) => bytes(headers(stream, OK, OPEN), headers(stream, literal("x", "y\r\nz: 1"))),
  ),
  MALFORMED(
    "8.1",
    "trailers that are not lower case",
    (stream) => bytes(headers(stream, OK, OPEN), headers(stream, literal("X", "y"))),
  ),
  MALFORMED("8.1", "100 that ends the stream", (stream) => headers(stream, response("100"))),
  MALFORMED(
    "8.1",
    "103 and then DATA",
    (stream) => bytes(headers(stream, response("103"), OPEN), end(stream, "x")),
  ),
  PASSED(
    "8.1",
    "100, 103 and then 200",
    (stream) =>
      bytes(
        headers(stream, response("100"), OPEN),
        headers(stream, response("103", ["link", "</a>"]), OPEN),
        headers(stream, OK),
      ),
  ),
  PASSED(
    "8.1",
    "trailers",
    (stream) =>
      bytes(
        headers(stream, OK, OPEN),
        end(stream).subarray(0, 0),
        headers(stream, literal("x", "y")),
      ),
  ),
  PASSED(
    "8.1",
    "a response, and RST_STREAM(NO_ERROR) behind it",
    (stream) => bytes(headers(stream, OK), rstStream(stream, "NO_ERROR")),
  ),
  {
    ...allowing(
      upstreamStreamError("STREAM_CLOSED"),
      passed(200),
      upstreamConnectionError("STREAM_CLOSED"),
    )(
      "5.1",
      "DATA behind the end",
      (stream) => bytes(headers(stream, OK), data(stream, "x")),
    ),
    why: "the response is whole when the DATA comes",
  },
];

const RESET = failed("upstream-reset", "no");
/** Nothing was done with it (8.7). */
const UNPROCESSED = failed("upstream-reset", "yes");

const ENDINGS: readonly UpstreamCase[] = [
  ...REASONS.filter((reason) => reason !== "REFUSED_STREAM" && reason !== "NO_ERROR").map((
    reason,
  ) =>
    allowing(RESET, failed("upstream-protocol", "no"))(
      "7",
      `RST_STREAM(${reason}) before a response`,
      (stream) => rstStream(stream, reason),
    )
  ),
  allowing(UNPROCESSED)(
    "8.7",
    "RST_STREAM(REFUSED_STREAM)",
    (stream) => rstStream(stream, "REFUSED_STREAM"),
  ),
  allowing(RESET, failed("upstream-protocol", "no"))(
    "8.1",
    "RST_STREAM(NO_ERROR) before a response",
    (stream) => rstStream(stream, "NO_ERROR"),
  ),
  allowing(RESET)(
    "5.4.2",
    "RST_STREAM behind the head",
    (stream) => bytes(headers(stream, OK, OPEN), rstStream(stream, "INTERNAL_ERROR")),
  ),
  allowing(RESET)(
    "8.1",
    "RST_STREAM(NO_ERROR) within the body",
    (stream) => bytes(headers(stream, OK, OPEN), data(stream, "x"), rstStream(stream, "NO_ERROR")),
  ),
  {
    ...allowing(UNPROCESSED)("6.8", "GOAWAY that leaves the stream out", () => goaway(0)),
    closes: true,
  },
  {
    ...allowing(UNPROCESSED)(
      "6.8",
      "GOAWAY that leaves the stream out, and an open connection",
      () => goaway(0),
    ),
  },
  {
    ...PASSED(
      "6.8",
      "GOAWAY that takes the stream in, and its response",
      (stream) => bytes(goaway(stream), headers(stream, OK)),
    ),
  },
  {
    ...PASSED(
      "6.8",
      "GOAWAY for what comes after, and its response",
      (stream) => bytes(goaway(MAX_WINDOW), headers(stream, OK)),
    ),
  },
  {
    ...allowing(RESET, failed("upstream-reset", "if-reused"))(
      "6.8",
      "GOAWAY that takes the stream in, and the end",
      (stream) => goaway(stream),
    ),
    closes: true,
  },
  {
    ...allowing(RESET, failed("upstream-reset", "if-reused"))(
      "8.7",
      "the end, without a word",
      () => NOTHING,
    ),
    closes: true,
  },
  {
    ...allowing(RESET)(
      "8.7",
      "the end within a body",
      (stream) => bytes(headers(stream, OK, OPEN), data(stream, "x")),
    ),
    closes: true,
  },
  {
    ...allowing(RESET)(
      "8.7",
      "the end within a body of known length",
      (stream) =>
        bytes(
          headers(stream, response("200", ["content-length", "5"]), OPEN),
          data(stream, "1234"),
        ),
    ),
    closes: true,
  },
  {
    ...allowing(RESET, failed("upstream-reset", "if-reused"))(
      "8.7",
      "the end within a block",
      (stream) => headers(stream, OK, 0),
    ),
    closes: true,
  },
];

/** A POST is sent again only where it was surely not looked at. */
const REPEATED: readonly UpstreamCase[] = [
  allowing(UNPROCESSED)(
    "8.7",
    "RST_STREAM(REFUSED_STREAM) for POST",
    (stream) => rstStream(stream, "REFUSED_STREAM"),
  ),
  { ...allowing(UNPROCESSED)("6.8", "GOAWAY that leaves POST out", () => goaway(0)), closes: true },
  {
    ...allowing(RESET, failed("upstream-reset", "if-reused"))(
      "6.8",
      "GOAWAY that takes POST in, and the end",
      (stream) => goaway(stream),
    ),
    closes: true,
  },
  {
    ...allowing(RESET, failed("upstream-reset", "if-reused"))(
      "8.7",
      "the end behind POST, without a word",
      () => NOTHING,
    ),
    closes: true,
  },
].map((test) => ({ ...test, method: "POST" }));

export const UPSTREAM_MESSAGES: readonly UpstreamCase[] = [
  ...HEADS,
  ...BODIES,
  ...ENDINGS,
  ...REPEATED,
];
