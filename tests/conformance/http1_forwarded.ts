// Raw requests that are merely odd, each with what the backend must see of it.
import { head } from "../support/http1_cases/case.ts";
import { type ExpectedRequest, many, SMUGGLED, type SocketCase } from "./socket_case.ts";

function good(
  name: string,
  bytes: string,
  forwarded: ExpectedRequest | readonly ExpectedRequest[],
  closes = false,
): SocketCase {
  return { name, bytes, forwarded: [forwarded].flat(), closes };
}

export const FORWARDED: readonly SocketCase[] = [
  good("a plain request", head("GET /plain HTTP/1.1", "Host: a"), {
    line: "GET /plain",
    has: { host: "a", "x-forwarded-for": "127.0.0.1" },
  }),
  good("OPTIONS *", head("OPTIONS * HTTP/1.1", "Host: a"), { line: "OPTIONS *" }),
  good("one empty line first", "\r\n" + head("GET /blank HTTP/1.1", "Host: a"), {
    line: "GET /blank",
  }),
  good(
    "a request line as long as may be",
    head(`GET /${"x".repeat(16384 - 14)} HTTP/1.1`, "Host: a"),
    { line: `GET /${"x".repeat(16384 - 14)}` },
  ),
  good("a hundred fields", head("GET /many HTTP/1.1", "Host: a", ...many(99)), {
    line: "GET /many",
    has: { "x-0": "y", "x-98": "y" },
  }),
  good(
    "a head of almost 64 KiB",
    head("GET /large HTTP/1.1", "Host: a", `X: ${"y".repeat(65_000)}`),
    { line: "GET /large", has: { x: "y".repeat(65_000) } },
  ),
  good(
    "an absolute target and another Host",
    head("GET http://real.test:81/abs?q HTTP/1.1", "Host: evil.test"),
    { line: "GET /abs?q", has: { host: "real.test:81", "x-forwarded-host": "real.test:81" } },
  ),
  good("an empty Host", head("GET /hostless HTTP/1.1", "Host:"), {
    line: "GET /hostless",
    has: { host: "" },
  }),
  good("HTTP/1.0 without a Host", head("GET /old HTTP/1.0"), { line: "GET /old" }, true),
  good(
    "HTTP/1.0 that stays",
    head("GET /old HTTP/1.0", "Host: a", "Connection: keep-alive"),
    { line: "GET /old" },
  ),
  good(
    "a request that closes, and bytes behind it",
    head("GET /bye HTTP/1.1", "Host: a", "Connection: close") + SMUGGLED,
    { line: "GET /bye" },
    true,
  ),
  good(
    "Connection names Host",
    head("GET /nominated HTTP/1.1", "Host: a", "Connection: host"),
    { line: "GET /nominated", has: { host: "a" } },
  ),
  good(
    "Connection names what frames and who calls",
    head(
      "POST /nominated HTTP/1.1",
      "Host: a",
      "Content-Length: 5",
      "Authorization: x",
      "Connection: content-length, authorization, x-forwarded-for",
    ) + "hello",
    {
      line: "POST /nominated",
      body: "hello",
      has: { "content-length": "5", authorization: "x", "x-forwarded-for": "127.0.0.1" },
    },
  ),
  good(
    "Connection names a hop's own field",
    head("GET /hop HTTP/1.1", "Host: a", "X-Hop: 1", "Connection: x-hop", "X-End: 2"),
    { line: "GET /hop", has: { "x-end": "2" }, lacks: ["x-hop", "connection"] },
  ),
  good(
    "an upgrade to h2c",
    head(
      "GET /h2c HTTP/1.1",
      "Host: a",
      "Upgrade: h2c",
      "HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA",
      "Connection: Upgrade, HTTP2-Settings",
    ),
    { line: "GET /h2c", lacks: ["upgrade", "http2-settings", "connection"] },
  ),
  good(
    "hop-by-hop fields without Connection",
    head(
      "GET /hops HTTP/1.1",
      "Host: a",
      "Keep-Alive: timeout=1",
      "Proxy-Connection: close",
      "Proxy-Authorization: Basic eDp5",
      "TE: gzip",
      "Trailer: X",
    ),
    {
      line: "GET /hops",
      lacks: ["keep-alive", "proxy-connection", "proxy-authorization", "te", "trailer"],
    },
  ),
  good(
    "a body by length, and a request behind it",
    head("POST /length HTTP/1.1", "Host: a", "Content-Length: 5") + "hello" +
      head("GET /behind HTTP/1.1", "Host: a"),
    [{ line: "POST /length", body: "hello" }, { line: "GET /behind" }],
  ),
  good(
    "a body that looks like a request",
    head("POST /quoted HTTP/1.1", "Host: a", `Content-Length: ${SMUGGLED.length}`) + SMUGGLED,
    { line: "POST /quoted", body: SMUGGLED },
  ),
  good(
    "a GET with a body that looks like a request",
    head("GET /quoted HTTP/1.1", "Host: a", `Content-Length: ${SMUGGLED.length}`) + SMUGGLED,
    { line: "GET /quoted", body: SMUGGLED },
  ),
  good(
    "chunks that look like requests, with extensions and trailers",
    head("POST /chunked HTTP/1.1", "Host: a", "TRANSFER-ENCODING: \tCHUNKED ", "TE: trailers") +
      `${SMUGGLED.length.toString(16)};x="y"\r\n${SMUGGLED}\r\n0;z\r\n` +
      "X-Sum: 1\r\nContent-Length: 3\r\nHost: evil\r\nX-User-Id: root\r\n\r\n" +
      head("GET /behind HTTP/1.1", "Host: a"),
    [
      {
        line: "POST /chunked",
        body: SMUGGLED,
        has: { "transfer-encoding": "chunked", te: "trailers" },
        lacks: ["content-length"],
        trailers: ["x-sum: 1"],
      },
      { line: "GET /behind" },
    ],
  ),
  good(
    "a length with an underscore is no length",
    head("POST /underscore HTTP/1.1", "Host: a", "Content_Length: 5", "Content-Length: 2") + "hi",
    { line: "POST /underscore", body: "hi" },
  ),
  good(
    "a HEAD and a GET behind it",
    head("HEAD /head HTTP/1.1", "Host: a") + head("GET /get HTTP/1.1", "Host: a"),
    [{ line: "HEAD /head" }, { line: "GET /get" }],
  ),
  good(
    "an expectation that nobody knows",
    head("GET /expect HTTP/1.1", "Host: a", "Expect: x-magic"),
    { line: "GET /expect", lacks: ["expect"] },
  ),
  good(
    "what only the edge may say about the client",
    head(
      "GET /claims HTTP/1.1",
      "Host: a",
      "X-Forwarded-For: 10.0.0.1",
      "Forwarded: for=10.0.0.1",
      "X-User-Id: root",
    ),
    {
      line: "GET /claims",
      has: { "x-forwarded-for": "127.0.0.1" },
      lacks: ["forwarded", "x-user-id"],
    },
  ),
  good(
    "twenty pipelined requests",
    Array.from({ length: 20 }, (_, i) => head(`GET /${i} HTTP/1.1`, "Host: a")).join(""),
    Array.from({ length: 20 }, (_, i) => ({ line: `GET /${i}` })),
  ),
];
