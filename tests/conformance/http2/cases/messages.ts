// RFC 9113 8.1 and 8.5, RFC 8441: bodies and their lengths, trailers, and the forms of CONNECT.
import { block, get, literal, post, request, requestPairs } from "../../../support/h2/block.ts";
import {
  answered,
  answers,
  either,
  type H2Case,
  malformed,
  streamError,
} from "../../../support/h2/case.ts";
import { data, end, headers, OPEN } from "../../../support/h2/frames.ts";

const MALFORMED_OR_ANSWERED = [
  streamError("PROTOCOL_ERROR"),
  answered("400"),
  answered("200"),
] as const;

const LENGTHS: readonly H2Case[] = [
  malformed(
    "8.1.1",
    "content-length of 5 and no body",
    headers(1, post("/", ["content-length", "5"])),
  ),
  malformed(
    "8.1.1",
    "content-length of 5 and 4 bytes",
    headers(1, post("/", ["content-length", "5"]), OPEN),
    end(1, "1234"),
  ),
  malformed(
    "8.1.1",
    "content-length of 5 and 6 bytes",
    headers(1, post("/", ["content-length", "5"]), OPEN),
    end(1, "123456"),
  ),
  malformed(
    "8.1.1",
    "content-length of 5 and 6 bytes and no end",
    headers(1, post("/", ["content-length", "5"]), OPEN),
    data(1, "123"),
    data(1, "456"),
  ),
  malformed(
    "8.1.1",
    "content-length of 5, 4 bytes and trailers",
    headers(1, post("/", ["content-length", "5"]), OPEN),
    data(1, "1234"),
    headers(1, literal("x", "y")),
  ),
  {
    ...malformed(
      "8.1.1",
      "content-length of 0 and 1 byte",
      headers(1, post("/", ["content-length", "0"]), OPEN),
      end(1, "1"),
    ),
    isLate: true,
  },
  malformed(
    "8.1.1",
    "content-length of 5 with GET, and no body",
    headers(1, get("/", ["content-length", "5"])),
  ),
  ...[
    "-1",
    "+5",
    "5x",
    "0x5",
    "5.0",
    " 5",
    "5 ",
    "",
    "5,6",
    "5;",
    "1e1",
    "99999999999999999999",
    "\xb2",
  ].map((length) =>
    malformed(
      "8.1.1",
      `content-length ${JSON.stringify(length)}`,
      headers(1, post("/", ["content-length", length]), OPEN),
      end(1, "12345"),
    )
  ),
  malformed(
    "8.1.1",
    "two lengths that differ",
    headers(1, post("/", ["content-length", "5"], ["content-length", "6"]), OPEN),
    end(1, "12345"),
  ),
  either("RFC 9110 8.6: repeated and equal, it MAY be taken once", ...MALFORMED_OR_ANSWERED)(
    "8.1.1",
    "two lengths that are the same",
    headers(1, post("/", ["content-length", "5"], ["content-length", "5"]), OPEN),
    end(1, "12345"),
  ),
  answers(
    "8.1.1",
    "content-length that is right",
    headers(1, post("/", ["content-length", "5"]), OPEN),
    data(1, "12"),
    end(1, "345"),
  ),
  answers(
    "8.1.1",
    "content-length that is right, with trailers",
    headers(1, post("/", ["content-length", "5"]), OPEN),
    data(1, "12345"),
    headers(1, literal("x", "y")),
  ),
  answers(
    "8.1.1",
    "content-length of 0 and no body",
    headers(1, post("/", ["content-length", "0"])),
  ),
  answers(
    "8.1.1",
    "content-length with GET",
    headers(1, get("/", ["content-length", "5"]), OPEN),
    end(1, "12345"),
  ),
];

function trailers(name: string, block: Uint8Array): H2Case {
  return malformed(
    "8.1",
    `trailers: ${name}`,
    headers(1, post(), OPEN),
    data(1, "x"),
    headers(1, block),
  );
}

const TRAILERS: readonly H2Case[] = [
  trailers(":path", block([":path", "/"])),
  trailers(":method", block([":method", "GET"])),
  trailers(":status", block([":status", "200"])),
  trailers(":unknown", block(["x", "y"], [":unknown", "z"])),
  trailers("a name that is not lower case", block(["X", "y"])),
  trailers("CR LF in a value", block(["x", "y\r\nz: 1"])),
  trailers("connection", block(["connection", "close"])),
  trailers("transfer-encoding", block(["transfer-encoding", "chunked"])),
  malformed(
    "8.1",
    "a second head in place of trailers",
    headers(1, post(), OPEN),
    data(1, "x"),
    headers(1, get()),
  ),
];

const TUNNEL = [
  answered("200"),
  answered("400"),
  answered("404"),
  answered("405"),
  answered("501"),
  answered("502"),
  answered("503"),
] as const;
const CONNECT = { method: "CONNECT", scheme: undefined, path: undefined };
const EXTENDED = { method: "CONNECT", protocol: "websocket" };
const REFUSED_OR_NOT = either(
  "8.5: whether there is a tunnel is the server's to say",
  ...TUNNEL,
  streamError("CONNECT_ERROR"),
);

const CONNECTS: readonly H2Case[] = [
  REFUSED_OR_NOT("8.5", "CONNECT", headers(1, request({ ...CONNECT, authority: "a:80" }))),
  malformed(
    "8.5",
    "CONNECT with :scheme",
    headers(1, request({ ...CONNECT, scheme: "http", authority: "a:80" })),
  ),
  malformed(
    "8.5",
    "CONNECT with :path",
    headers(1, request({ ...CONNECT, path: "/", authority: "a:80" })),
  ),
  malformed(
    "8.5",
    "CONNECT without :authority",
    headers(1, request({ ...CONNECT, authority: undefined })),
  ),
  malformed(
    "8.5",
    "CONNECT with a Host in place of :authority",
    headers(1, request({ ...CONNECT, authority: undefined }, ["host", "a:80"])),
  ),
  REFUSED_OR_NOT("RFC 8441 4", "extended CONNECT", headers(1, request(EXTENDED))),
  malformed(
    "RFC 8441 4",
    "extended CONNECT without :scheme",
    headers(1, request({ ...EXTENDED, scheme: undefined })),
  ),
  malformed(
    "RFC 8441 4",
    "extended CONNECT without :path",
    headers(1, request({ ...EXTENDED, path: undefined })),
  ),
  malformed(
    "RFC 8441 4",
    "extended CONNECT without :authority",
    headers(1, request({ ...EXTENDED, authority: undefined })),
  ),
  malformed("RFC 8441 4", ":protocol with GET", headers(1, request({ protocol: "websocket" }))),
  malformed("RFC 8441 4", "an empty :protocol", headers(1, request({ ...EXTENDED, protocol: "" }))),
  malformed(
    "RFC 8441 4",
    ":protocol twice",
    headers(1, block(...requestPairs(EXTENDED), [":protocol", "websocket"])),
  ),
  malformed(
    "RFC 8441 4",
    "CR LF in :protocol",
    headers(1, request({ ...EXTENDED, protocol: "websocket\r\nx: y" })),
  ),
];

export const MESSAGES: readonly H2Case[] = [...LENGTHS, ...TRAILERS, ...CONNECTS];
