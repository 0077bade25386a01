import { assertEquals, assertRejects } from "@std/assert";
import { ProxyError } from "../../errors.ts";
import { FieldList } from "../../http/fields.ts";
import { utf8Bytes } from "../../lib/bytes.ts";
import { framed, PiecesBody, trailersOf, utf8Of } from "../test_messages.ts";
import {
  answer,
  bindingOf,
  encode,
  grpcResponse,
  messagesOf,
  POOL,
  restRequest,
  transcoder,
} from "./test_service.ts";

const RAW = POOL.registry.getMessage("google.api.HttpBody")!;
const UPLOAD = POOL.registry.getMessage("test.Upload")!;

const PNG = { contentType: "image/png", data: btoa("\x89PNG") };

Deno.test("a body that stands for HttpBody goes as it came, with its type", async () => {
  const known = transcoder();
  const request = restRequest("{no json", { "content-type": "text/x-odd; charset=utf-8" });
  const field = await known.request(bindingOf(known, "PUT /raw/a"), request);
  const file = { contentType: "text/x-odd; charset=utf-8", data: btoa("{no json") };
  assertEquals(await messagesOf(field, UPLOAD), [{ name: "a", file }]);
  const whole = await known.request(bindingOf(known, "POST /raw"), restRequest("x"));
  assertEquals(await messagesOf(whole, RAW), [{ data: btoa("x") }]);
});

Deno.test("an HttpBody is the answer's body, with its type", async () => {
  const cases: [string, Uint8Array][] = [
    ["PUT /raw/a", encode(RAW, PNG)],
    ["POST /raw", encode(UPLOAD, { name: "a", file: PNG })],
    ["GET /raw/a", encode(RAW, PNG)],
  ];
  for (const [line, message] of cases) {
    const response = await answer(line, [message]);
    assertEquals(response.headers.get("content-type"), "image/png", line);
    assertEquals(await utf8Of(response.body), "\ufffdPNG", line);
  }
});

Deno.test("an HttpBody that says nothing is empty, of no type that is known", async () => {
  for (const line of ["PUT /raw/a", "POST /raw"]) {
    const { headers, body } = await answer(line, [new Uint8Array()]);
    assertEquals([headers.get("content-type"), headers.get("content-length"), await utf8Of(body)], [
      "application/octet-stream",
      "0",
      "",
    ]);
  }
});

Deno.test("a call that fails is google.rpc.Status all the same", async () => {
  const known = transcoder();
  for (const line of ["PUT /raw/a", "GET /raw/a"]) {
    const response = grpcResponse(new Uint8Array(), trailersOf(5));
    const { status, headers } = await known.response(
      bindingOf(known, line),
      restRequest(),
      response,
    );
    assertEquals([status, headers.get("content-type")], [404, "application/json"]);
  }
});

Deno.test("a stream of HttpBody is one body, and breaks off where it fails", async () => {
  const known = transcoder();
  const bytes = framed(
    encode(RAW, { contentType: "a/b", data: btoa("one") }),
    encode(RAW, { data: btoa("two") }),
  );
  const stream = (pieces: readonly (Uint8Array | Error)[], status = 0) => {
    const headers = FieldList.of({ "content-type": "application/grpc" });
    const response = { status: 200, headers, body: new PiecesBody(pieces, trailersOf(status)) };
    return known.response(bindingOf(known, "GET /raw/a"), restRequest(), response);
  };
  for (let at = 1; at < bytes.length; at++) {
    const { headers, body } = await stream([bytes.subarray(0, at), bytes.subarray(at)]);
    assertEquals([headers.get("content-type"), await utf8Of(body)], ["a/b", "onetwo"]);
  }
  const failed = await stream([bytes], 15);
  await assertRejects(() => utf8Of(failed.body), ProxyError, "DATA_LOSS");
  const cutOff = await stream([bytes, bytes.subarray(0, 7)]);
  await assertRejects(() => utf8Of(cutOff.body), ProxyError, "ended within a message");
  const none = await stream([bytes, framed(utf8Bytes("\xff"))]);
  await assertRejects(() => utf8Of(none.body), ProxyError, "no google.api.HttpBody");
});
