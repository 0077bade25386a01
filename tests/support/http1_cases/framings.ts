// Request heads once more: how their bodies are framed, and what they say about their connection.
import { bad, CHUNKED, get, head, LENGTH, post, type RequestCase } from "./case.ts";

export const FRAMINGS: readonly RequestCase[] = [
  ...([["0", 0], ["5", 5], ["00010", 10], ["9007199254740991", 9007199254740991]] as const).map(
    ([text, bytes]) => ({
      name: `the Content-Length ${text}`,
      bytes: post(`Content-Length: ${text}`),
      accepted: {
        method: "POST",
        framing: LENGTH(bytes),
        fields: ["Host: a", `Content-Length: ${text}`],
      },
    }),
  ),
  ...[
    "",
    "-1",
    "+5",
    "0x10",
    "5 5",
    "5,5",
    "5, 5",
    "5;",
    "1e3",
    "5.0",
    "five",
    "\xb2",
    "9007199254740992",
    "18446744073709551616",
    "00000000000000005",
  ].map((length) => ({
    name: `the Content-Length ${JSON.stringify(length)}`,
    bytes: post(`Content-Length: ${length}`),
    ...bad("Content-Length is not a number of bytes"),
  })),
  {
    name: "two Content-Lengths that differ",
    bytes: post("Content-Length: 5", "Content-Length: 6"),
    ...bad("more than one Content-Length"),
  },
  {
    name: "two Content-Lengths that agree",
    bytes: post("Content-Length: 5", "content-length: 5"),
    ...bad("more than one Content-Length"),
  },
  ...["chunked", "Chunked", "CHUNKED", "\tchunked \t"].map((coding) => ({
    name: `the Transfer-Encoding ${JSON.stringify(coding)}`,
    bytes: post(`Transfer-Encoding: ${coding}`),
    accepted: { method: "POST", framing: CHUNKED },
  })),
  ...[
    "",
    "identity",
    "gzip",
    "xchunked",
    "chunkedx",
    "chunked\x80",
    "\xa0chunked",
    "chunked\xa0",
    "chunked;q=1",
    "chunked,",
    ",chunked",
    "chunked, chunked",
    "chunked, identity",
    '"chunked"',
    "chun ked",
  ].map((coding) => ({
    name: `the Transfer-Encoding ${JSON.stringify(coding)}`,
    bytes: post(`Transfer-Encoding: ${coding}`),
    ...bad("Transfer-Encoding is not chunked"),
  })),
  ...["gzip, chunked", "identity, chunked"].map((coding) => ({
    name: `the Transfer-Encoding ${coding}`,
    bytes: post(`Transfer-Encoding: ${coding}`),
    refused: {
      kind: "not-implemented" as const,
      message: "a transfer coding other than chunked",
    },
  })),
  {
    name: "Transfer-Encoding twice",
    bytes: post("Transfer-Encoding: chunked", "Transfer-Encoding: chunked"),
    ...bad("more than one Transfer-Encoding"),
  },
  {
    name: "Transfer-Encoding twice, the second harmless",
    bytes: post("Transfer-Encoding: chunked", "Transfer-encoding: identity"),
    ...bad("more than one Transfer-Encoding"),
  },
  {
    name: "Content-Length before Transfer-Encoding",
    bytes: post("Content-Length: 5", "Transfer-Encoding: chunked"),
    ...bad("Content-Length together with Transfer-Encoding"),
  },
  {
    name: "Content-Length behind Transfer-Encoding",
    bytes: post("Transfer-Encoding: chunked", "Content-Length: 5"),
    ...bad("Content-Length together with Transfer-Encoding"),
  },
  {
    name: "Transfer-Encoding in HTTP/1.0",
    bytes: head("POST / HTTP/1.0", "Transfer-Encoding: chunked"),
    ...bad("Transfer-Encoding in HTTP/1.0"),
  },
];

export const CONNECTIONS: readonly RequestCase[] = [
  {
    name: "HTTP/1.0 needs no Host and ends its connection",
    bytes: head("GET / HTTP/1.0"),
    accepted: { version: "1.0", authority: "", keepAlive: false, fields: ["host: "] },
  },
  {
    name: "HTTP/1.0 that keeps its connection",
    bytes: head("GET / HTTP/1.0", "Host: a", "Connection: Keep-Alive"),
    accepted: { version: "1.0", keepAlive: true },
  },
  {
    name: "HTTP/1.0 that says both",
    bytes: head("GET / HTTP/1.0", "Host: a", "Connection: keep-alive, close"),
    accepted: { version: "1.0", keepAlive: false },
  },
  {
    name: "HTTP/1.1 that ends its connection",
    bytes: get("Connection: CLOSE"),
    accepted: { keepAlive: false },
  },
  {
    name: "close in a second Connection",
    bytes: get("Connection: x", "Connection: y , close"),
    accepted: { keepAlive: false },
  },
  {
    name: "every hop-by-hop field",
    bytes: get(
      "Keep-Alive: timeout=5",
      "Proxy-Connection: keep-alive",
      "Proxy-Authorization: Basic eDp5",
      "Proxy-Authenticate: Basic",
      "Trailer: x",
      "X: end-to-end",
    ),
    accepted: { fields: ["Host: a", "X: end-to-end"] },
  },
  {
    name: "fields that Connection names",
    bytes: get("X-Hop: 1", "Connection: x-hop,X-HOP2", "x-hop2: 2", "X-Hop: 3", "Y: 4"),
    accepted: { fields: ["Host: a", "Y: 4"] },
  },
  {
    name: "fields that Connection must not name",
    bytes: post(
      "Content-Length: 5",
      "Connection: host, content-length, authorization, via, x-forwarded-for",
      "Authorization: Bearer x",
      "Via: 1.1 b",
      "X-Forwarded-For: 192.0.2.1",
    ),
    accepted: {
      method: "POST",
      framing: LENGTH(5),
      fields: [
        "Host: a",
        "Content-Length: 5",
        "Authorization: Bearer x",
        "Via: 1.1 b",
        "X-Forwarded-For: 192.0.2.1",
      ],
    },
  },
  {
    name: "TE with trailers",
    bytes: get("TE: gzip, trailers", "Connection: te"),
    accepted: { acceptsTrailers: true },
  },
  { name: "TE without trailers", bytes: get("TE: gzip"), accepted: { acceptsTrailers: false } },
  {
    name: "an upgrade",
    bytes: get("Connection: Upgrade", "Upgrade: websocket"),
    accepted: { upgrade: "websocket" },
  },
  { name: "an upgrade that Connection does not name", bytes: get("Upgrade: h2c"), accepted: {} },
  {
    name: "an upgrade in HTTP/1.0",
    bytes: head("GET / HTTP/1.0", "Host: a", "Connection: upgrade", "Upgrade: h2c"),
    accepted: { version: "1.0", keepAlive: false },
  },
  {
    name: "an expectation of 100 Continue",
    bytes: post("Content-Length: 5", "Expect: 100-Continue"),
    accepted: {
      method: "POST",
      framing: LENGTH(5),
      fields: ["Host: a", "Content-Length: 5", "Expect: 100-Continue"],
    },
  },
  {
    name: "another expectation",
    bytes: post("Content-Length: 5", "Expect: 200-ok"),
    accepted: {
      method: "POST",
      framing: LENGTH(5),
      fields: ["Host: a", "Content-Length: 5"],
    },
  },
  {
    name: "another expectation behind 100-continue",
    bytes: post("Content-Length: 5", "Expect: 100-continue", "Expect: 200-ok"),
    accepted: {
      method: "POST",
      framing: LENGTH(5),
      fields: ["Host: a", "Content-Length: 5", "Expect: 100-continue"],
    },
  },
  {
    name: "an expectation in HTTP/1.0",
    bytes: head("POST / HTTP/1.0", "Host: a", "Content-Length: 5", "Expect: 100-continue"),
    accepted: {
      method: "POST",
      version: "1.0",
      keepAlive: false,
      framing: LENGTH(5),
      fields: ["Host: a", "Content-Length: 5"],
    },
  },
];
