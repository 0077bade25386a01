// Raw requests that must go no further, each with its status and reason under the default limits.
import { head } from "../support/http1_cases/case.ts";
import { many, SMUGGLED, type SocketCase } from "./socket_case.ts";

const BAD = [400, "bad-request"] as const;
const NOT_SPOKEN = [505, "version-not-supported"] as const;
const NOT_IMPLEMENTED = [501, "not-implemented"] as const;
const TOO_LONG = [414, "uri-too-long"] as const;
const TOO_LARGE = [431, "headers-too-large"] as const;

type Refusal = readonly [number, string];

function line(text: string, refused: Refusal = BAD): SocketCase {
  return { name: `request line: ${show(text)}`, bytes: head(text, "Host: a") + SMUGGLED, refused };
}

/** A request with these lines besides its Host, and more behind it. */
function fields(lines: readonly string[], refused: Refusal = BAD, rest = SMUGGLED): SocketCase {
  const bytes = head("POST / HTTP/1.1", "Host: a", ...lines) + rest;
  return { name: `fields: ${show(lines.join(" | "))}`, bytes, refused };
}

function chunks(body: string, refused: Refusal = BAD): SocketCase {
  const bytes = head("POST /chunks HTTP/1.1", "Host: a", "Transfer-Encoding: chunked") + body;
  return { name: `chunks: ${show(body)}`, bytes, refused };
}

function show(text: string): string {
  const shown = JSON.stringify(text).slice(1, -1);
  return shown.length > 60 ? `${shown.slice(0, 50)}... (${text.length} bytes)` : shown;
}

const REQUEST_LINES: readonly SocketCase[] = [
  line("GET /smuggled"),
  { name: "HTTP/0.9 and nothing more", bytes: "GET /smuggled\r\n", refused: BAD },
  line("GET / HTTP/0.9", NOT_SPOKEN),
  line("GET / HTTP/1.2", NOT_SPOKEN),
  line("GET / HTTP/2.0", NOT_SPOKEN),
  {
    name: "nearly the HTTP/2 preface",
    bytes: "PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n",
    refused: NOT_SPOKEN,
  },
  line("GET / http/1.1"),
  line("GET / HTTP/1.1 "),
  line("GET / HTTP/11"),
  line("GET / HTTP/1.1\0"),
  line("GET / XHTTP/1.1"),
  line("GET  / HTTP/1.1"),
  line(" GET / HTTP/1.1"),
  line("GET\t/\tHTTP/1.1"),
  line("GET\v/ HTTP/1.1"),
  line("GET /a b HTTP/1.1"),
  line("GET / HTTP/1.1\nX: y"),
  line("GET / HTTP/1.1\rX: y"),
  line("GET /\0 HTTP/1.1"),
  line("GET /\x7f HTTP/1.1"),
  line("GET /\xff HTTP/1.1"),
  line("GET /#/smuggled HTTP/1.1"),
  line("G(T / HTTP/1.1"),
  line("GET: / HTTP/1.1"),
  line("GET example.com HTTP/1.1"),
  line("GET https://a/ HTTP/1.1"),
  line("GET ftp://a/ HTTP/1.1"),
  line("GET http://user@a/ HTTP/1.1"),
  line("GET http:///smuggled HTTP/1.1"),
  line("GET http://a:b/ HTTP/1.1"),
  line("GET * HTTP/1.1"),
  line("CONNECT / HTTP/1.1"),
  line("CONNECT a HTTP/1.1"),
  line("SSH-2.0-OpenSSH_9.2"),
  line("PROXY TCP4 192.0.2.1 192.0.2.2 1 2"),
  { name: "a SOCKS greeting", bytes: "\x05\x01\x00", refused: BAD },
  {
    name: "a TLS ClientHello",
    bytes: "\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03",
    refused: BAD,
  },
  { name: "two empty lines first", bytes: "\r\n\r\n" + SMUGGLED, refused: BAD },
  { name: "a line feed first", bytes: "\n" + SMUGGLED, refused: BAD },
  line(`GET /${"x".repeat(16384 - 13)} HTTP/1.1`, TOO_LONG),
  {
    name: "a request line without an end",
    bytes: "GET /" + "x".repeat(100_000),
    refused: TOO_LONG,
  },
  { name: "CONNECT", bytes: head("CONNECT a:1 HTTP/1.1", "Host: a:1"), answered: 501 },
  {
    name: "a path that climbs",
    bytes: head("GET /a/../smuggled HTTP/1.1", "Host: a"),
    answered: 400,
  },
];

const FIELDS: readonly SocketCase[] = [
  { name: "no Host", bytes: head("GET /smuggled HTTP/1.1") + SMUGGLED, refused: BAD },
  fields(["Host: a"]),
  fields(["Host: b"]),
  fields(["hOST: b"]),
  ...["a b", "a@b", "a/b", "a:b", "a:1:2", "[::1", "::1", "a\xe9"].map((host): SocketCase => ({
    name: `Host: ${show(host)}`,
    bytes: head("GET /smuggled HTTP/1.1", `Host: ${host}`) + SMUGGLED,
    refused: BAD,
  })),
  fields(["X : y"]),
  fields(["X\t: y"]),
  fields(["X: y", " Z: z"]),
  fields(["X: y", "\tZ: z"]),
  fields(["X: y", " "]),
  { name: "a fold before any field", bytes: head("GET / HTTP/1.1", " Host: a"), refused: BAD },
  fields(["XY"]),
  fields([": y"]),
  fields(["X Y: z"]),
  fields(["X[]: z"]),
  fields(["X\xe9: z"]),
  fields(["X\0: y"]),
  fields(["X: y\0z"]),
  fields(["X: y\x7f"]),
  fields(["X: y\vz"]),
  fields(["X: y\x1b[2J"]),
  fields(["X: y\nZ: z"]),
  fields(["X: y\rZ: z"]),
  fields(["X: y\r"]),
  { name: "bare LF everywhere", bytes: SMUGGLED.replaceAll("\r\n", "\n"), refused: BAD },
  { name: "bare CR everywhere", bytes: SMUGGLED.replaceAll("\r\n", "\r"), refused: BAD },
  { name: "a bare LF for the empty line", bytes: SMUGGLED.slice(0, -2) + "\n", refused: BAD },
  fields(many(100), TOO_LARGE),
  fields([`X: ${"y".repeat(65_536)}`], TOO_LARGE),
  fields(many(90).map((field) => field + "y".repeat(1000)), TOO_LARGE),
  {
    name: "a head without an end",
    bytes: head("GET / HTTP/1.1", "Host: a").slice(0, -2) + "X: " + "y".repeat(200_000),
    refused: TOO_LARGE,
  },
];

const five = "hello" + SMUGGLED;

const LENGTHS: readonly SocketCase[] = [
  fields(["Content-Length: 5", "Content-Length: 6"], BAD, five),
  fields(["Content-Length: 5", "Content-Length: 5"], BAD, five),
  fields(["Content-Length: 5", "content-length: 0"], BAD, five),
  ...[
    "",
    "-1",
    "-0",
    "+5",
    "0x5",
    "5, 5",
    "5,6",
    "5 5",
    "5;",
    "5.0",
    "1e2",
    "five",
    "\xa05",
    "5\xa0",
    "9007199254740992",
    "18446744073709551616",
    "18446744073709551621",
    "99999999999999999999999999",
  ].map((length) => fields([`Content-Length: ${length}`], BAD, five)),
];

const last = "0\r\n\r\n" + SMUGGLED;

const CODINGS: readonly SocketCase[] = [
  // CL.TE, TE.CL and TE.TE
  fields(["Content-Length: 5", "Transfer-Encoding: chunked"], BAD, last),
  fields(["Transfer-Encoding: chunked", "Content-Length: 5"], BAD, last),
  fields(["Content-Length: 0", "Transfer-Encoding: chunked"], BAD, last),
  fields(["Content-Length: 5", "Transfer-Encoding: identity"], BAD, five),
  fields(["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"], BAD, last),
  fields(["Transfer-Encoding: chunked", "Transfer-Encoding: x"], BAD, last),
  fields(["Transfer-Encoding: x", "Transfer-encoding: chunked"], BAD, last),
  fields(["Transfer-Encoding: chunked", "Transfer-Encoding:"], BAD, last),
  ...[
    "identity",
    "gzip",
    "xchunked",
    "chunkedx",
    "chunked, identity",
    "chunked, chunked",
    "chunked,",
    ",chunked",
    "chunked;q=1",
    '"chunked"',
    "chun\tked",
    "chunked\v",
    "\x0cchunked",
    "chunked\0",
    "\xa0chunked",
    "",
  ].map((coding) => fields([`Transfer-Encoding: ${coding}`], BAD, last)),
  fields(["Transfer-Encoding: gzip, chunked"], NOT_IMPLEMENTED, last),
  fields(["Transfer-Encoding: identity, chunked"], NOT_IMPLEMENTED, last),
  fields(["Transfer-Encoding : chunked"], BAD, last),
  fields(["Transfer-Encoding\t: chunked"], BAD, last),
  fields([" Transfer-Encoding: chunked"], BAD, last),
  fields(["Transfer-Encoding:", " chunked"], BAD, last),
  fields(["Content-Length: 5", "X: y", " Transfer-Encoding: chunked"], BAD, last),
  fields(["Content-Length: 5", "X: y\nTransfer-Encoding: chunked"], BAD, last),
  fields(["Content-Length: 5", "X: y\rTransfer-Encoding: chunked"], BAD, last),
  fields(["Content-Length: 5", "\0Transfer-Encoding: chunked"], BAD, last),
  {
    name: "Transfer-Encoding in HTTP/1.0",
    bytes: head("POST / HTTP/1.0", "Host: a", "Transfer-Encoding: chunked") + last,
    refused: BAD,
  },
];

const CHUNKS: readonly SocketCase[] = [
  ...[
    "0x5\r\nhello\r\n",
    "-1\r\n",
    "+5\r\nhello\r\n",
    "\r\nhello\r\n",
    " 5\r\nhello\r\n",
    "5 \r\nhello\r\n",
    "5\t;a\r\nhello\r\n",
    "5g\r\nhello\r\n",
    "5_0\r\nhello\r\n",
    "5\nhello\r\n",
    "5\rhello\r\n",
    "5\r\r\nhello\r\n",
    "5\0\r\nhello\r\n",
    ";a=5\r\nhello\r\n",
    "5;a\nb\r\nhello\r\n",
    "5;a\0\r\nhello\r\n",
    `5;${"a".repeat(2000)}\r\nhello\r\n`,
    "FFFFFFFFFFFFFFFF\r\nhello\r\n",
    "10000000000000005\r\nhello\r\n",
    "80000000000000000000000000000005\r\nhello\r\n",
    "00000000000000000005\r\nhello\r\n",
    "5\r\nhello",
    "5\r\nhello!\r\n",
    "4\r\nhello\r\n",
    "6\r\nhello\r\n",
    "5\r\nhello\n",
    "5\r\nhello\r",
  ].map((body) => chunks(body + last)),
  chunks("0\n\n" + SMUGGLED),
  chunks("0\r\n\n" + SMUGGLED),
  chunks("0\r\n" + SMUGGLED),
  chunks("0\r\nX: y\r\n z\r\n\r\n" + SMUGGLED),
  chunks("0\r\nX : y\r\n\r\n" + SMUGGLED),
  chunks("0\r\nX: y\nZ: z\r\n\r\n" + SMUGGLED),
  chunks("0\r\nX\0: y\r\n\r\n" + SMUGGLED),
  chunks("0\r\n" + "X: y\r\n".repeat(101) + "\r\n" + SMUGGLED, TOO_LARGE),
  chunks("0\r\nX: " + "y".repeat(70_000), TOO_LARGE),
];

export const REFUSED: readonly SocketCase[] = [
  ...REQUEST_LINES,
  ...FIELDS,
  ...LENGTHS,
  ...CODINGS,
  ...CHUNKS,
];
