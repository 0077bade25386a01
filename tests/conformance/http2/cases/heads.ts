// RFC 9113 8.2 and 8.3: which fields and pseudo-fields make the head of a request. What is malformed must cost its stream alone.
import { block, get, type Pair, request, requestPairs } from "../../../support/h2/block.ts";
import {
  answered,
  answers,
  CLOSED,
  either,
  type H2Case,
  malformed,
  streamError,
} from "../../../support/h2/case.ts";
import { headers } from "../../../support/h2/frames.ts";

type Pseudo = Readonly<Record<string, string | undefined>>;

function pseudo(name: string, values: Pseudo, ...fields: readonly Pair[]): H2Case {
  return malformed("8.3.1", name, headers(1, request(values, ...fields)));
}

const MALFORMED_OR_ANSWERED = [
  streamError("PROTOCOL_ERROR"),
  answered("400"),
  answered("200"),
] as const;

const PSEUDO: readonly H2Case[] = [
  pseudo("no :method", { method: undefined }),
  pseudo("no :scheme", { scheme: undefined }),
  pseudo("no :path", { path: undefined }),
  pseudo("an empty :method", { method: "" }),
  pseudo("an empty :scheme", { scheme: "" }),
  pseudo("an empty :path", { path: "" }),
  ...["method", "scheme", "path", "authority"].map((name) => {
    const again = requestPairs().find(([other]) => other === `:${name}`)!;
    return malformed("8.3", `:${name} twice`, headers(1, block(...requestPairs(), again)));
  }),
  malformed("8.3", ":status in a request", headers(1, request({ status: "200" }))),
  malformed("8.3", "a pseudo-field that nobody knows", headers(1, request({ unknown: "x" }))),
  malformed(
    "8.3",
    "a pseudo-field without a name",
    headers(1, block(...requestPairs(), [":", "x"])),
  ),
  ...["method", "scheme", "path", "authority"].map((name) => {
    const pairs = requestPairs();
    const last = pairs.find(([other]) => other === `:${name}`)!;
    return malformed(
      "8.3",
      `:${name} behind a field`,
      headers(1, block(...pairs.filter((pair) => pair !== last), ["x", "y"], last)),
    );
  }),
  ...[
    "GET ",
    " GET",
    "GE T",
    "GET\t/x",
    "GET\r\nx: y",
    "GET\0",
    "G\xc8T",
    "GET / HTTP/1.1\r\nhost: evil\r\n\r\nGET",
  ].map((method) => pseudo(`:method ${JSON.stringify(method)}`, { method })),
  ...["ht tp", "http\r\nx: y", "http://evil/", "http:", "\0", "1http", "http\xe9"].map((scheme) =>
    pseudo(`:scheme ${JSON.stringify(scheme)}`, { scheme })
  ),
  ...[
    "x",
    "a/b",
    "http://a/",
    "?q",
    "/a b",
    "/a\tb",
    "/a\r\nx: y",
    "/a\0",
    "/a\x7f",
    " /",
    "/ ",
    "/ HTTP/1.1\r\nhost: evil\r\n\r\nGET /smuggled",
    "/a#b",
    "*",
  ].map((path) => pseudo(`:path ${JSON.stringify(path)}`, { path })),
  either("8.3.1: a path is ASCII; servers often take more", ...MALFORMED_OR_ANSWERED)(
    "8.3.1",
    ':path "/\xe9"',
    headers(1, get("/\xe9")),
  ),
  ...[
    "user@a",
    "user:secret@a",
    "a b",
    "a/b",
    "a?b",
    "a#b",
    "a\r\nx: y",
    "a\0",
    " a",
    "a ",
    "a\t",
    "a:b",
    "a:1:2",
    "[::1",
    "a,b c",
    "a\\b",
  ].map((authority) => pseudo(`:authority ${JSON.stringify(authority)}`, { authority })),
  pseudo("a Host that differs from :authority", {}, ["host", "other"]),
  pseudo("two Hosts without :authority", { authority: undefined }, ["host", "a"], ["host", "b"]),
  pseudo("a Host with user information", { authority: undefined }, ["host", "user@a"]),
  answers("8.3.1", "a Host that is :authority", headers(1, request({}, ["host", "a"]))),
  answers(
    "8.3.1",
    "a Host in place of :authority",
    headers(1, request({ authority: undefined }, ["host", "a"])),
  ),
  either(
    "8.3.1: http has a mandatory authority, and RFC 9110 7.2 lets Host be empty",
    ...MALFORMED_OR_ANSWERED,
  )(
    "8.3.1",
    "neither :authority nor Host",
    headers(1, request({ authority: undefined })),
  ),
  either(
    "8.3.1: http has a mandatory authority, and RFC 9110 7.2 lets Host be empty",
    ...MALFORMED_OR_ANSWERED,
  )(
    "8.3.1",
    "an empty :authority",
    headers(1, request({ authority: "" })),
  ),
  either(
    "8.3.1 lets a scheme be any; RFC 9110 7.4 lets a server refuse it",
    ...MALFORMED_OR_ANSWERED,
    answered("421"),
  )(
    "8.3.1",
    ":scheme ftp",
    headers(1, request({ scheme: "ftp" })),
  ),
  answers("8.3.1", "OPTIONS *", headers(1, request({ method: "OPTIONS", path: "*" }))),
  answers("8.3.1", "a query alone behind the slash", headers(1, get("/?a=b"))),
];

function field(name: string, value: string, section = "8.2.1"): H2Case {
  return malformed(
    section,
    `the field ${JSON.stringify([name, value])}`,
    headers(1, get("/", [name, value])),
  );
}

const NOT_IN_NAMES = "\0\t\n\r\x01\x1f \x7f\x80\xe9\xff";
const STRICTER = either(
  "8.2.1 asks for less; RFC 9110 5.1 and 5.5 make it invalid all the same",
  ...MALFORMED_OR_ANSWERED,
);

const FIELDS: readonly H2Case[] = [
  ...["X", "Content-type", "x-A", "xZ", "HOST"].map((name) => field(name, "y", "8.2")),
  ...[...NOT_IN_NAMES].flatMap((
    bad,
  ) => [field(`x${bad}y`, "z"), field(`x${bad}`, "z"), field(`${bad}x`, "z")]),
  field("", "y"),
  field("x:", "y"),
  field("x:y", "z"),
  field("x: y\r\ntransfer-encoding", "chunked"),
  ...["(", ")", ",", "/", ";", "<", "=", ">", "?", "@", "[", "\\", "]", "{", "}", '"'].map((bad) =>
    STRICTER(
      "8.2.1",
      `the name ${JSON.stringify(`x${bad}y`)}`,
      headers(1, get("/", [`x${bad}y`, "z"])),
    )
  ),
  ...["\0", "\r", "\n"].flatMap((
    bad,
  ) => [field("x", `a${bad}b`), field("x", bad), field("x", `a${bad}`), field("x", `${bad}a`)]),
  field("x", "y\r\nhost: evil"),
  field("x", "y\r\n\r\nGET /smuggled HTTP/1.1\r\nhost: evil"),
  ...[" a", "a ", "\ta", "a\t", " ", "\t"].map((value) => field("x", value)),
  ...["\x01", "\x08", "\x0b", "\x0c", "\x1b", "\x1f", "\x7f"].map((bad) =>
    STRICTER(
      "8.2.1",
      `the value ${JSON.stringify(`a${bad}b`)}`,
      headers(1, get("/", ["x", `a${bad}b`])),
    )
  ),
  answers(
    "8.2.1",
    "values of every byte that may be",
    headers(1, get("/", ["x", "a\tb c~\x80\xff!"], ["y", ""], ["!#$%&'*+-.^_`|~09az", "z"])),
  ),
];

const HOP_BY_HOP: readonly H2Case[] = [
  ...([
    ["connection", "close"],
    ["connection", "keep-alive"],
    ["connection", "x-y"],
    ["connection", ""],
    ["proxy-connection", "keep-alive"],
    ["keep-alive", "timeout=5"],
    ["transfer-encoding", "chunked"],
    ["transfer-encoding", "identity"],
    ["transfer-encoding", ""],
    ["upgrade", "websocket"],
    ["upgrade", "h2c"],
    ["te", "gzip"],
    ["te", "trailers, gzip"],
    ["te", "chunked"],
    ["te", ""],
  ] as const).map(([name, value]) => field(name, value, "8.2.2")),
  answers("8.2.2", "te: trailers", headers(1, get("/", ["te", "trailers"]))),
];

/** Each larger than any head should be. */
const TOO_MUCH = either(
  "10.5.1: a server answers 431, or resets, or closes",
  answered("431"),
  streamError("PROTOCOL_ERROR"),
  streamError("ENHANCE_YOUR_CALM"),
  streamError("REFUSED_STREAM"),
  streamError("CANCEL"),
  CLOSED,
);
const SIXTEEN = "y".repeat(16_000);

const LARGE: readonly H2Case[] = [
  TOO_MUCH(
    "10.5.1",
    "a thousand fields",
    headers(1, get("/", ...Array.from({ length: 1000 }, (_, i) => [`x${i}`, "y"] as const))),
  ),
  either("10.5.1: within what most take", answered("200"), answered("431"))(
    "10.5.1",
    "a field of 16,000 bytes",
    headers(1, get("/", ["x", SIXTEEN])),
  ),
];

export const HEADS: readonly H2Case[] = [...PSEUDO, ...FIELDS, ...HOP_BY_HOP, ...LARGE];
