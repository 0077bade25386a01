import { assertEquals, assertRejects } from "@std/assert";
import { ProxyError } from "../../errors.ts";
import { FieldList } from "../../http/fields.ts";
import { latin1Bytes } from "../../lib/bytes.ts";
import { requestOf } from "../../../tests/support/messages.ts";
import { bytesOf, cut, framed, PiecesBody } from "../test_messages.ts";
import { fromWebRequest } from "./request.ts";

const MESSAGES = framed(new Uint8Array([1, 2]), new Uint8Array(), new Uint8Array(50).fill(7));

function webRequest(contentType: string, body: PiecesBody) {
  const headers = FieldList.of({
    "host": "a",
    "content-type": contentType,
    "content-length": "9",
    "accept": contentType,
    "x-grpc-web": "1",
    "x-user-agent": "grpc-web-javascript/0.1",
    "grpc-timeout": "1S",
  });
  return requestOf({ method: "POST", target: "/a.B/C", headers, body });
}

Deno.test("a binary request keeps its body and loses what speaks of gRPC-Web", () => {
  const body = new PiecesBody([MESSAGES]);
  const request = fromWebRequest(webRequest("application/grpc-web+proto", body));
  assertEquals(request.body, body);
  assertEquals([request.method, request.target, request.acceptsTrailers], ["POST", "/a.B/C", true]);
  assertEquals([...request.headers], [
    ["host", "a"],
    ["x-user-agent", "grpc-web-javascript/0.1"],
    ["grpc-timeout", "1S"],
    ["content-type", "application/grpc+proto"],
  ]);
});

Deno.test("the format behind the plus goes on", () => {
  const typeOf = (type: string) =>
    fromWebRequest(webRequest(type, new PiecesBody([]))).headers.get("content-type");
  assertEquals(typeOf("application/grpc-web"), "application/grpc");
  assertEquals(typeOf("application/grpc-web+json; charset=utf-8"), "application/grpc+json");
  assertEquals(typeOf("application/grpc-web-text+proto"), "application/grpc+proto");
});

Deno.test("a text request is decoded, wherever it is cut and padded", async () => {
  const flushes = [MESSAGES.subarray(0, 7), MESSAGES.subarray(7, 12), MESSAGES.subarray(12)];
  const text = latin1Bytes(flushes.map((flush) => flush.toBase64()).join(""));
  for (let size = 1; size <= text.length; size++) {
    const body = new PiecesBody(cut(text, size));
    const request = fromWebRequest(webRequest("application/grpc-web-text", body));
    assertEquals(await bytesOf(request.body), MESSAGES);
  }
});

Deno.test("a text request that is no base64, or is cut within it, is refused", async () => {
  for (const text of ["AAA*", "AAAAA", "AA=A"]) {
    const body = new PiecesBody([latin1Bytes(text), latin1Bytes("")]);
    const request = fromWebRequest(webRequest("application/grpc-web-text", body));
    const error = await assertRejects(() => bytesOf(request.body), ProxyError);
    assertEquals([error.kind, body.isEnded], ["bad-request", true]);
  }
});

Deno.test("a text request passes a break and a cancellation on", async () => {
  const gone = new ProxyError("downstream-gone", "gone", { side: "downstream" });
  const broken = fromWebRequest(
    webRequest("application/grpc-web-text", new PiecesBody([latin1Bytes("AAAA"), gone])),
  );
  assertEquals(await assertRejects(() => bytesOf(broken.body), ProxyError), gone);
  const body = new PiecesBody([latin1Bytes("AAAA")]);
  fromWebRequest(webRequest("application/grpc-web-text", body)).body.cancel();
  assertEquals(body.isCancelled, true);
});
