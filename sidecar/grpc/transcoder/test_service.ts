// A service with every kind of field and call, and shortcuts to send it REST and to answer for it.
import {
  type DescMessage,
  fromBinary,
  fromJson,
  type JsonValue,
  toBinary,
  toJson,
} from "@bufbuild/protobuf";
import { FieldList, type Fields } from "../../http/fields.ts";
import type { Request, Response } from "../../http/message.ts";
import { requestOf } from "../../../tests/support/messages.ts";
import { DescriptorPool } from "../descriptors.ts";
import { COMPRESSED, MessageDecoder } from "../framing.ts";
import { bytesOf, cut, framed, PiecesBody, trailersOf, utf8Body } from "../test_messages.ts";
import type { TranscoderOptions } from "./options.ts";
import { type Binding, Transcoder } from "./transcoder.ts";

const PROTO = `syntax = "proto3";
package test;
import "google/api/annotations.proto";
import "google/api/httpbody.proto";
import "google/protobuf/any.proto";
import "google/protobuf/duration.proto";
import "google/protobuf/empty.proto";
import "google/protobuf/field_mask.proto";
import "google/protobuf/struct.proto";
import "google/protobuf/timestamp.proto";
import "google/protobuf/wrappers.proto";
enum Color { UNSET = 0; RED = 1; DARK_BLUE = 2; }
message All {
  int32 a_int32 = 1;
  int64 a_int64 = 2;
  uint32 a_uint32 = 3;
  uint64 a_uint64 = 4;
  sint64 a_sint64 = 5;
  fixed64 a_fixed64 = 6;
  double a_double = 7;
  float a_float = 8;
  bool a_bool = 9;
  string a_string = 10;
  bytes a_bytes = 11;
  Color color = 12;
  All inner = 13;
  repeated int64 numbers = 14;
  repeated Color colors = 15;
  repeated All items = 16;
  map<string, int64> counts = 17;
  map<int32, All> by_id = 18;
  map<bool, string> by_flag = 19;
  oneof choice { string text = 20; int32 number = 21; google.protobuf.Empty nothing = 35; }
  optional int32 maybe = 22;
  google.protobuf.Timestamp time = 23;
  google.protobuf.Duration span = 24;
  google.protobuf.FieldMask mask = 25;
  google.protobuf.Any any = 26;
  google.protobuf.Struct struct = 27;
  google.protobuf.Value value = 28;
  google.protobuf.ListValue list = 29;
  google.protobuf.Int64Value w_int64 = 30;
  google.protobuf.StringValue w_string = 31;
  google.protobuf.BoolValue w_bool = 32;
  google.protobuf.BytesValue w_bytes = 33;
  repeated google.protobuf.Timestamp times = 34;
  string custom_name = 36 [json_name = "@custom"];
  google.protobuf.NullValue null_value = 37;
  string __proto__ = 38 [json_name = "__proto__"];
}
message Name { string name = 1; string other = 2; All all = 3; repeated string tags = 4; }
message Upload { string name = 1; google.api.HttpBody file = 2; }
service Test {
  rpc Put(Upload) returns (google.api.HttpBody) { option (google.api.http) = { put: "/raw/{name}" body: "file" }; }
  rpc Echo(google.api.HttpBody) returns (Upload) {
    option (google.api.http) = { post: "/raw" body: "*" response_body: "file" };
  }
  rpc Load(Name) returns (stream google.api.HttpBody) { option (google.api.http) = { get: "/raw/{name}" }; }
  rpc Whole(All) returns (All) { option (google.api.http) = { post: "/whole" body: "*" }; }
  rpc Query(All) returns (All) {
    option (google.api.http) = {
      get: "/query/{a_string}"
      additional_bindings { post: "/query/{a_string}/inner" body: "inner" response_body: "inner" }
      additional_bindings { get: "/numbers" response_body: "numbers" }
      additional_bindings { get: "/int" response_body: "a_int32" }
      additional_bindings { get: "/typed/{color}/{a_int64}/{time}/{inner.a_bool}/{w_int64}/{a_bytes}/{span}/{a_double}" }
    };
  }
  rpc Resource(Name) returns (Name) {
    option (google.api.http) = {
      get: "/v1/{name=shelves/*/books/*}"
      additional_bindings { get: "/files/{name=**}" }
      additional_bindings { get: "/one/{name}/{other}" }
      additional_bindings { patch: "/v1/{name=shelves/*}:rename" body: "all" }
    };
  }
  rpc Bare(Name) returns (Name);
  rpc Down(Name) returns (stream Name) { option (google.api.http) = { get: "/down/{name}" }; }
  rpc Up(stream Name) returns (Name) { option (google.api.http) = { post: "/up/{other}" body: "*" }; }
  rpc Both(stream Name) returns (stream Name) { option (google.api.http) = { post: "/both" body: "*" }; }
}`;

export const POOL = await DescriptorPool.ofProtos(
  new Map([["test.proto", PROTO]]),
  () => undefined,
);

export const ALL = POOL.registry.getMessage("test.All")!;
export const NAME = POOL.registry.getMessage("test.Name")!;

export function transcoder(options: Partial<TranscoderOptions> = {}): Transcoder {
  return Transcoder.of(POOL, options);
}

/** `METHOD TARGET` to its binding. */
export function bindingOf(transcoder: Transcoder, line: string): Binding {
  const [method = "", target = ""] = line.split(" ");
  const binding = transcoder.match(method, target);
  if (binding === null || "allow" in binding) throw new Error(`no binding for ${line}`);
  return binding;
}

export function restRequest(body = "", headers: Readonly<Record<string, string>> = {}): Request {
  const fields = FieldList.of({ host: "a", ...headers });
  return requestOf({ headers: fields, body: utf8Body(body, 7) });
}

/** The gRPC request that a REST request becomes. */
export function send(
  line: string,
  body = "",
  options: Partial<TranscoderOptions> = {},
): Promise<Request> {
  const sender = transcoder(options);
  return sender.request(bindingOf(sender, line), restRequest(body));
}

/** The messages of a gRPC request as proto3 JSON. */
export async function messagesOf(request: Request, schema: DescMessage): Promise<JsonValue[]> {
  const decoder = new MessageDecoder({ maxBytes: 1e7, side: "downstream", flags: COMPRESSED });
  decoder.feed(await bytesOf(request.body));
  const messages: JsonValue[] = [];
  for (let next = decoder.next(); next !== undefined; next = decoder.next()) {
    messages.push(toJson(schema, fromBinary(schema, next.bytes), { registry: POOL.registry }));
  }
  return messages;
}

/** What `line` with `body` makes of its one message. */
export async function received(
  line: string,
  body = "",
  options: Partial<TranscoderOptions> = {},
): Promise<JsonValue> {
  const binding = bindingOf(transcoder(options), line);
  const schema = POOL.method(binding.path)!.input;
  const [message = null] = await messagesOf(await send(line, body, options), schema);
  return message;
}

export function encode(schema: DescMessage, json: JsonValue): Uint8Array {
  return toBinary(schema, fromJson(schema, json, { registry: POOL.registry }));
}

export function grpcResponse(bytes: Uint8Array, trailers: Fields, size = Infinity): Response {
  const pieces = cut(bytes, Math.min(size, Math.max(bytes.length, 1)));
  return {
    status: 200,
    headers: FieldList.of({ "content-type": "application/grpc", "x-meta": "1" }),
    body: new PiecesBody(pieces, trailers),
  };
}

/** The REST answer for a response with these messages and status 0. */
export function answer(
  line: string,
  messages: readonly Uint8Array[],
  options: Partial<TranscoderOptions> = {},
  request: Request = restRequest(),
): Promise<Response> {
  const receiver = transcoder(options);
  const response = grpcResponse(framed(...messages), trailersOf(0));
  return receiver.response(bindingOf(receiver, line), request, response);
}
