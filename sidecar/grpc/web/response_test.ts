import { assertEquals, assertRejects } from "@std/assert";
import { ProxyError } from "../../errors.ts";
import { FieldList, type Fields } from "../../http/fields.ts";
import { latin1, utf8Bytes } from "../../lib/bytes.ts";
import { requestOf } from "../../../tests/support/messages.ts";
import { grpcAnswer } from "../errors.ts";
import { COMPRESSED, MessageDecoder, TRAILERS } from "../framing.ts";
import { GRPC } from "../status.ts";
import { bytesOf, concat, cut, framed, PiecesBody, trailersOf } from "../test_messages.ts";
import { Base64Decoder } from "./base64_decoder.ts";
import { toWebResponse } from "./response.ts";

const BINARY = "application/grpc-web+proto";
const TEXT = "application/grpc-web-text";

function request(contentType: string, accept?: string) {
  const fields = { "content-type": contentType, ...(accept === undefined ? {} : { accept }) };
  return requestOf({ headers: FieldList.of(fields) });
}

function grpc(pieces: readonly (Uint8Array | Error)[], trailers?: Fields) {
  const headers = FieldList.of({
    "content-type": "application/grpc",
    "x-meta": "1",
    "trailer": "x",
  });
  return { status: 200, headers, body: new PiecesBody(pieces, trailers) };
}

/** Each frame as `flags:text`. */
function framesOf(bytes: Uint8Array): string[] {
  const decoder = new MessageDecoder({
    maxBytes: 1000,
    side: "upstream",
    flags: COMPRESSED | TRAILERS,
  });
  decoder.feed(bytes);
  const frames: string[] = [];
  for (let next = decoder.next(); next !== undefined; next = decoder.next()) {
    frames.push(`${next.flags}:${latin1(next.bytes, 0, next.bytes.length)}`);
  }
  assertEquals(decoder.isBetween, true);
  return frames;
}

function decodeText(bytes: Uint8Array): Uint8Array {
  const decoder = new Base64Decoder();
  const decoded = decoder.decode(bytes);
  decoder.end();
  return decoded;
}

const SENT = framed(utf8Bytes("one"), utf8Bytes(""), utf8Bytes("three"));
const WANTED = ["0:one", "0:", "0:three"];

Deno.test("trailers become the last frame, whatever the pieces, in binary and text", async () => {
  for (let size = 1; size <= SENT.length; size++) {
    for (const type of [BINARY, TEXT]) {
      const trailers = trailersOf(0, { "grpc-message": "a%20b", "x-cost-bin": "AQ==" });
      const response = toWebResponse(request(type), grpc(cut(SENT, size), trailers));
      const raw = await bytesOf(response.body);
      assertEquals(framesOf(type === TEXT ? decodeText(raw) : raw), [
        ...WANTED,
        "128:grpc-status:0\r\ngrpc-message:a%20b\r\nx-cost-bin:AQ==\r\n",
      ]);
      assertEquals(response.body.trailers, undefined);
    }
  }
});

Deno.test("each flush of a text response can be read by itself", async () => {
  const { body } = toWebResponse(
    request(TEXT),
    grpc([framed(utf8Bytes("a")), framed(utf8Bytes("b"))], trailersOf(0)),
  );
  const flushes: string[] = [];
  for (;;) {
    const chunk = body.take();
    if (chunk === null) break;
    if (chunk === undefined) await body.pull();
    else flushes.push(...framesOf(decodeText(chunk.slice())));
  }
  assertEquals(flushes, ["0:a", "0:b", "128:grpc-status:0\r\n"]);
});

Deno.test("the head keeps its metadata and says what the client asked for", () => {
  const typeOf = (contentType: string, accept?: string) =>
    toWebResponse(request(contentType, accept), grpc([])).headers.get("content-type");
  assertEquals(typeOf(BINARY), "application/grpc-web+proto");
  assertEquals(typeOf(TEXT), "application/grpc-web-text+proto");
  assertEquals(typeOf(TEXT, "application/grpc-web"), "application/grpc-web+proto");
  assertEquals(typeOf(BINARY, "application/grpc-web-text"), "application/grpc-web-text+proto");
  assertEquals(typeOf(TEXT, "*/*"), "application/grpc-web-text+proto");
  const { headers } = toWebResponse(request(BINARY), grpc([]));
  assertEquals([...headers], [["x-meta", "1"], ["content-type", "application/grpc-web+proto"]]);
});

Deno.test("the format of the response goes on", () => {
  const response = {
    ...grpc([]),
    headers: FieldList.of({ "content-type": "application/grpc+json" }),
  };
  const { headers } = toWebResponse(request(BINARY), response);
  assertEquals(headers.get("content-type"), "application/grpc-web+json");
});

Deno.test("a response that is its trailers is one frame", async () => {
  for (const type of [BINARY, TEXT]) {
    const { status, headers, body } = toWebResponse(
      request(type),
      grpcAnswer(GRPC.UNAVAILABLE, "no ü"),
    );
    assertEquals([status, headers.has("grpc-status"), headers.has("grpc-message")], [
      200,
      false,
      false,
    ]);
    const raw = await bytesOf(body);
    assertEquals(framesOf(type === TEXT ? decodeText(raw) : raw), [
      "128:grpc-status:14\r\ngrpc-message:no %C3%BC\r\n",
    ]);
  }
});

Deno.test("a response that is no gRPC has the status that HTTP tells", async () => {
  const html = new PiecesBody([utf8Bytes("<html>")]);
  const headers = FieldList.of({ "content-type": "text/html", "content-length": "6" });
  const response = toWebResponse(request(BINARY), { status: 503, headers, body: html });
  assertEquals([response.status, html.isCancelled], [200, true]);
  assertEquals(response.headers.has("content-length"), false);
  assertEquals(framesOf(await bytesOf(response.body)), [
    "128:grpc-status:14\r\ngrpc-message:the upstream answered with HTTP status 503\r\n",
  ]);
});

Deno.test("a response without a status ends with one", async () => {
  const { body } = toWebResponse(request(BINARY), grpc([framed(utf8Bytes("a"))]));
  assertEquals(framesOf(await bytesOf(body)), [
    "0:a",
    "128:grpc-status:13\r\ngrpc-message:the response ended without a status\r\n",
  ]);
});

Deno.test("a response that breaks off breaks the answer, and a cancellation reaches it", async () => {
  const gone = new ProxyError("upstream-reset", "gone", { side: "upstream" });
  const broken = toWebResponse(request(BINARY), grpc([framed(utf8Bytes("a")), gone]));
  assertEquals(await assertRejects(() => bytesOf(broken.body), ProxyError), gone);
  const response = grpc([concat([SENT, SENT])]);
  toWebResponse(request(BINARY), response).body.cancel();
  assertEquals(response.body.isCancelled, true);
});
