import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { head, LIMITS } from "../../tests/support/http1_cases/case.ts";
import { REQUESTS } from "../../tests/support/http1_cases/requests.ts";
import { readHead } from "../../tests/support/head_reader.ts";
import { PushBody, rawFields, requestOf, responseOf } from "../../tests/support/messages.ts";
import { BytesBody, EMPTY_BODY } from "../http/body.ts";
import { FieldList } from "../http/fields.ts";
import { emptyResponse, type Request, type Response } from "../http/message.ts";
import { ByteWriter } from "../lib/byte_writer.ts";
import { latin1, latin1Bytes } from "../lib/bytes.ts";
import { HeadParser } from "./head_parser.ts";
import { readRequestHead } from "./request_head.ts";
import {
  writeChunkSize,
  writeInterim,
  writeLastChunk,
  writeRequestHead,
  writeResponseHead,
} from "./serialize.ts";

function written<T>(write: (out: ByteWriter) => T): readonly [text: string, result: T] {
  const out = new ByteWriter(8);
  const result = write(out);
  return [latin1(out.bytes, 0, out.length), result];
}

function request(parts: Partial<Request> = {}) {
  return written((out) => writeRequestHead(out, requestOf(parts)));
}

function response(
  response: Response,
  context: { method?: string; version?: "1.0" | "1.1"; keepAlive?: boolean } = {},
) {
  const all = { method: "GET", version: "1.1" as const, keepAlive: true, ...context };
  return written((out) => writeResponseHead(out, response, all));
}

Deno.test("writeRequestHead writes what came as the bytes it came in", () => {
  const headers = rawFields("Host: a", "X: \tb ", "y:c");
  assertEquals(request({ headers, method: "PATCH", target: "/p?q" }), [
    head("PATCH /p?q HTTP/1.1", "Host: a", "X: \tb ", "y:c"),
    "none",
  ]);
});

Deno.test("writeRequestHead frames by the body and not by what the fields say", () => {
  const length = () => rawFields("Host: a", "Content-Length: 0007");
  const host = "Host: a";
  const body = new BytesBody(latin1Bytes("12345"));
  assertEquals(request({ headers: length(), body }), [
    head("GET / HTTP/1.1", host, "content-length: 5"),
    "length",
  ]);
  assertEquals(
    request({ headers: length(), body: new PushBody(7) })[0],
    head("GET / HTTP/1.1", host, "Content-Length: 0007"),
  );
  assertEquals(request({ headers: length(), body: new PushBody() }), [
    head("GET / HTTP/1.1", host, "transfer-encoding: chunked"),
    "chunked",
  ]);
  assertEquals(request({ headers: length(), body: EMPTY_BODY }), [
    head("GET / HTTP/1.1", host, "content-length: 0"),
    "none",
  ]);
});

Deno.test("writeRequestHead says that trailers are welcome where the client did", () => {
  const [text] = request({ acceptsTrailers: true });
  assertEquals(text, head("GET / HTTP/1.1", "host: a", "te: trailers", "connection: te"));
});

Deno.test("writeRequestHead writes nothing hop-by-hop of fields that another version brought", () => {
  const headers = FieldList.of({
    host: "a",
    connection: "close",
    "transfer-encoding": "chunked",
    te: "x",
    upgrade: "y",
    "proxy-connection": "z",
    "x-kept": "1",
  });
  assertEquals(request({ headers })[0], head("GET / HTTP/1.1", "host: a", "x-kept: 1"));
});

Deno.test("writeResponseHead frames by length, by chunks, or by the end of the connection", () => {
  assertEquals(response(responseOf("hello")), [
    head("HTTP/1.1 200 OK", "content-length: 5"),
    "length",
  ]);
  const stream = () => ({ status: 200, headers: rawFields("X: y"), body: new PushBody() });
  assertEquals(response(stream()), [
    head("HTTP/1.1 200 OK", "X: y", "transfer-encoding: chunked"),
    "chunked",
  ]);
  assertEquals(response(stream(), { version: "1.0" }), [
    head("HTTP/1.1 200 OK", "X: y", "connection: close"),
    "close",
  ]);
});

Deno.test("writeResponseHead replaces a length that is not the body's", () => {
  const headers = rawFields("Content-Length: 99", "X: y");
  const [text] = response({ status: 200, headers, body: new BytesBody(latin1Bytes("abc")) });
  assertEquals(text, head("HTTP/1.1 200 OK", "X: y", "content-length: 3"));
  const unknown = rawFields("Content-Length: 99");
  const [chunked] = response({ status: 200, headers: unknown, body: new PushBody() });
  assertEquals(chunked, head("HTTP/1.1 200 OK", "transfer-encoding: chunked"));
});

Deno.test("writeResponseHead keeps the length of what HEAD and 304 leave out, and drops that of 204", () => {
  const headers = () => rawFields("Content-Length: 99");
  const none = (status: number, method = "GET") =>
    response({ status, headers: headers(), body: EMPTY_BODY }, { method });
  assertEquals(none(200, "HEAD"), [head("HTTP/1.1 200 OK", "Content-Length: 99"), "none"]);
  assertEquals(none(304), [head("HTTP/1.1 304 Not Modified", "Content-Length: 99"), "none"]);
  assertEquals(none(204), [head("HTTP/1.1 204 No Content"), "none"]);
  assertEquals(response(emptyResponse(204)), [head("HTTP/1.1 204 No Content"), "none"]);
  assertEquals(
    response(emptyResponse(404))[0],
    head("HTTP/1.1 404 Not Found", "content-length: 0"),
  );
});

Deno.test("writeResponseHead says what becomes of the connection", () => {
  const last = (version: "1.0" | "1.1", keepAlive: boolean) =>
    response(emptyResponse(200), { version, keepAlive })[0].split("\r\n").slice(2, -2);
  assertEquals(last("1.1", true), []);
  assertEquals(last("1.1", false), ["connection: close"]);
  assertEquals(last("1.0", true), ["connection: keep-alive"]);
  assertEquals(last("1.0", false), ["connection: close"]);
});

Deno.test("writeResponseHead writes a status that it has no word for", () => {
  assertEquals(response(emptyResponse(799))[0], head("HTTP/1.1 799 ", "content-length: 0"));
});

Deno.test("writeInterim writes a head and nothing else", () => {
  const [text] = written((out) => writeInterim(out, 103, FieldList.of({ link: "</a>" })));
  assertEquals(text, head("HTTP/1.1 103 Early Hints", "link: </a>"));
});

Deno.test("writeChunkSize writes hexadecimal", () => {
  assertEquals(written((out) => writeChunkSize(out, 48879))[0], "beef\r\n");
});

Deno.test("writeLastChunk keeps trailers but those that frame, route or authenticate", () => {
  assertEquals(written((out) => writeLastChunk(out, undefined))[0], "0\r\n\r\n");
  const trailers = rawFields(
    "X-Sum: 1",
    "Content-Length: 5",
    "Transfer-Encoding: chunked",
    "Host: b",
    "Connection: close",
    "Authorization: c",
    "Proxy-Authorization: c",
    "WWW-Authenticate: c",
    "Set-Cookie: d",
    "Cookie: d",
    "Content-Type: e",
    "Expect: 100-continue",
    "X-User-Id: root",
    "X-Forwarded-For: 127.0.0.1",
    "grpc-status: 0",
  );
  assertEquals(
    written((out) => writeLastChunk(out, trailers))[0],
    head("0", "X-Sum: 1", "grpc-status: 0"),
  );
  const list = FieldList.of({ "x-a": "1", te: "trailers", "content-encoding": "gzip" });
  assertEquals(written((out) => writeLastChunk(out, list))[0], head("0", "x-a: 1"));
});

Deno.test("what was parsed and written again keeps its end-to-end fields, and then never changes again", () => {
  const again = (bytes: string): string => {
    const parser = new HeadParser("request", "downstream", { ...LIMITS, headers: 20 });
    assertEquals(readHead(parser, [latin1Bytes(bytes)]), "");
    const { framing, ...head } = readRequestHead(parser);
    const body = framing.kind === "chunked"
      ? new PushBody()
      : framing.kind === "length" && framing.bytes > 0
      ? new PushBody(framing.bytes)
      : EMPTY_BODY;
    return request({ ...head, headers: parser.fields, body })[0];
  };
  const accepted = REQUESTS.filter((request) =>
    request.accepted !== undefined && request.accepted.method !== "CONNECT"
  );
  assert(accepted.length > 30);
  const more = fc.array(
    fc.tuple(fc.constantFrom("X-A", "b", "Accept"), fc.constantFrom("", "1", " a\t", "\xff")),
    { maxLength: 3 },
  );
  fc.assert(
    fc.property(fc.constantFrom(...accepted), more, ({ bytes, name }, fields) => {
      fc.pre(bytes.length < 400);
      const lines = fields.map(([name, value]) => `${name}: ${value}`);
      const once = again(bytes.slice(0, -2) + head(...lines));
      assertEquals(again(once), once, name);
      for (const line of lines) assert(once.includes(`\r\n${line}\r\n`), `${name}: ${line}`);
    }),
    { numRuns: 1000 },
  );
});
