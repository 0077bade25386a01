import { assertEquals, assertRejects } from "@std/assert";
import { ProxyError } from "../../errors.ts";
import { EMPTY_BODY } from "../../http/body.ts";
import { FieldList } from "../../http/fields.ts";
import type { Response } from "../../http/message.ts";
import { utf8Bytes } from "../../lib/bytes.ts";
import { grpcAnswer } from "../errors.ts";
import { encodeMessage } from "../framing.ts";
import { GRPC } from "../status.ts";
import {
  bytesOf,
  concat,
  cutAt,
  framed,
  PiecesBody,
  trailersOf,
  utf8Of,
} from "../test_messages.ts";
import type { TranscoderOptions } from "./options.ts";
import {
  ALL,
  answer,
  bindingOf,
  encode,
  grpcResponse,
  NAME,
  restRequest,
  transcoder,
} from "./test_service.ts";

const UNARY = "POST /test.Test/Bare";
const STREAM = "GET /down/x";

function answerTo(
  line: string,
  response: Response,
  accept = "*/*",
  options: Partial<TranscoderOptions> = {},
): Promise<Response> {
  const receiver = transcoder(options);
  return receiver.response(bindingOf(receiver, line), restRequest("", { accept }), response);
}

const a = encode(NAME, { name: "a" });
const b = encode(NAME, { name: "ü" });

Deno.test("a unary response is JSON with the metadata of its head, whatever the pieces", async () => {
  const bytes = framed(b);
  for (let size = 1; size <= bytes.length; size++) {
    const response = await answerTo(UNARY, grpcResponse(bytes, trailersOf(0), size));
    assertEquals([...response.headers], [
      ["x-meta", "1"],
      ["content-type", "application/json"],
      ["content-length", "13"],
    ]);
    assertEquals([response.status, await utf8Of(response.body)], [200, '{"name":"ü"}']);
  }
});

Deno.test("response_body is the field alone, or its default", async () => {
  const line = "GET /numbers";
  const cases: [string, object, string][] = [
    [line, { numbers: ["1", "2"] }, '["1","2"]'],
    [line, {}, "[]"],
    ["GET /int", { aInt32: 5 }, "5"],
    ["GET /int", {}, "0"],
    ["POST /query/x/inner", { inner: { aBool: true } }, '{"aBool":true}'],
    ["POST /query/x/inner", {}, "null"],
  ];
  for (const [line, json, wanted] of cases) {
    const response = await answer(line, [encode(ALL, json as Record<string, string>)]);
    assertEquals(await utf8Of(response.body), wanted, line);
  }
});

Deno.test("a status becomes google.rpc.Status with its HTTP status", async () => {
  const trailers = trailersOf(GRPC.NOT_FOUND, { "grpc-message": "user %C3%BC" });
  for (const line of [UNARY, STREAM]) {
    for (
      const response of [
        grpcResponse(new Uint8Array(), trailers),
        grpcAnswer(GRPC.NOT_FOUND, "user ü"),
      ]
    ) {
      const answer = await answerTo(line, response);
      assertEquals(answer.status, 404);
      assertEquals(answer.headers.get("content-type"), "application/json");
      assertEquals(answer.headers.has("grpc-status"), false);
      assertEquals(await utf8Of(answer.body), '{"code":5,"message":"user ü","details":[]}');
    }
  }
});

Deno.test("a status behind a unary message is the answer, not the message", async () => {
  const answer = await answerTo(UNARY, grpcResponse(framed(a), trailersOf(GRPC.UNAVAILABLE)));
  assertEquals([answer.status, await utf8Of(answer.body)], [
    503,
    '{"code":14,"message":"","details":[]}',
  ]);
});

Deno.test("details are spelled out where their types are known, and kept where not", async () => {
  // google.rpc.Status {code: 3, details: [BadRequest {field_violations {field: "a"}}, no.Such of the byte 0x05]}
  const violation = [0x0a, 3, 0x0a, 1, 0x61];
  const any = (url: string, value: readonly number[]) => {
    const name = [...utf8Bytes(url)];
    const bytes = [0x0a, name.length, ...name, 0x12, value.length, ...value];
    return [0x1a, bytes.length, ...bytes];
  };
  const details = new Uint8Array([
    0x08,
    3,
    ...any("type.googleapis.com/google.rpc.BadRequest", violation),
    ...any("type.googleapis.com/no.Such", [5]),
  ]).toBase64({ omitPadding: true });
  const trailers = trailersOf(3, { "grpc-message": "bad", "grpc-status-details-bin": details });
  const answer = await answerTo(UNARY, grpcResponse(new Uint8Array(), trailers));
  assertEquals([answer.status, JSON.parse(await utf8Of(answer.body))], [400, {
    code: 3,
    message: "bad",
    details: [
      { "@type": "type.googleapis.com/google.rpc.BadRequest", fieldViolations: [{ field: "a" }] },
      { "@type": "type.googleapis.com/no.Such", value: "BQ==" },
    ],
  }]);
});

Deno.test("details that cannot be read are left out", async () => {
  for (const details of ["*", "/////w=="]) {
    const trailers = trailersOf(3, { "grpc-status-details-bin": details });
    const answer = await answerTo(UNARY, grpcResponse(new Uint8Array(), trailers));
    assertEquals(JSON.parse(await utf8Of(answer.body)).details, []);
  }
});

Deno.test("a response that is no gRPC has the status that HTTP tells", async () => {
  const html = FieldList.of({ "content-type": "text/html" });
  const cases: [number, number, number][] = [[503, 503, 14], [404, 501, 12], [200, 500, 2]];
  for (const [status, wanted, code] of cases) {
    const body = new PiecesBody([utf8Bytes("<html>")]);
    const answer = await answerTo(UNARY, { status, headers: html, body });
    assertEquals([answer.status, JSON.parse(await utf8Of(answer.body)).code], [wanted, code]);
    assertEquals(body.isCancelled, true);
  }
});

Deno.test("a unary response with no message, two, or no status is an error", async () => {
  const cases: [Response, string][] = [
    [grpcResponse(new Uint8Array(), trailersOf(0)), "no message came"],
    [grpcAnswer(GRPC.OK, ""), "no message came"],
    [grpcResponse(framed(a, b), trailersOf(0)), "more than one message came"],
    [grpcResponse(framed(a), new FieldList()), "the response ended without a status"],
  ];
  for (const [response, message] of cases) {
    const answer = await answerTo(UNARY, response);
    assertEquals([answer.status, await utf8Of(answer.body)], [
      500,
      `{"code":13,"message":"${message}","details":[]}`,
    ]);
  }
});

Deno.test("a message that is malformed, cut, too long or compressed breaks the answer", async () => {
  const cases: [Uint8Array, string][] = [
    [framed(new Uint8Array([0xff])), "test.Name cannot be written as JSON"],
    [framed(a).subarray(0, 6), "the body ended within a message"],
    [encodeMessage(new Uint8Array(200)), "200 bytes"],
    [encodeMessage(a, 1), "compressed"],
    [encodeMessage(a, 4), "flags 4"],
  ];
  for (const line of [UNARY, STREAM]) {
    for (const [bytes, message] of cases) {
      const response = grpcResponse(bytes, trailersOf(0));
      const error = await assertRejects(
        () => answerTo(line, response, "*/*", { maxMessageBytes: 100 }),
        ProxyError,
        message,
      );
      assertEquals([error.kind, error.side], ["upstream-protocol", "upstream"]);
    }
  }
});

Deno.test("an upstream that breaks off before the first message breaks the answer", async () => {
  const gone = new ProxyError("upstream-reset", "gone", { side: "upstream" });
  const headers = FieldList.of({ "content-type": "application/grpc" });
  for (const line of [UNARY, STREAM]) {
    const response = { status: 200, headers, body: new PiecesBody([a.subarray(0, 2), gone]) };
    assertEquals(await assertRejects(() => answerTo(line, response), ProxyError), gone);
  }
});

Deno.test("a stream is a line of JSON a message, wherever the bytes are cut", async () => {
  const bytes = framed(a, new Uint8Array(), b);
  for (let at = 1; at < bytes.length; at++) {
    const body = new PiecesBody(cutAt(bytes, at), trailersOf(0));
    const headers = FieldList.of({ "content-type": "application/grpc" });
    const answer = await answerTo(STREAM, { status: 200, headers, body });
    assertEquals(answer.headers.get("content-type"), "application/x-ndjson");
    assertEquals(await utf8Of(answer.body), '{"name":"a"}\n{}\n{"name":"ü"}\n');
  }
});

Deno.test("a stream is server-sent events where the client accepts them", async () => {
  const response = grpcResponse(framed(a, b), trailersOf(GRPC.DATA_LOSS, { "grpc-message": "oh" }));
  const answer = await answerTo(STREAM, response, "text/event-stream");
  assertEquals(answer.headers.get("content-type"), "text/event-stream");
  assertEquals(answer.headers.get("cache-control"), "no-cache");
  assertEquals(
    await utf8Of(answer.body),
    'data: {"name":"a"}\n\ndata: {"name":"ü"}\n\n' +
      'event: error\ndata: {"error":{"code":15,"message":"oh","details":[]}}\n\n',
  );
});

Deno.test("what goes wrong once a stream runs is its last line", async () => {
  const gone = new ProxyError("upstream-reset", "gone", { side: "upstream" });
  const headers = FieldList.of({ "content-type": "application/grpc" });
  const first = framed(a);
  const cases: [PiecesBody, string][] = [
    [
      new PiecesBody([first], trailersOf(GRPC.ABORTED, { "grpc-message": "late" })),
      '{"code":10,"message":"late","details":[]}',
    ],
    [new PiecesBody([first, gone]), '{"code":8,"message":"gone","details":[]}'],
    [
      new PiecesBody([first]),
      '{"code":13,"message":"the response ended without a status","details":[]}',
    ],
    [
      new PiecesBody([concat([first, first.subarray(0, 3)])], trailersOf(0)),
      '{"code":13,"message":"malformed gRPC: the body ended within a message","details":[]}',
    ],
    [
      new PiecesBody([first, framed(new Uint8Array([0xff])), first]),
      '{"code":13,"message":"malformed gRPC: test.Name cannot be written as JSON","details":[]}',
    ],
  ];
  const statusOfFailure = (error: unknown) => ({
    code: GRPC.RESOURCE_EXHAUSTED,
    message: (error as Error).message,
  });
  for (const [body, status] of cases) {
    const answer = await answerTo(STREAM, { status: 200, headers, body }, "*/*", {
      statusOfFailure,
    });
    assertEquals([answer.status, await utf8Of(answer.body)], [
      200,
      `{"name":"a"}\n{"error":${status}}\n`,
    ]);
    assertEquals(body.isEnded, true);
  }
});

Deno.test("an empty stream that ends well is an empty body", async () => {
  for (const response of [grpcResponse(new Uint8Array(), trailersOf(0)), grpcAnswer(GRPC.OK, "")]) {
    const answer = await answerTo(STREAM, response);
    assertEquals([answer.status, answer.headers.get("content-length")], [200, "0"]);
    assertEquals((await bytesOf(answer.body)).length, 0);
  }
});

Deno.test("a stream is read no further than its reader reads, and cancelled with it", async () => {
  const body = new PiecesBody([framed(a), framed(b), framed(a)], trailersOf(0));
  const headers = FieldList.of({ "content-type": "application/grpc" });
  const answer = await answerTo(STREAM, { status: 200, headers, body });
  assertEquals(body.left, 2);
  assertEquals(answer.body.take()?.length, 13);
  assertEquals([answer.body.take(), body.left], [undefined, 2]);
  answer.body.cancel();
  assertEquals(body.isCancelled, true);
});

Deno.test("a trailers-only answer with a body that never comes is not waited for", async () => {
  const headers = FieldList.of({ "content-type": "application/grpc", "grpc-status": "7" });
  const answer = await answerTo(STREAM, { status: 200, headers, body: EMPTY_BODY });
  assertEquals(answer.status, 403);
});
