import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { fakeExchange, type FakeRequest } from "../../tests/support/fake_exchange.ts";
import { fakeRoute } from "../../tests/support/fake_snapshot.ts";
import { ProxyError } from "../errors.ts";
import { DescriptorPool } from "../grpc/descriptors.ts";
import { encodeMessage } from "../grpc/framing.ts";
import { Transcoder } from "../grpc/transcoder/transcoder.ts";
import { BytesBody, readBody } from "../http/body.ts";
import { FieldList } from "../http/fields.ts";
import type { Response } from "../http/message.ts";
import { latin1 } from "../lib/bytes.ts";
import { GrpcEdge } from "./grpc_edge.ts";

const PROTO = `syntax = "proto3";
package t;
import "google/api/annotations.proto";
message Id { string id = 1; }
message User { string name = 1; }
service Users {
  rpc Get(Id) returns (User) { option (google.api.http) = { get: "/users/{id}" }; }
}`;

const OPTIONS = {
  maxMessageBytes: 1024,
  emitDefaults: false,
  keepProtoNames: false,
  enumsAsNumbers: false,
  ignoreUnknownFields: false,
  ignoreUnknownParameters: false,
};
const ROUTE = {
  ...fakeRoute("/*"),
  transcode: { from: { kind: "reflection" }, options: OPTIONS },
} as const;

async function edge() {
  const pool = await DescriptorPool.ofProtos(new Map([["t.proto", PROTO]]), () => undefined);
  const transcoder = Transcoder.of(pool);
  return new GrpcEdge(() => transcoder);
}

/** What becomes of a request on its way, and of an answer with `message` on its way back. */
async function pass(about: FakeRequest, message = new Uint8Array()) {
  const exchange = fakeExchange({ ...about, route: ROUTE });
  await (await edge()).route(exchange);
  const { adapter } = exchange;
  if (adapter === undefined) return undefined;
  const body = await readBody(adapter.request.body, 1024);
  const answer: Response = {
    status: 200,
    headers: FieldList.of({ "content-type": "application/grpc" }),
    body: withTrailers(encodeMessage(message), { "grpc-status": "0" }),
  };
  const response = await adapter.respond(answer);
  const bytes = (await readBody(response.body, 1024))!;
  const text = latin1(bytes, 0, bytes.length);
  return { request: adapter.request, body, response, text };
}

function withTrailers(bytes: Uint8Array, fields: Record<string, string>) {
  const body = new BytesBody(bytes);
  return Object.defineProperty(body, "trailers", { value: FieldList.of(fields) });
}

Deno.test("GrpcEdge turns REST into a gRPC call over HTTP/2, and its answer into JSON", async () => {
  const passed = await pass({ target: "/users/7" }, new Uint8Array([10, 1, 65]));
  const { request, body, response, text } = passed!;
  assertEquals([request.method, request.target, request.version], ["POST", "/t.Users/Get", "2"]);
  assertEquals(body, encodeMessage(new Uint8Array([10, 1, 55])));
  assertEquals([response.status, text], [200, '{"name":"A"}']);
});

Deno.test("GrpcEdge turns gRPC-Web into gRPC over HTTP/2, and back", async () => {
  const message = new Uint8Array([10, 1, 65]);
  const headers = { "content-type": "application/grpc-web+proto" };
  const passed = await pass(
    { method: "POST", target: "/t.Users/Get", headers, body: "\0\0\0\0\0" },
    message,
  );
  const { request, response, text } = passed!;
  assertEquals([request.version, request.headers.get("content-type")], [
    "2",
    "application/grpc+proto",
  ]);
  assertEquals(response.headers.get("content-type"), "application/grpc-web+proto");
  assertEquals(text, "\0\0\0\0\x03\n\x01A\x80\0\0\0\x0fgrpc-status:0\r\n");
});

Deno.test("GrpcEdge leaves gRPC as it is", async () => {
  const headers = { "content-type": "application/grpc" };
  assertStrictEquals(await pass({ method: "POST", version: "2", headers }), undefined);
});

Deno.test("GrpcEdge answers 404 to what no rule takes, and 405 to another method", async () => {
  const notFound = await assertRejects(() => pass({ target: "/nobody" }), ProxyError);
  assertEquals(notFound.kind, "route-not-found");
  const wrong = await assertRejects(() => pass({ method: "PUT", target: "/users/7" }), ProxyError);
  assertEquals([wrong.kind, wrong.fields], ["method-not-allowed", { allow: "GET" }]);
});
